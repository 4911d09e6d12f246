"""Penalties that need no gradient of the critic, against closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from gantools import Player
from gantools.losses import ct, orthogonal, qp, wasserstein
from gantools.plugins import Plugins

PARTS = Plugins(installed=False)
W = torch.tensor([3.0, -4.0], dtype=torch.double, requires_grad=True)
X, Y = torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(0)).double()


def test_every_penalty_is_called_in_the_same_way():
    layers = nn.Linear(2, 3), nn.Tanh(), nn.Dropout(), nn.Linear(3, 1)  # ct needs the dropout
    critic = Player(nn.Sequential(*layers).double())
    for name in PARTS.names("penalties"):
        penalty = PARTS.part("penalties", name)
        values = [penalty(critic, X, Y, generator=torch.Generator().manual_seed(1))]
        values.append(penalty(critic, X, Y, 0.5, generator=torch.Generator().manual_seed(1)))
        assert all(value.shape == () and value >= 0 for value in values), name


class Dropout(nn.Module):
    """D(x) = w·h(x), h(x) = m ∘ x with the next mask m at every call."""

    def __init__(self, *masks: list[float]) -> None:
        super().__init__()
        self.masks = iter(torch.tensor(masks).double())

    def features(self, x):
        return next(self.masks) * x

    def forward(self, x):
        return self.features(x) @ W


def test_ct_is_the_squared_distance_of_two_passes():
    critic = Dropout([2, 0], [0, 2], [2, 2], [2, 0])
    penalty = ct(critic, X)
    scores = X @ torch.tensor([2 * 3, -2 * -4]).double()  # w·(m′ − m″)∘x
    features = torch.stack([torch.zeros(6).double(), 2 * X[:, 1]], 1)
    expected = 2 * (scores.square().mean() + 0.1 * features.square().mean())
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-9)
    step = X * torch.tensor([2.0, -2.0]).double()
    gradient = 2 * (2 * (step @ W.detach())[:, None] * step).mean(0)
    assert_close(torch.autograd.grad(penalty, W)[0], gradient)


def test_ct_of_a_critic_without_features_looks_at_scores_only():
    critic = Dropout([2, 0], [0, 2])
    expected = 0.5 * (X @ torch.tensor([6.0, 8.0]).double()).square().mean()
    assert ct(lambda x: critic(x), X, weight=0.5).item() == pytest.approx(expected.item())


def test_ct_hears_dropout_and_nothing_else():
    critic = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 1)).double()
    assert ct(critic, X) > 0
    with pytest.raises(ValueError, match="needs a critic with dropout"):
        ct(critic.eval(), X)


def test_qp_of_a_linear_critic():
    penalty = qp(lambda x: x @ W, X, Y, 10.0)
    step, distance = X - Y, (X - Y).abs().mean(1)
    delta = step @ W.detach()
    expected = (delta**2 / (20 * distance)).mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-9)
    gradient = ((delta / (10 * distance))[:, None] * step).mean(0)
    assert_close(torch.autograd.grad(penalty, W)[0], gradient)


def test_a_pair_is_worth_half_of_lambda_d_to_the_critic_of_gan_qp():
    scores = torch.zeros(2, 1, dtype=torch.double, requires_grad=True)
    x, y = torch.tensor([[[1.0, 3.0]]]).double(), torch.tensor([[[0.0, -1.0]]]).double()
    d = 2.5

    def loss():
        def critic(samples):
            return scores[0] if samples is x else scores[1]

        return wasserstein.discriminator(*scores) + qp(critic, x, y, 4.0)

    optimizer = torch.optim.SGD([scores], lr=2.0)
    for _ in range(50):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert (scores[0] - scores[1]).item() == pytest.approx(4 * d)
    assert -loss().item() == pytest.approx(4 * d / 2)


def test_qp_of_equal_samples_is_zero():
    penalty = qp(lambda x: x @ W, X, X)
    assert penalty.item() == 0
    assert torch.autograd.grad(penalty, W)[0].tolist() == [0, 0]


def test_orthogonal_is_the_sum_of_products_of_different_filters():
    layer = nn.Linear(2, 2).double()
    a, b = torch.tensor([[1.0, 2.0], [3.0, -1.0]]).double()
    layer.weight.data = torch.stack([a, b])
    penalty = orthogonal(layer, X, Y)
    assert penalty.item() == pytest.approx(1e-4 * 2 * 1**2)  # a·b = 1, counted twice
    gradient = torch.autograd.grad(penalty, layer.weight)[0]
    assert_close(gradient, 1e-4 * 4 * torch.stack([b, a]))


def test_orthogonal_filters_of_any_length_cost_nothing():
    kernel = nn.Conv2d(2, 5, 3, bias=False)
    linear = nn.Linear(8, 5)
    for layer in (kernel, linear):
        nn.init.orthogonal_(layer.weight)
        layer.weight.data *= 3
    both = nn.ModuleList([kernel, linear])
    assert orthogonal(both, weight=1.0).item() == pytest.approx(0, abs=1e-9)
    with torch.no_grad():
        kernel.weight[1] += kernel.weight[0] / 3  # a product of 3, twice
    assert orthogonal(both, weight=1.0).item() == pytest.approx(2 * 3**2, rel=1e-5)
