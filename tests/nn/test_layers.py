"""Layers against their formulas."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gantools.nn import PixelNorm, equalized, mlp


def test_an_mlp_has_the_layers_that_are_asked_for():
    network = mlp(3, 2, width=5, depth=2, activation=nn.Tanh)
    kinds = [type(layer) for layer in network]
    assert kinds == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]
    assert [tuple(layer.weight.shape) for layer in network[::2]] == [(5, 3), (5, 5), (2, 5)]
    assert [type(layer) for layer in mlp(3, 2, depth=0)] == [nn.Linear]


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3), (6, 4, 3, 5)])
def test_pixel_norm_is_the_papers_formula(shape):
    a = torch.randn(shape)
    assert_close(PixelNorm()(a), a / (a.square().sum(1, keepdim=True) / 4 + 1e-8).sqrt())


def test_pixel_norm_can_be_differentiated_twice():
    x = torch.randn(2, 3, 2, 2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradgradcheck(PixelNorm(), x)


LAYERS = {
    "linear": (lambda: nn.Linear(300, 200), 300),
    "conv": (lambda: nn.Conv2d(64, 100, 3), 64 * 9),
    "grouped": (lambda: nn.Conv1d(128, 64, 5, groups=4), 32 * 5),
    "transposed": (lambda: nn.ConvTranspose2d(64, 100, 3), 64 * 9),
    "grouped transposed": (lambda: nn.ConvTranspose1d(128, 64, 5, groups=4), 32 * 5),
}


@pytest.mark.parametrize("name", LAYERS)
def test_equalised_weights_are_standard_normals_times_the_he_constant(name):
    make, fan_in = LAYERS[name]
    layer = equalized(make(), lr_multiplier=0.1, gain=2**0.5)
    original = layer.parametrizations.weight.original
    assert original.std().item() == pytest.approx(1 / 0.1, rel=0.03)
    assert_close(layer.weight, original * 0.1 * (2 / fan_in) ** 0.5)
    assert not layer.bias.any()


@pytest.mark.parametrize("name", LAYERS)
def test_one_adam_step_moves_equalised_weights_by_the_same_share_of_their_std(name):
    make, fan_in = LAYERS[name]
    layer = equalized(make(), lr_multiplier=0.5)
    before = layer.weight.detach().clone()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.01)
    (layer.weight.sum() + layer.bias.sum()).backward()
    optimizer.step()  # the first step is lr · sign(gradient)
    moved = before - layer.weight
    assert_close(moved, torch.full_like(moved, 0.01 * 0.5 / fan_in**0.5), rtol=1e-2, atol=1e-6)
    assert_close(layer.bias, torch.full_like(layer.bias, -0.01 * 0.5))


def test_an_equalised_module_computes_the_same_as_one_with_the_weights_that_it_shows():
    module = equalized(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False)))
    x = torch.randn(5, 3)
    hidden = (x @ module[0].weight.T + module[0].bias).relu()
    assert_close(module(x), hidden @ module[2].weight.T)
    other = copy.deepcopy(module)
    nn.init.zeros_(other[0].parametrizations.weight.original)
    assert not torch.equal(other(x), module(x))
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(x), module(x))


def test_a_module_without_linear_layers_has_nothing_to_equalise():
    with pytest.raises(ValueError, match="ReLU has no linear"):
        equalized(nn.ReLU())
