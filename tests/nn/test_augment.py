"""Instance noise and DiffAugment against known answers."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gantools.nn import DiffAugment, InstanceNoise
from gantools.nn.diffaugment import cut, recolour, translate

AUGMENTS = [InstanceNoise(), DiffAugment()]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("augment", AUGMENTS)
def test_the_same_generator_gives_the_same_and_global_states_are_left_alone(augment):
    x = torch.randn(8, 3, 8, 8)
    state = torch.get_rng_state()
    assert torch.equal(augment(x, 0.0, seeded()), augment(x, 0.0, seeded()))
    assert not torch.equal(augment(x, 0.0, seeded()), augment(x, 0.0, seeded(1)))
    assert torch.equal(state, torch.get_rng_state())


# -- instance noise --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(40000,), (20000, 2), (100, 2, 10, 20)])
def test_noise_has_mean_zero_and_the_given_deviation(shape):
    noise = InstanceNoise(0.5)(torch.full(shape, 3.0), 0.0, seeded()) - 3
    assert noise.mean().item() == pytest.approx(0, abs=4 * 0.5 / 200)
    assert noise.std().item() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize(
    ("until", "progress", "share"),
    [(1.0, 0.25, 0.75), (0.5, 0.25, 0.5), (0.5, 0.5, 0), (0.5, 0.9, 0), (math.inf, 0.9, 1)],
)
def test_noise_falls_linearly_to_nothing(until, progress, share):
    x = torch.zeros(5, 3)
    whole = InstanceNoise(0.2)(x, 0.0, seeded())
    assert_close(InstanceNoise(0.2, until)(x, progress, seeded()), share * whole)


def test_noise_refuses_what_has_no_meaning():
    with pytest.raises(ValueError, match="std >= 0"):
        InstanceNoise(-1.0)
    with pytest.raises(ValueError, match="until > 0"):
        InstanceNoise(until=0.0)


# -- DiffAugment -----------------------------------------------------------------------------------


def test_with_nothing_switched_on_images_pass_unchanged():
    x = torch.randn(4, 2, 6, 6)
    assert DiffAugment(colour=False, translation=0, cutout=0)(x) is x


def test_colours_change_by_the_papers_formulas():
    x = torch.randn(5, 3, 4, 6)
    brightness, saturation, contrast = torch.rand(3, 5, 1, 1, 1, generator=seeded())
    y = x + (brightness - 0.5)
    mean = y.mean(1, keepdim=True)
    y = (y - mean) * (2 * saturation) + mean
    mean = y.mean((1, 2, 3), keepdim=True)
    y = (y - mean) * (0.5 + contrast) + mean
    assert_close(recolour(x, seeded()), y, rtol=1e-4, atol=1e-5)


def test_images_move_as_far_as_they_are_told_and_zeros_move_in():
    x = torch.arange(1.0, 13).view(1, 1, 3, 4).repeat(3, 1, 1, 1)
    across = translate(x, torch.tensor([0, 1, -2]), 3)
    assert torch.equal(across[0], x[0])
    assert across[1, 0].tolist() == [[0, 1, 2, 3], [0, 5, 6, 7], [0, 9, 10, 11]]
    assert across[2, 0].tolist() == [[3, 4, 0, 0], [7, 8, 0, 0], [11, 12, 0, 0]]
    down = translate(x, torch.tensor([1, -1, 0]), 2)
    assert down[0, 0].tolist() == [[0, 0, 0, 0], [1, 2, 3, 4], [5, 6, 7, 8]]
    assert down[1, 0].tolist() == [[5, 6, 7, 8], [9, 10, 11, 12], [0, 0, 0, 0]]


def test_every_shift_up_to_an_eighth_is_as_likely():
    x = torch.zeros(5000, 1, 16, 16)
    x[:, :, 8, 8] = 1
    y = DiffAugment(colour=False, cutout=0)(x, 0.0, seeded())
    places = y.flatten(1).argmax(1)
    rows, columns = places // 16 - 8, places % 16 - 8
    counts = torch.bincount(5 * (rows + 2) + columns + 2, minlength=25)
    assert len(counts) == 25  # −2 … 2 both ways
    assert counts.min() > 200 - 5 * 14  # σ = √(5000 · 1/25 · 24/25) = 13.9
    assert counts.max() < 200 + 5 * 14


def test_a_rectangle_of_half_the_sides_is_cut_out_anywhere():
    x = torch.ones(4000, 2, 8, 6)
    y = cut(x, 0.5, seeded())
    assert torch.equal(y[:, 0], y[:, 1])
    holes = y[:, 0] == 0
    rows, columns = holes.any(2), holes.any(1)
    assert torch.equal(holes, rows[:, :, None] & columns[:, None, :])
    sizes = [set(side.sum(1).tolist()) for side in (rows, columns)]
    assert sizes == [{2, 3, 4}, {2, 3}]  # 4 and 3, less what is outside
    assert (holes.sum((1, 2)) == 12).any()
    # The first row of 4 is −2 … 6, each as likely, so row 3 is covered in 4 of 9 images.
    assert rows[:, 3].float().mean().item() == pytest.approx(4 / 9, abs=0.04)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_gradients_flow_through_diffaugment_twice(channels):
    x = torch.randn(2, channels, 4, 4, dtype=torch.double, requires_grad=True)
    augment = DiffAugment(translation=0.3)
    assert torch.autograd.gradcheck(lambda x: augment(x, 0.0, seeded()), x)
    assert torch.autograd.gradgradcheck(lambda x: augment(x, 0.0, seeded()) ** 2, x)
