"""Constraints against the SVD, and through copies, averages and checkpoints."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from gantools import Game, Player, Trainer
from gantools.nn import equalized_learning_rate, mlp, spectral_norm, weight_clip


def network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(2, 6, 3),
        nn.BatchNorm2d(6),
        nn.ConvTranspose2d(6, 4, 2),
        nn.Flatten(),
        nn.Linear(4 * 5 * 5, 3),
    )


def matrix(layer: nn.Module) -> Tensor:
    """A layer's weight as a matrix from its inputs to its outputs."""
    weight = layer.weight.detach()
    return (weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight).flatten(1)


def norms(module: nn.Module) -> Tensor:
    """The largest singular values of the linear layers."""
    layers = [m for m in module.modules() if isinstance(m, (nn.Linear, nn.Conv2d))]
    layers += [m for m in module.modules() if isinstance(m, nn.ConvTranspose2d)]
    return torch.stack([torch.linalg.svdvals(matrix(layer))[0] for layer in layers])


def test_spectral_norm_is_the_svds():
    module = network()
    raw = [matrix(module[i]) for i in (0, 2, 4)]
    assert spectral_norm(module, n_power_iterations=20) is None
    for _ in range(20):
        module(torch.randn(2, 2, 6, 6))
    module.eval()
    for layer, weight in zip((module[0], module[2], module[4]), raw, strict=True):
        assert_close(matrix(layer), weight / torch.linalg.svdvals(weight)[0], rtol=1e-3, atol=1e-4)
    assert not hasattr(module[1], "parametrizations")  # batch norm is left as it is


def test_the_number_of_power_iterations_is_passed_on():
    torch.manual_seed(0)
    few, many = nn.Linear(200, 200), nn.Linear(200, 200)
    for layer, iterations in ((few, 1), (many, 100)):
        spectral_norm(layer, n_power_iterations=iterations)
        layer(torch.zeros(1, 200))
    few, many = norms(few.eval()).item(), norms(many.eval()).item()
    assert many == pytest.approx(1, abs=0.01)
    assert few > many + 0.01


def test_spectral_norm_survives_a_copy_and_a_round_trip():
    module = network()
    spectral_norm(module)
    x = torch.randn(3, 2, 6, 6)
    module(x)
    module.eval()
    assert torch.equal(copy.deepcopy(module)(x), module(x))
    other = network()
    spectral_norm(other)
    other.eval().load_state_dict(module.state_dict())
    assert torch.equal(other(x), module(x))


class Fit(Game):
    """One player that fits a steep function as well as its constraint lets it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__(fit=Player(module, lr=1e-2, ema=0.9))

    def fit_loss(self, turn):
        x = turn.randn(32, 4)
        return (self.fit(x) - 5 * x[:, :1]).square().mean()


def test_the_average_of_spectrally_normalised_weights_is_normalised_as_well():
    torch.manual_seed(0)
    module = mlp(4, 1, width=16)
    spectral_norm(module)
    game = Fit(module)
    Trainer(100, accelerator="cpu").fit(game)
    average = game.fit.averaged.eval()
    raw = average[2].parametrizations.weight.original
    assert torch.linalg.svdvals(raw.detach())[0] > 1.2  # it would not be at one by itself
    assert_close(norms(average), torch.ones(3), atol=0.05, rtol=0)  # its u and v are averages
    assert_close(norms(game.fit.module.eval()), torch.ones(3), atol=0.02, rtol=0)


def test_weights_are_clipped_and_no_others():
    module = nn.Linear(2, 2)
    project = weight_clip(module, 0.25)
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[0.1, -0.2], [0.5, -3.0]]))
        module.bias.copy_(torch.tensor([0.25, 1.0]))
    weight = module.weight
    project(module)
    assert_close(module.weight.tolist(), torch.tensor([[0.1, -0.2], [0.25, -0.25]]).tolist())
    assert module.bias.tolist() == [0.25, 0.25]
    assert module.weight is weight
    assert weight.requires_grad


def test_weights_are_clipped_at_a_hundredth_unless_told():
    module = nn.Linear(50, 50)
    weight_clip(module)(module)
    assert module.weight.abs().max().item() == pytest.approx(0.01)
    with pytest.raises(ValueError, match="positive limit"):
        weight_clip(module, 0.0)


def test_the_equalised_learning_rate_is_a_constraint_too():
    module = mlp(4, 1, width=16)
    assert equalized_learning_rate(module, lr_multiplier=0.5) is None
    for layer in (module[0], module[2], module[4]):
        original = layer.parametrizations.weight.original
        assert_close(layer.weight, 0.5 * original / layer.in_features**0.5)


@pytest.mark.parametrize("constraint", [spectral_norm, equalized_learning_rate])
def test_there_must_be_weights_to_constrain(constraint):
    with pytest.raises(ValueError, match="BatchNorm1d has no linear"):
        constraint(nn.BatchNorm1d(3))
