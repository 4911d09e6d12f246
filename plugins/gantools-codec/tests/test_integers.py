"""Networks of whole numbers against torch's real ones, and against themselves in other batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gantools_codec.integers import ACTIVATION
from gantools_codec.networks import leaky, whole
from torch import nn


@pytest.fixture
def layers():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 8, 4, stride=2, padding=1),
        leaky(),
        nn.PixelShuffle(2),
        nn.PixelUnshuffle(2),
        nn.Conv2d(8, 3, 3, padding=1),
        leaky(),
        nn.Conv2d(3, 8, 1),
        nn.PixelShuffle(2),
    )


def pictures(n):
    drawn = torch.Generator().manual_seed(1)
    return torch.randint(-ACTIVATION, ACTIVATION, (n, 2, 8, 10), generator=drawn).double()


def test_it_is_the_real_network_to_three_digits(layers):
    x = pictures(4)
    real = layers.double()(x / ACTIVATION).detach().numpy()
    found = whole(layers)(x.numpy())
    assert found.dtype == np.float64
    assert (found == np.floor(found)).all()
    np.testing.assert_allclose(found / ACTIVATION, real, atol=3e-3)
    assert np.abs(real).max() > 0.1


def test_neither_batches_nor_the_order_of_sums_change_anything(layers):
    x, network = pictures(6).numpy(), whole(layers)
    together = network(x)
    assert (np.concatenate([network(part) for part in np.split(x, 3)]) == together).all()
    rows = np.random.default_rng(0).integers(-(2**20), 2**20, (50, 4096)).astype(np.float64)
    weights = np.random.default_rng(1).integers(-(2**20), 2**20, (4096, 3)).astype(np.float64)
    order = np.random.default_rng(2).permutation(4096)
    assert ((rows @ weights) == (rows[:, order] @ weights[order])).all()  # at its bounds


def test_a_weight_that_is_too_large_is_refused():
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, 300)
    with pytest.raises(ValueError, match="300, beyond 256"):
        whole(nn.Sequential(layer))
