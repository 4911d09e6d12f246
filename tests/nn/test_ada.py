"""Adaptive augmentation: each transformation against torch's own, and how p is steered."""

from __future__ import annotations

import math
import multiprocessing

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gantools.nn import ADA, ada

GREY_AXIS = torch.ones(3) / 3**0.5


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(count: int, *shape: int) -> Tensor:
    """The same random image again and again."""
    return torch.randn(1, *shape, generator=seeded(9)).expand(count, *shape)


def drawn(transformation, count: int, *shape: int) -> Tensor:
    """What the transformation draws for so many images."""
    return transformation(ada.Draw(images(count, *shape), seeded()))


def shares(outcomes: Tensor, candidates: list[Tensor]) -> list[float]:
    """How many of the outcomes [B, …] are each candidate […]; each of them must be one."""
    same = torch.stack([(outcomes - c).abs().flatten(1).amax(1) < 1e-4 for c in candidates])
    assert (same.sum(0) == 1).all()
    return same.float().mean(1).tolist()


# -- positions -------------------------------------------------------------------------------------


def test_the_identity_is_the_identity():
    x = torch.randn(2, 3, 5, 7)
    assert_close(ada.warp(x, torch.eye(3).expand(2, 3, 3)), x, rtol=0, atol=1e-5)


def test_x_flip_is_torchs_flip_half_of_the_time():
    x = images(1000, 3, 5, 6)
    y = ada.warp(x, drawn(ada.x_flip, 1000, 3, 5, 6))
    assert shares(y, [x[0], x[0].flip(2)]) == pytest.approx([0.5, 0.5], abs=0.07)


def test_quarter_turns_are_torchs_rot90_a_quarter_of_the_time_each():
    x = images(1000, 2, 6, 6)
    y = ada.warp(x, drawn(ada.quarter_turn, 1000, 2, 6, 6))
    turns = [x[0].rot90(k, (1, 2)) for k in range(4)]
    assert shares(y, turns) == pytest.approx([0.25] * 4, abs=0.06)


def test_pixel_shifts_are_torchs_roll_with_reflections_at_the_border():
    x = images(4000, 1, 8, 16)
    y = ada.warp(x, drawn(ada.pixel_shift, 4000, 1, 8, 16))
    padded = torch.cat([x[0].flip(1), x[0], x[0].flip(1)], 1)
    padded = torch.cat([padded.flip(2), padded, padded.flip(2)], 2)
    rolls = {
        (down, right): padded.roll((down, right), (1, 2))[:, 8:16, 16:32]
        for down in (-1, 0, 1)
        for right in (-2, -1, 0, 1, 2)
    }
    # round(U(−1, 1)) is 0 half of the time, round(U(−2, 2)) is ±2 an eighth of the time each.
    rows, columns = {-1: 1 / 4, 0: 1 / 2, 1: 1 / 4}, {-2: 1, -1: 2, 0: 2, 1: 2, 2: 1}
    expected = [rows[down] * columns[right] / 8 for down, right in rolls]
    assert shares(y, list(rolls.values())) == pytest.approx(expected, abs=0.03)


def test_scaling_doubles_what_is_at_the_centre():
    # A straight ramp stays one: twice as large, it is half as steep.
    ramp = torch.arange(8.0).expand(1, 1, 8, 8) - 3.5
    twice, once = torch.tensor([2.0]), torch.tensor([1.0])
    assert_close(ada.warp(ramp, ada.scaling(twice, once)), ramp / 2, atol=1e-5, rtol=0)
    assert_close(ada.warp(ramp, ada.scaling(once, twice)), ramp, atol=1e-5, rtol=0)


def test_turning_turns_the_direction_in_which_a_ramp_rises():
    x, y = torch.meshgrid(torch.arange(16.0) - 7.5, torch.arange(16.0) - 7.5, indexing="xy")
    angle = torch.tensor([0.3])
    turned = ada.warp(x[None, None], ada.turning(angle))[0, 0]
    expected = x * math.cos(0.3) + y * math.sin(0.3)  # (1, 0) becomes (cos, sin)
    assert_close(turned[5:11, 5:11], expected[5:11, 5:11], atol=1e-4, rtol=0)


def test_shifting_by_half_a_pixel_is_the_mean_of_two():
    x = torch.randn(1, 2, 6, 6)
    y = ada.warp(x, ada.shifting(torch.tensor([0.5]), torch.tensor([0.0])))
    assert_close(y[..., 1:], (x[..., 1:] + x[..., :-1]) / 2, atol=1e-5, rtol=0)


def test_the_last_transformation_is_applied_last():
    x = torch.randn(1, 1, 5, 5)
    quarter, right = ada.turning(torch.tensor([math.pi / 2])), torch.tensor([1.0])
    steps = (lambda draw: quarter, lambda draw: ada.shifting(right, 0 * right))
    both = ada.compose(steps, ada.Draw(x), torch.tensor(1.0))
    expected = x.rot90(-1, (2, 3)).roll(1, 3)  # clockwise, then to the right
    assert_close(ada.warp(x, both)[..., 1:], expected[..., 1:], atol=1e-5, rtol=0)


def log2_std(values: Tensor) -> float:
    logs = values.log2()
    assert logs.mean().item() == pytest.approx(0, abs=4 * logs.std().item() / len(logs) ** 0.5)
    return logs.std().item()


def test_strengths_are_drawn_as_in_the_paper():
    n = 20000
    matrix = drawn(ada.scale, n, 1, 4, 8)
    assert torch.equal(matrix[:, 0, 0], matrix[:, 1, 1])
    assert log2_std(matrix[:, 0, 0]) == pytest.approx(0.2, rel=0.03)
    matrix = drawn(ada.stretch, n, 1, 4, 8)
    assert_close(matrix[:, 0, 0] * matrix[:, 1, 1], torch.ones(n))
    assert log2_std(matrix[:, 0, 0]) == pytest.approx(0.2, rel=0.03)
    matrix = drawn(ada.rotation, n, 1, 4, 8)
    angle = torch.atan2(matrix[:, 1, 0], matrix[:, 0, 0])
    assert_close(torch.linalg.det(matrix), torch.ones(n))
    assert angle.std().item() == pytest.approx(2 * math.pi / 12**0.5, rel=0.03)
    matrix = drawn(ada.shift, n, 1, 4, 8)
    assert matrix[:, :2, 2].std(0).tolist() == pytest.approx([8 / 8, 4 / 8], rel=0.03)
    matrix = drawn(ada.brightness, n, 3, 4, 8)
    assert matrix[:, 0, 3].std().item() == pytest.approx(0.2, rel=0.03)
    assert log2_std(drawn(ada.contrast, n, 3, 4, 8)[:, 0, 0]) == pytest.approx(0.5, rel=0.03)


# -- colours ---------------------------------------------------------------------------------------


def split(x: Tensor) -> tuple[Tensor, Tensor]:
    """Colours [B, 3, H, W] as luma [B, H, W] and what is left of them."""
    luma = torch.einsum("bchw,c->bhw", x, GREY_AXIS)
    return luma, x - luma[:, None] * GREY_AXIS.view(3, 1, 1)


def test_brightness_and_contrast_are_a_shift_and_a_factor():
    x = torch.randn(3, 3, 2, 2)
    draw = ada.Draw(x, seeded())
    matrix = ada.brightness(draw)
    assert_close(ada.recolour(x, matrix), x + matrix[:, 0, 3].view(3, 1, 1, 1))
    matrix = ada.contrast(draw)
    assert_close(ada.recolour(x, matrix), x * matrix[:, 0, 0].view(3, 1, 1, 1))


def test_the_luma_flip_changes_the_lumas_sign_half_of_the_time():
    x = images(1000, 3, 2, 2)
    y = ada.recolour(x, drawn(ada.luma_flip, 1000, 3, 2, 2))
    luma, rest = split(x)
    flipped = rest - luma[:, None] * GREY_AXIS.view(3, 1, 1)
    assert shares(y, [x[0], flipped[0]]) == pytest.approx([0.5, 0.5], abs=0.07)


def test_the_hue_turns_and_luma_and_saturation_stay():
    x = images(5000, 3, 2, 2)
    matrix = drawn(ada.hue, 5000, 3, 2, 2)
    luma, rest = split(x)
    new_luma, new_rest = split(ada.recolour(x, matrix))
    assert_close(new_luma, luma, atol=1e-5, rtol=0)
    assert_close(new_rest.norm(dim=1), rest.norm(dim=1), atol=1e-5, rtol=0)
    assert_close(torch.linalg.det(matrix), torch.ones(5000))
    angle = torch.acos(((matrix[:, :3, :3].diagonal(0, 1, 2).sum(1) - 1) / 2).clamp(-1, 1))
    assert angle.mean().item() == pytest.approx(math.pi / 2, rel=0.03)  # |U(−π, π)|


def test_a_third_of_a_turn_of_the_hue_permutes_the_primaries(monkeypatch):
    third = torch.full((2,), 2 * math.pi / 3)
    monkeypatch.setattr(ada.Draw, "uniform", lambda self, low, high: third)
    x = torch.randn(2, 3, 2, 2)
    assert_close(ada.recolour(x, ada.hue(ada.Draw(x))), x.roll(1, 1), atol=1e-5, rtol=0)


def test_saturation_scales_what_is_not_grey():
    x = images(5000, 3, 2, 2)
    luma, rest = split(x)
    new_luma, new_rest = split(ada.recolour(x, drawn(ada.saturation, 5000, 3, 2, 2)))
    assert_close(new_luma, luma, atol=1e-4, rtol=0)
    factor = new_rest.flatten(1).norm(dim=1) / rest.flatten(1).norm(dim=1)
    assert_close(new_rest, factor.view(-1, 1, 1, 1) * rest, atol=1e-4, rtol=1e-4)
    assert log2_std(factor) == pytest.approx(1, rel=0.03)


@pytest.mark.parametrize("transformation", [ada.hue, ada.saturation])
def test_grey_images_have_no_hue_and_no_saturation(transformation):
    x = images(20, 1, 4, 4)
    assert_close(ada.recolour(x, drawn(transformation, 20, 1, 4, 4)), x, atol=1e-5, rtol=1e-5)


def test_grey_images_are_flipped_in_luma():
    x = images(1000, 1, 4, 4)
    y = ada.recolour(x, drawn(ada.luma_flip, 1000, 1, 4, 4))
    assert shares(y, [x[0], -x[0]]) == pytest.approx([0.5, 0.5], abs=0.07)


# -- how often -------------------------------------------------------------------------------------


def test_transformations_happen_with_probability_p():
    x = images(4000, 1, 5, 6)
    matrix = ada.compose((ada.x_flip,), ada.Draw(x, seeded()), torch.tensor(0.4))
    assert shares(ada.warp(x, matrix), [x[0], x[0].flip(2)]) == pytest.approx([0.8, 0.2], abs=0.03)


def test_one_of_two_rotations_happens_with_probability_p():
    draw = ada.Draw(images(4000, 1, 5, 5), seeded())
    matrix = ada.compose((ada.rotation, ada.rotation), draw, torch.tensor(0.4))
    untouched = (matrix == torch.eye(3)).all(2).all(1)
    assert untouched.float().mean().item() == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("channels", [1, 3])
def test_at_p_zero_images_pass_unchanged_and_at_p_one_they_do_not(channels):
    x = torch.randn(8, channels, 6, 6)
    assert torch.equal(ADA()(x, 0.5, seeded()), x)
    y = ADA(p=1.0)(x, 0.0, seeded())
    assert y.shape == x.shape
    assert not any(torch.allclose(a, b, atol=0.1) for a, b in zip(x, y, strict=True))
    assert torch.equal(y, ADA(p=1.0)(x, 0.9, seeded()))


def test_what_is_switched_off_does_not_happen():
    x = images(200, 3, 6, 6)
    nothing = ADA(p=1.0, blit=False, geometry=False, colour=False)
    assert torch.equal(nothing(x), x)
    blit = ADA(p=1.0, geometry=False, colour=False)(x, 0.0, seeded())
    nearest = torch.cdist(blit.view(-1, 1), x[0].view(-1, 1), p=1).amin(1)
    assert nearest.max() < 1e-4  # pixels are moved as they are, and not mixed
    colour = ADA(p=1.0, blit=False, geometry=False)(x, 0.0, seeded())
    design = torch.cat([x[0].flatten(1).T, torch.ones(36, 1)], 1)  # one affine map for all pixels
    values = colour.view(600, 36).T
    fit = design @ torch.linalg.lstsq(design, values).solution
    assert_close(fit, values, atol=1e-3, rtol=1e-3)


def test_images_are_grey_or_rgb():
    with pytest.raises(ValueError, match=r"not \[2, 2, 4, 4\]"):
        ADA()(torch.zeros(2, 2, 4, 4))


# -- gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_gradients_flow_through_the_whole_pipeline_twice(channels):
    x = torch.randn(1, channels, 3, 4, dtype=torch.double, requires_grad=True)
    augment = ADA(p=1.0)
    assert torch.autograd.gradcheck(lambda x: augment(x, 0.0, seeded()), x)
    assert torch.autograd.gradgradcheck(lambda x: augment(x, 0.0, seeded()) ** 2, x)


# -- p ---------------------------------------------------------------------------------------------


def scores(positive: int, negative: int) -> Tensor:
    return torch.cat([torch.full((positive, 1), 3.0), torch.full((negative, 1), -0.1)])


def test_p_rises_and_falls_by_the_images_seen():
    augment = ADA(target=0.6, kimg=2, interval=4)
    for move in range(8):
        assert augment.p.item() == pytest.approx(0.05 * (move // 4))
        augment.observe(scores(23, 2))  # r = 21/25 > 0.6; 100 of 2,000 images in four moves
    assert augment.p.item() == pytest.approx(0.1)
    for _ in range(4):
        augment.observe(scores(19, 6))  # r = 13/25 < 0.6
    assert augment.p.item() == pytest.approx(0.05)
    for _ in range(4):
        augment.observe(scores(20, 5))  # r = 15/25: as it should be
    assert augment.p.item() == pytest.approx(0.05)


def test_every_score_of_an_image_counts_but_images_set_the_speed():
    augment = ADA(target=0.6, kimg=1, interval=1)
    augment.observe(torch.ones(50, 1, 4, 4))  # a discriminator of patches
    assert augment.p.item() == pytest.approx(0.05)


def test_overfitting_is_measured_over_the_whole_interval():
    augment = ADA(target=0.6, kimg=1, interval=2)
    augment.observe(scores(50, 0))
    augment.observe(scores(25, 25))  # r = (50 + 0)/100 < 0.6, so p would fall
    assert augment.p.item() == 0
    augment.observe(scores(50, 0))
    augment.observe(scores(40, 10))  # r = (50 + 30)/100
    assert augment.p.item() == pytest.approx(0.1)


def test_by_default_p_goes_from_zero_to_one_in_500_thousand_images_and_no_further():
    augment = ADA()
    for batch in range(4 * 52):
        augment.observe(scores(2500, 0))
        if batch == 4 * 25 - 1:
            assert augment.p.item() == pytest.approx(0.5)
    assert augment.p.item() == 1


def test_p_can_be_held():
    augment = ADA(p=0.3, kimg=math.inf)
    for _ in range(4):
        augment.observe(scores(10, 0))
    assert augment.p.item() == pytest.approx(0.3)


def test_a_resume_goes_on_in_the_midst_of_an_interval():
    first, second = ADA(kimg=1), ADA(kimg=1)
    for augment in (first, second):
        augment.observe(scores(10, 0))
    resumed = ADA(kimg=1)
    resumed.load_state_dict(second.state_dict())
    for augment in (first, resumed):
        for _ in range(3):
            augment.observe(scores(8, 2))
    assert first.p.item() > 0
    assert_close(resumed.state_dict(), first.state_dict(), rtol=0, atol=0)


def observe_in_a_process(rank: int, address: str, answers) -> None:
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=2)
    augment = ADA(target=0.6, kimg=1, interval=1)
    augment.observe(scores(10, 0) if rank else scores(20, 10))  # r = 20/40, 1/3 and 1
    below = augment.p.item()
    augment.observe(scores(10, 0) if rank else scores(27, 3))  # r = 34/40
    answers.put((below, augment.p.item()))


def test_processes_steer_p_together(tmp_path):
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    arguments = (f"file://{tmp_path}/meeting", answers)
    processes = [context.Process(target=observe_in_a_process, args=(r, *arguments)) for r in (0, 1)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert [answers.get() for _ in range(2)] == [(0, pytest.approx(0.04))] * 2


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match="probability"):
        ADA(p=1.5)
    with pytest.raises(ValueError, match="positive"):
        ADA(kimg=0)
