"""What the measures of a rollout give where it can be worked out by hand or by scikit-image."""

import math

import pytest
import torch
from gantools_video.metrics import (
    gradient_ratio,
    motion_ratio,
    moving_psnr,
    psnr,
    rollout_figures,
    ssim,
)

BEST = 20 * math.log10(255 * math.sqrt(12))  # 8 bits' rounding, 58.92 dB


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_psnr_of_a_constant_error_at_each_step():
    true = noise(2, 3, 3, 4, 5) / 2
    errors = torch.tensor([0.1, 0.01, 0.0]).view(3, 1, 1, 1)
    torch.testing.assert_close(psnr(true + errors, true), torch.tensor([20, 40, BEST]))


def test_psnr_is_the_mean_of_the_frames_ratios():
    true = torch.zeros(2, 1, 1, 4, 4)
    predicted = true + torch.tensor([0.1, 0.01]).view(2, 1, 1, 1, 1)
    torch.testing.assert_close(psnr(predicted, true), torch.tensor([30.0]))  # pooled it is 22.97


def waves():
    """Colour channels [1, 1, 3, 20, 24] of a wave, and the wave displaced, faded and darkened."""
    y, x = torch.meshgrid(torch.arange(20).double(), torch.arange(24).double(), indexing="ij")
    wave = torch.sin(x / 2 + y / 3)
    displaced = 0.5 + 0.4 * torch.sin((x - 1) / 2 + y / 3)
    true = 0.5 + 0.4 * wave
    predicted = torch.stack([displaced, 0.5 + 0.2 * wave, 0.8 * true])
    return true.expand(1, 1, 3, 20, 24), predicted[None, None]


def test_ssim_is_scikit_images():
    # structural_similarity of scikit-image 0.26.0, data_range=1, gaussian_weights=True, sigma=1.5,
    # use_sample_covariance=False, on these very images in float64.
    true, predicted = waves()
    for channel, theirs in enumerate((0.8371183178929428, 0.7824364892232496, 0.9521478150539545)):
        grey = ssim(predicted[:, :, [channel]], true[:, :, [channel]])
        assert grey.item() == pytest.approx(theirs, abs=1e-12)
    assert ssim(predicted, true).item() == pytest.approx(0.8572342073900491, abs=1e-12)
    assert ssim(predicted.float(), true.float()).item() == pytest.approx(0.8572342, abs=1e-5)


def test_ssim_of_flat_frames_is_the_luminance_term():
    true, predicted = torch.full((1, 1, 1, 11, 11), 0.25), torch.full((1, 1, 1, 11, 11), 0.75)
    luminance = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(predicted.double(), true.double()).item() == pytest.approx(luminance)
    assert ssim(predicted, true).item() == pytest.approx(luminance, abs=1e-3)  # float32


def test_ssim_is_one_for_the_same_symmetric_and_of_each_step():
    true, other = noise(2, 2, 3, 16, 12), noise(2, 2, 3, 16, 12, seed=1)
    other[:, 1] = true[:, 1]
    figures = ssim(other, true)
    assert figures[1] == 1
    assert figures[0] < 0.2
    torch.testing.assert_close(ssim(true, other), figures)


def one_pixel_moved(change=0.1):
    """The known frames [1, 2, 3, 9, 9], of which the pixel in the middle changed in one channel."""
    past = torch.full((1, 2, 3, 9, 9), 0.5)
    past[0, 1, 1, 4, 4] += change
    return past


def test_the_moving_area_is_the_last_known_motions_and_a_little_more():
    past, true = one_pixel_moved(), torch.full((1, 2, 3, 9, 9), 0.5)
    predicted = true.clone()
    predicted[0, 0, :, 2:7, 2:7] += 0.1  # all of 5 × 5 pixels
    predicted[0, 1, 0, 2, 2] += 0.1  # one of their 75 values
    everywhere_else = torch.ones(9, 9, dtype=torch.bool)
    everywhere_else[2:7, 2:7] = False
    predicted[..., everywhere_else] = 0.9
    torch.testing.assert_close(
        moving_psnr(predicted, true, past), torch.tensor([20, 20 + 10 * math.log10(75)])
    )


def test_the_moving_area_is_neither_the_futures_nor_the_predictions_nor_older():
    past = one_pixel_moved()
    older = noise(1, 1, 3, 9, 9)
    true = noise(1, 1, 3, 9, 9, seed=1)
    predicted = true.clone()
    predicted[..., 0, :] = 1 - predicted[..., 0, :]  # the prediction alone moves here
    given = moving_psnr(predicted, true, torch.cat([older, past], dim=1))
    torch.testing.assert_close(given, torch.tensor([BEST]))


def test_windows_without_motion_are_left_out():
    past = torch.cat([one_pixel_moved(), one_pixel_moved(0.05), one_pixel_moved(-0.1)])
    true = torch.full((3, 1, 3, 9, 9), 0.5)
    predicted = true + torch.tensor([0.1, 0.5, 0.01]).view(3, 1, 1, 1, 1)
    torch.testing.assert_close(moving_psnr(predicted, true, past), torch.tensor([30.0]))
    assert moving_psnr(predicted[1:2], true[1:2], past[1:2]).isnan().all()


def test_where_all_moves_the_moving_area_is_the_frame():
    past, true, predicted = noise(2, 2, 3, 8, 8), noise(2, 4, 3, 8, 8), noise(2, 4, 3, 8, 8, seed=1)
    past[:, 1] = 1 - past[:, 0].round()
    torch.testing.assert_close(moving_psnr(predicted, true, past), psnr(predicted, true))


def test_gradients_of_a_step_and_a_ramp():
    true = torch.zeros(1, 2, 1, 4, 4)
    true[..., 2:] = 1  # an edge: 4 rows × 1
    predicted = true.clone()
    predicted[0, 0, 0, :2] /= 2  # x: 2 × .5 + 2 × 1; y: 2 × .5 at its border
    predicted[0, 1] = torch.linspace(0.2, 0.8, 4)  # a ramp: 4 rows × .6
    torch.testing.assert_close(gradient_ratio(predicted, true), torch.tensor([1.0, 0.6]))


def test_gradient_ratio_knows_contrast_and_transposition():
    true, predicted = noise(2, 3, 3, 6, 8), noise(2, 3, 3, 6, 8, seed=1)
    torch.testing.assert_close(gradient_ratio(0.3 + true / 2, true), torch.full((3,), 0.5))
    torch.testing.assert_close(
        gradient_ratio(predicted.mT, true.mT), gradient_ratio(predicted, true)
    )


def test_ratios_are_of_sums_over_the_windows():
    true = torch.zeros(2, 1, 1, 1, 2)
    true[0, ..., 1], true[1, ..., 1] = 0.1, 0.9
    predicted = true.clone()
    predicted[0] *= 10  # ratios of 10 and 1, but sums of 1.9 and 1
    past = torch.zeros(2, 1, 1, 1, 2)
    torch.testing.assert_close(gradient_ratio(predicted, true), torch.tensor([1.9]))
    torch.testing.assert_close(motion_ratio(predicted, true, past), torch.tensor([1.9]))


def test_motion_is_from_the_last_known_frame_and_then_from_its_own():
    past = torch.tensor([0.9, 0.1]).view(1, 2, 1, 1, 1)
    true = torch.tensor([0.2, 0.4, 0.3]).view(1, 3, 1, 1, 1)  # moves .1, .2, .1
    predicted = torch.tensor([0.3, 0.3, 0.25]).view(1, 3, 1, 1, 1)  # moves .2, 0, .05
    expected = torch.tensor([2, 0, 0.5])
    torch.testing.assert_close(motion_ratio(predicted, true, past), expected)


def test_no_gradients_or_motion_in_the_truth_is_no_finite_ratio():
    flat, other = torch.full((1, 1, 1, 4, 4), 0.5), noise(1, 1, 1, 4, 4)
    assert gradient_ratio(other, flat).isinf().all()
    assert motion_ratio(other, flat, flat).isinf().all()
    assert motion_ratio(flat, flat, flat).isnan().all()


def test_figures_of_the_truth_itself_and_of_something_else():
    past, future, other = (
        noise(2, 4, 3, 12, 12),
        noise(2, 3, 3, 12, 12, seed=1),
        noise(2, 3, 3, 12, 12),
    )
    best = rollout_figures(past, future, future)
    assert list(best) == ["psnr", "ssim", "moving_psnr", "gradient_ratio", "motion_ratio"]
    assert best["psnr"] == best["moving_psnr"] == pytest.approx([BEST] * 3)
    assert best["ssim"] == best["gradient_ratio"] == best["motion_ratio"] == [1, 1, 1]
    figures = rollout_figures(past, future, other)
    assert figures["psnr"] == psnr(other, future).tolist()
    assert figures["ssim"] == ssim(other, future).tolist()
    assert figures["moving_psnr"] == moving_psnr(other, future, past).tolist()
    assert figures["gradient_ratio"] == gradient_ratio(other, future).tolist()
    assert figures["motion_ratio"] == motion_ratio(other, future, past).tolist()


@pytest.mark.parametrize(
    ("past", "future", "predicted"),
    [
        ((2, 4, 3, 12, 12), (2, 3, 3, 12, 12), (2, 1, 3, 12, 12)),  # would be broadcast
        ((1, 4, 3, 12, 12), (2, 3, 3, 12, 12), (2, 3, 3, 12, 12)),
        ((2, 4, 1, 12, 12), (2, 3, 3, 12, 12), (2, 3, 3, 12, 12)),
        ((2, 1, 3, 12, 12), (2, 3, 3, 12, 12), (2, 3, 3, 12, 12)),  # no last motion
    ],
)
def test_shapes_that_do_not_belong_together_are_refused(past, future, predicted):
    with pytest.raises(ValueError, match="P at least 2"):
        rollout_figures(torch.zeros(past), torch.zeros(future), torch.zeros(predicted))
