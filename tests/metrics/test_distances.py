"""Distances: closed forms, points by hand, and no bias where none is promised."""

from __future__ import annotations

import math

import pytest
import torch

from gantools.metrics import (
    energy_distance,
    frechet_distance,
    mmd,
    mmd_in_subsets,
    sliced_wasserstein,
    with_floor,
)


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).unsqueeze(1)


def normal(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_energy_distance_by_hand():
    # 2 E|x − y| = 2 (3 + 5 + 1 + 3) / 4 = 6; within, 2 and 2.
    assert energy_distance(column(0, 2), column(3, 5)) == pytest.approx(2)


def test_frechet_distance_is_the_closed_form_of_commuting_gaussians():
    spread = torch.tensor([1.0, 2.0, 0.5])
    x = normal(5000, 3, 0)
    # Standardised exactly, so that the sample's own mean and covariance are known.
    x = (x - x.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(x.T))).T
    shift = torch.tensor([1.0, 0.0, -2.0])
    expected = 5 + (spread - 1).square().sum().item()  # ‖μ − μ′‖² + Σ (σᵢ − σ′ᵢ)²
    assert frechet_distance(x, x * spread + shift) == pytest.approx(expected, rel=1e-4)


def test_frechet_distance_takes_one_dimension_and_fewer_samples_than_dimensions():
    assert frechet_distance(column(0, 2), column(5, 9)) == pytest.approx(36 + 2)  # (2√2 − √2)²
    x = normal(5, 20, 0)
    assert frechet_distance(x, x + 1) == pytest.approx(20, rel=1e-4)


def test_mmd_by_hand():
    # k = (xy + 1)³: within {0, 0} 1, within {1, 2} 27, across 1.
    assert mmd(column(0, 0), column(1, 2)) == pytest.approx(1 + 27 - 2)
    # The kernel divides by d: x·y / 2 = 1 within the fakes.
    assert mmd(torch.zeros(2, 2), torch.ones(2, 2)) == pytest.approx(1 + 8 - 2)


def test_mmd_compares_three_moments():
    # (xy + 1)³ = Σ C(3, j) xʲyʲ, so MMD² = 3 Δ₁² + 3 Δ₂² + Δ₃²; N(½, 1) has .5, 1.25, 1.625.
    expected = 3 * 0.5**2 + 3 * 0.25**2 + 1.625**2
    estimates = [mmd(normal(500, 1, s), normal(500, 1, 100 + s) + 0.5) for s in range(60)]
    assert torch.tensor(estimates).mean().item() == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("distance", [energy_distance, mmd])
def test_unbiased_distances_are_zero_in_the_mean_and_below_it_at_times(distance):
    found = torch.tensor([distance(normal(20, 2, s), normal(20, 2, 999 + s)) for s in range(400)])
    assert found.mean().abs() < 3 * found.std() / math.sqrt(400)
    assert (found < 0).any()


def test_mmd_in_subsets_is_their_mean_and_spread():
    real, fake = normal(50, 2, 0), normal(40, 2, 1) + 1
    # Subsets of everything are all alike.
    whole = mmd_in_subsets(real[:40], fake, size=40, subsets=3)
    assert whole["mean"] == pytest.approx(mmd(real[:40], fake), rel=1e-6)
    assert whole["std"] == pytest.approx(0, abs=1e-6)
    few = mmd_in_subsets(real, fake, size=30, subsets=100, seed=1)
    assert few["mean"] == pytest.approx(mmd(real, fake), rel=0.1)
    assert few["std"] > 0
    assert few == mmd_in_subsets(real, fake, size=30, subsets=100, seed=1)
    with pytest.raises(ValueError, match=r"100 subsets of 45 .* 50 and 40"):
        mmd_in_subsets(real, fake, size=45)


@pytest.mark.parametrize(
    ("real", "fake", "squared"),
    [
        ((1, 0), (4, 2), (4 + 9) / 2),  # sorted: 0 with 2, 1 with 4
        ((0,), (0, 2), 2),
        # Levels 0, ⅓, ½, ⅔, 1: apart by 0, 1, 2 and 1.
        ((2, 0, 1), (3, 0), 1 / 6 + 4 / 6 + 1 / 3),
    ],
)
def test_sliced_wasserstein_is_exact_on_a_line_for_any_sizes(real, fake, squared):
    for projections, seed in ((1, 0), (7, 3)):
        found = sliced_wasserstein(column(*real), column(*fake), projections, seed)
        assert found == pytest.approx(math.sqrt(squared))


def test_unequal_sizes_are_as_if_samples_were_repeated():
    real, fake = normal(30, 3, 0), normal(42, 3, 1)
    repeated = sliced_wasserstein(real.repeat(7, 1), fake.repeat(5, 1))
    assert sliced_wasserstein(real, fake) == pytest.approx(repeated)


def test_sliced_wasserstein_of_a_shift_and_of_a_scale():
    x = normal(300, 4, 0)
    shift = torch.tensor([3.0, 0.0, 0.0, 4.0])
    # Over directions the mean of (θ·v)² is ‖v‖² / d.
    assert sliced_wasserstein(x, x + shift, 4000) == pytest.approx(5 / math.sqrt(4), rel=0.03)
    # A quantile function tripled is off by twice itself.
    twice = 2 * x.square().mean().sqrt().item()
    assert sliced_wasserstein(x, 3 * x, 4000) == pytest.approx(twice, rel=0.03)
    assert sliced_wasserstein(x, 3 * x, seed=1) != sliced_wasserstein(x, 3 * x, seed=2)


@pytest.mark.parametrize("distance", [energy_distance, frechet_distance, mmd])
def test_one_sample_has_no_spread(distance):
    with pytest.raises(ValueError, match="two samples on each side"):
        distance(torch.zeros(1, 2), torch.zeros(5, 2))


def test_the_floor_is_of_as_many_reals_against_the_same_reals():
    # Every set is a constant, so the metric shows which two it was given, and how many.
    train, held_out, fake = (torch.full((n, 1), x) for n, x in ((30, 1.0), (20, 10.0), (50, 100.0)))

    def seen(real: torch.Tensor, other: torch.Tensor) -> tuple[float, float, int, int]:
        return real.mean().item(), other.mean().item(), len(real), len(other)

    found = with_floor(seen, train, held_out, fake, seed=4)
    expected = {"value": (10, 100, 20, 20), "floor": (10, 1, 20, 20), "n": 20, "seed": 4}
    assert found == expected
    assert with_floor(seen, train, held_out, fake, n=7)["value"] == (10, 100, 7, 7)
    with pytest.raises(ValueError, match="20 samples of each, not 21"):
        with_floor(seen, train, held_out, fake, n=21)


def test_samples_are_drawn_by_the_seed_without_replacement():
    samples = torch.arange(40).unsqueeze(1)
    drawn = [
        with_floor(
            lambda real, fake: fake.flatten().tolist(), samples, samples, samples, n=20, seed=s
        )
        for s in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1]
    assert drawn[0]["value"] != drawn[2]["value"]
    assert len(set(drawn[0]["value"])) == 20
