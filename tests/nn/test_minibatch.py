"""Layers that look at a whole batch, against closed forms and torch's own batch norm."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gantools.nn import MinibatchDiscrimination, MinibatchStd, VirtualBatch, VirtualBatchNorm


def test_minibatch_std_is_that_of_each_group_averaged():
    # Samples 0, 2, 4, 6 are a group, 1, 3, 5, 7 the other: values ±a and ±b at two features.
    x = torch.zeros(8, 2, 3, 3)
    signs = torch.tensor([1.0, 1.0, -1.0, -1.0]).view(4, 1, 1)
    x[0::2, 0], x[0::2, 1], x[1::2, 0], x[1::2, 1] = 1 * signs, 3 * signs, 4 * signs, 0 * signs
    y = MinibatchStd()(x)
    assert y.shape == (8, 3, 3, 3)
    assert torch.equal(y[:, :2], x)
    expected = torch.tensor([(1 + 3) / 2, (4 + 1e-4) / 2]).repeat(4)  # √1e-8 where all are alike
    assert_close(y[:, 2], expected.view(8, 1, 1).expand(8, 3, 3))


def test_minibatch_std_of_features_and_of_a_small_batch():
    x = torch.randn(3, 5)
    y = MinibatchStd(4)(x)
    expected = (x.var(0, correction=0) + 1e-8).sqrt().mean()
    assert_close(y[:, 5], expected.expand(3))


def test_minibatch_std_refuses_a_remainder():
    with pytest.raises(ValueError, match="6 has no whole number of groups of 4"):
        MinibatchStd(4)(torch.zeros(6, 1))


def test_minibatch_discrimination_is_its_formula():
    layer = MinibatchDiscrimination(3, kernels=2, dimensions=4)
    x = torch.randn(5, 3)
    y = layer(x)
    m = (x @ layer.tensor.weight.T).view(5, 2, 4).tolist()
    for i in range(5):
        assert_close(y[i, :3], x[i])
        for b in range(2):
            o = sum(
                math.exp(-sum(abs(p - q) for p, q in zip(m[i][b], m[j][b], strict=True)))
                for j in range(5)
            )
            assert y[i, 3 + b].item() == pytest.approx(o, rel=1e-5)


def test_minibatch_discrimination_counts_samples_that_are_alike():
    layer = MinibatchDiscrimination(3, kernels=2)
    y = layer(torch.tensor([[1.0, 2.0, 3.0]]).expand(7, 3))
    assert_close(y[:, 3:], torch.full((7, 2), 7.0))


@pytest.mark.parametrize("shape", [(3,), (3, 4), (3, 4, 2)])
def test_virtual_batch_norm_is_batch_norm_of_the_reference_and_one_sample(shape):
    reference, x = torch.randn(5, *shape), 2 * torch.randn(4, *shape) + 1
    layer = VirtualBatchNorm(3)
    nn.init.uniform_(layer.weight)
    nn.init.uniform_(layer.bias)
    y = VirtualBatch(layer, reference)(x)
    for i in range(4):
        batch = torch.cat([reference, x[i : i + 1]])
        torchs = torch.nn.functional.batch_norm(
            batch, None, None, layer.weight, layer.bias, training=True
        )
        assert_close(y[i], torchs[-1], rtol=1e-4, atol=1e-5)


def test_in_a_virtual_batch_the_output_is_independent_of_batch_mates():
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), VirtualBatchNorm(4), nn.Tanh(), nn.Conv2d(4, 2, 3), VirtualBatchNorm(2)
    )
    module = VirtualBatch(network, torch.randn(6, 1, 8, 8))
    x = torch.randn(5, 1, 8, 8)
    alone = torch.cat([module(sample[None]) for sample in x])
    assert_close(module(x), alone, rtol=1e-4, atol=1e-5)
    assert "reference" in module.state_dict()


def test_virtual_batch_norm_needs_a_reference():
    with pytest.raises(RuntimeError, match="VirtualBatch"):
        VirtualBatchNorm(2)(torch.zeros(3, 2))
    with pytest.raises(ValueError, match="VirtualBatchNorm layers"):
        VirtualBatch(nn.Linear(2, 2), torch.zeros(3, 2))
