"""Bounds of information against channels whose information is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from gantools.losses import bottleneck_kl, categorical_information, gaussian_information


def test_a_noisy_channel_of_classes():
    # Of 10 samples of each of 4 classes, 7 say what they are and 1 says each of the others.
    codes = torch.arange(4).repeat_interleave(10)
    seen = torch.cat([torch.tensor([c] * 6 + [0, 1, 2, 3]) for c in range(4)])
    posterior = torch.full((4, 4), 0.1).fill_diagonal_(0.7)
    entropy = -(0.7 * math.log(0.7) + 3 * 0.1 * math.log(0.1))
    best = categorical_information(posterior.log()[seen], codes)
    assert best.item() == pytest.approx(math.log(4) - entropy, rel=1e-5)
    worse = categorical_information(2 * posterior.log()[seen], codes)
    assert worse < best


def test_certain_and_ignorant_classifiers():
    codes = torch.arange(10)
    certain = 1e3 * torch.eye(10)
    assert categorical_information(certain, codes).item() == pytest.approx(math.log(10))
    assert categorical_information(torch.zeros(10, 10), codes).item() == pytest.approx(0, abs=1e-6)


def test_samples_that_tell_nothing_bound_no_information():
    # The best Gaussian for a uniform code has its mean 0 and variance ⅓: log 2 − ½ log(2πe/3) < 0.
    codes = (torch.arange(1000).double() + 0.5).div(500).sub(1)[:, None].expand(-1, 2)
    mean, std = torch.zeros(1000, 2), torch.full((1000, 2), 3**-0.5, dtype=torch.double)
    best = 2 * (math.log(2) - 0.5 * math.log(2 * math.pi * math.e / 3))
    assert gaussian_information(mean, std, codes).item() == pytest.approx(best, abs=1e-5)
    for factor in (0.9, 1.1):
        assert gaussian_information(mean, factor * std, codes) < best < 0


def test_codes_are_as_well_known_as_their_spread_says():
    # A sample that gives the code away to ±σ: E log Q + log 2 = log 2 − ½ log(2πσ²) − ½.
    codes = torch.linspace(-1, 1, 100)[:, None]
    mean = codes + 0.01 * torch.tensor([1.0, -1.0]).repeat(50)[:, None]
    information = gaussian_information(mean, torch.full_like(mean, 0.01), codes)
    expected = math.log(2) - 0.5 * math.log(2 * math.pi * 0.01**2) - 0.5
    assert information.item() == pytest.approx(expected, rel=1e-4)


def test_bottleneck_kl_is_torchs():
    mean, std = torch.randn(5, 3), torch.rand(5, 3) + 0.1
    theirs = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(bottleneck_kl(mean, std), theirs, atol=1e-6)
