"""Mixtures in whole numbers against their formula in real ones."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from gantools_codec.integers import ACTIVATION
from gantools_codec.mixtures import ONE, SPREAD, Digits, Mixtures, exponentials, sigmoids
from gantools_codec.networks import bits

N, K = 300, 3


@pytest.fixture
def outputs():
    drawn = np.random.default_rng(0)
    kinds = drawn.normal(0, 1, (N, K)), drawn.uniform(-2, 4, (N, K)), drawn.normal(0, 2, (N, K))
    return np.floor(np.concatenate(kinds, 1) * ACTIVATION)


@pytest.fixture
def reference():
    return np.random.default_rng(1).integers(0, 256, N).astype(np.float64)


def distribution(outputs, reference):
    """P(x) for all 256 values by the formula, float64 [N, 256]."""
    mean, scale, weight = np.split(outputs / ACTIVATION, 3, 1)
    mean, weight = reference[:, None] + SPREAD * mean, np.exp(weight)
    bounds = np.arange(257) - 0.5
    z = (bounds[None, :, None] - mean[:, None]) / np.exp(scale)[:, None]
    below = ((1 + np.tanh(z / 2)) / 2 * (weight / weight.sum(1, keepdims=True))[:, None]).sum(2)
    below[:, 0], below[:, -1] = 0, 1
    return np.diff(below, axis=1)


def by_digits(outputs, reference, values, finest=1):
    """The probabilities of values as they are coded, digit by digit."""
    digits, found = Digits(Mixtures(outputs, reference), finest), 1.0
    rest = values
    while digits.size > finest:
        weights = digits.weights().astype(np.float64)
        symbols, rest = np.divmod(rest, digits.part)
        found = found * weights[np.arange(N), symbols] / weights.sum(1)
        digits.take(symbols)
    assert (digits.values == values - values % finest).all()
    return found


def test_the_tables_are_those_of_exp_and_sigmoid_and_the_same_everywhere():
    k = np.arange(14 * ACTIVATION + 1) / ACTIVATION
    np.testing.assert_allclose(exponentials() / ONE, np.exp(-k), atol=1.01 / ONE)
    k = np.arange(-14 * ACTIVATION, 14 * ACTIVATION + 1) / ACTIVATION
    np.testing.assert_allclose(sigmoids() / ONE, 1 / (1 + np.exp(-k)), atol=4 / ONE)
    assert (np.diff(sigmoids()) >= 0).all()
    digest = hashlib.sha256(sigmoids().astype("<i8").tobytes()).hexdigest()
    assert digest.startswith("87208ae89c446a8e")


def test_values_have_the_probability_of_the_formula(outputs, reference):
    likely = distribution(outputs, reference)
    found = np.stack([by_digits(outputs, reference, np.full(N, x)) for x in range(256)], 1)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    lost = (likely * np.log2(np.maximum(likely, 1e-30) / found)).sum(1)  # bits a value
    assert -1e-4 < lost.mean() < 1e-3
    assert lost.max() < 0.02


@pytest.mark.parametrize("finest", [2, 4, 8, 16])
def test_coarse_values_have_what_their_fine_ones_have(outputs, reference, finest):
    value = np.full(N, 3 * finest)
    coarse = by_digits(outputs, reference, value, finest)
    fine = sum(by_digits(outputs, reference, value + i) for i in range(finest))
    np.testing.assert_allclose(coarse, fine, rtol=1e-4, atol=1e-4)


def test_training_counts_the_same_bits(outputs, reference):
    likely = distribution(outputs, reference)
    values = (np.random.default_rng(2).random(N)[:, None] < likely.cumsum(1)).argmax(1)
    found = -np.log2(by_digits(outputs, reference, values))
    real = bits(
        torch.from_numpy(values).double(),
        torch.from_numpy(reference),
        torch.from_numpy(outputs / ACTIVATION),
    ).numpy()
    assert np.abs(found - real).mean() < 0.03
    assert abs((found - real).mean()) < 0.005
    assert real.mean() > 3


def test_bits_of_a_value_pull_it_to_where_it_is_likely():
    x = torch.tensor([90.0], requires_grad=True)
    outputs = torch.tensor([[0.0, 2.0, 0.0]])  # one distribution about 100, s = e²
    bits(x, torch.tensor([100.0]), outputs).sum().backward()
    assert x.grad.item() < 0
