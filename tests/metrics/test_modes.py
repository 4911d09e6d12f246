"""Modes: counts and KL by hand, and those of the mixtures themselves."""

from __future__ import annotations

import math

import pytest
import torch

from gantools.data import MIXTURES, Mixture
from gantools.metrics import label_statistics, mode_statistics


def test_modes_by_hand():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    # 13 at the first centre, 1 within 3σ of the second, 1 beyond 3σ of it, 1 lost near the third.
    samples = torch.cat([centres[:1].repeat(13, 1), torch.tensor([[12.9, 0], [10, 3.1], [0, 14]])])
    found = mode_statistics(samples, centres, std=1)
    shares = [13 / 16, 2 / 16, 1 / 16]
    assert found == {
        "modes": 2,  # one good sample is enough
        "modes_with_half_share": 1,  # two of sixteen are not: half of 16 / 4 is 2
        "high_quality": 14 / 16,
        "spread": pytest.approx(math.sqrt(2.9**2 / 14 / 2)),
        "kl": pytest.approx(sum(q * math.log(q * 4) for q in shares)),
    }
    assert mode_statistics(samples[:1], centres, std=1)["kl"] == pytest.approx(math.log(4))


def test_exactly_half_the_share_is_enough():
    centres = torch.tensor([[0.0], [10.0]])
    found = mode_statistics(torch.tensor([[0.0], [0.0], [0.0], [10.0]]), centres, std=1)
    assert found["modes_with_half_share"] == 2


@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_finds_its_own_modes(name):
    mixture = MIXTURES[name]
    n, modes = 2500, len(mixture.centres)
    draws = [
        mode_statistics(mixture.draw(n, torch.Generator().manual_seed(s)), *mixture)
        for s in range(40)
    ]
    assert all(d["modes"] == d["modes_with_half_share"] == modes for d in draws)
    mean = {
        key: sum(d[key] for d in draws) / len(draws) for key in ("high_quality", "spread", "kl")
    }
    assert mean["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.002)
    # r² / 2 of a Gaussian cut at r = 3 is exponential, cut at 4.5.
    cut = math.sqrt((1 - 5.5 * math.exp(-4.5)) / (1 - math.exp(-4.5)))
    assert mean["spread"] == pytest.approx(cut, abs=0.005)
    # 2n KL is about χ² of modes − 1 degrees of freedom.
    assert mean["kl"] == pytest.approx((modes - 1) / (2 * n), rel=0.3)


def test_a_dropped_mode_is_missed():
    mixture = MIXTURES["grid"]
    kept = Mixture(mixture.centres[5:], mixture.std)
    found = mode_statistics(kept.draw(5000, torch.Generator().manual_seed(0)), *mixture)
    assert found["modes"] == found["modes_with_half_share"] == 20
    assert found["kl"] == pytest.approx(math.log(25 / 20), abs=0.01)


def test_labels_by_hand():
    labels = torch.tensor([0] * 6 + [1] * 2 + [7])
    found = label_statistics(labels, classes=9)
    shares = [6 / 9, 2 / 9, 1 / 9]
    assert found == {
        "modes": 3,
        "modes_with_half_share": 3,
        "kl": pytest.approx(sum(q * math.log(q * 9) for q in shares)),
    }
    assert label_statistics(torch.arange(1000).repeat(26), 1000) == {
        "modes": 1000,
        "modes_with_half_share": 1000,
        "kl": pytest.approx(0, abs=1e-9),
    }


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_labels_out_of_range_are_refused(labels):
    with pytest.raises(ValueError, match="from 0 to 2"):
        label_statistics(torch.tensor(labels), 3)


def test_no_samples_have_no_modes():
    with pytest.raises(ValueError, match="need samples"):
        label_statistics(torch.zeros(0, dtype=torch.long), 3)
    with pytest.raises(ValueError, match="need samples"):
        mode_statistics(torch.zeros(0, 2), *MIXTURES["ring"])
