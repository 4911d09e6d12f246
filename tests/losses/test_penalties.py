"""Penalties against the closed form of a linear discriminator D(x) = w·x, where ∇D = w."""

from __future__ import annotations

import pytest
import torch

from gantools.losses import bottleneck_kl, gradient_norm_squared, interpolate, r1, wgan_gp

W = torch.tensor([3.0, -4.0], requires_grad=True)  # ‖w‖ = 5
X, Y = torch.randn(6, 2), torch.randn(6, 2)


def linear(x: torch.Tensor) -> torch.Tensor:
    return x @ W


def test_gradient_norm():
    assert torch.allclose(gradient_norm_squared(linear, X), torch.full((6,), 25.0))


def test_r1_and_its_gradient():
    loss = r1(linear, X, weight=0.2)
    assert loss.item() == pytest.approx(0.1 * 25)
    (gradient,) = torch.autograd.grad(loss, W)
    assert torch.allclose(gradient, 0.2 * W.detach())


def test_wgan_gp_and_its_gradient():
    loss = wgan_gp(linear, X, Y, 10.0)
    assert loss.item() == pytest.approx(10 * 16)
    (gradient,) = torch.autograd.grad(loss, W)
    assert torch.allclose(gradient, 2 * 10 * 4 * W.detach() / 5, rtol=1e-5)


def test_the_one_sided_penalty_spares_small_gradients():
    def flat(x):
        return 0.1 * linear(x)  # ‖∇‖ = ½

    assert wgan_gp(flat, X, Y, one_sided=True).item() == 0
    assert wgan_gp(flat, X, Y).item() == pytest.approx(10 * 0.25)
    assert wgan_gp(linear, X, Y, one_sided=True).item() == pytest.approx(160)


def test_interpolates_lie_between_and_are_drawn_from_the_generator():
    def draw():
        return interpolate(
            torch.zeros(100, 1, 2), torch.ones(100, 1, 2), torch.Generator().manual_seed(0)
        )

    points = draw()
    assert torch.equal(points, draw())
    assert 0 <= points.min() < points.max() <= 1
    assert torch.equal(points[..., 0], points[..., 1])  # one number a pair


def test_bottleneck_kl_is_torchs():
    mean, std = torch.randn(5, 3), torch.rand(5, 3) + 0.1
    normal = torch.distributions.Normal
    theirs = torch.distributions.kl_divergence(normal(mean, std), normal(0.0, 1.0)).sum(1)
    assert torch.allclose(bottleneck_kl(mean, std), theirs, atol=1e-6)
