"""Distances of sounds, by hand."""

import math

import pytest
import torch
from gantools_tts.losses import FLOOR, feature_distance, magnitudes, spectral


def test_the_spectrum_of_a_tone():
    n, k = 256, 16
    x = torch.sin(2 * math.pi * k / n * torch.arange(4_000.0))[None]
    s = magnitudes(x, n)[0, :, 20]  # a window away from the ends
    assert s[k].item() == pytest.approx(n / 4, rel=1e-3)  # half the window's sum
    assert s[k + 1].item() == pytest.approx(n / 8, rel=1e-3)  # Hann's side
    assert s[k + 4].item() == pytest.approx(FLOOR, rel=0.2)


def test_a_sound_is_no_distance_from_itself_and_far_from_a_louder_one():
    x = torch.randn(2, 4_000)
    assert spectral(x, x).item() == 0
    assert spectral(2 * x, x).item() == pytest.approx(1 + math.log(2), rel=1e-3)
    assert spectral(x, 2 * x).item() == pytest.approx(0.5 + math.log(2), rel=1e-3)


def test_the_sign_of_a_sound_is_not_heard():
    x = torch.randn(1, 4_000)
    assert spectral(-x, x).item() == pytest.approx(0, abs=1e-6)


def test_features_are_compared_layer_by_layer():
    real = [torch.zeros(2, 3), torch.ones(2, 4)]
    made = [torch.ones(2, 3, requires_grad=True), torch.full((2, 4), 4.0)]
    assert feature_distance(made, real).item() == 2  # the mean of 1 and 3
