"""Penalties: terms that keep a player tame, as pure functions of networks and samples.

The gradients that they penalise are taken with ``autograd.grad(create_graph=True)``, so that one
backward of the sum of all terms is enough. ``critic`` maps samples to one score each; where it
has several inputs, samples are tuples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


class Penalty(Protocol):
    """What every penalty that is known by a name can be called as."""

    def __call__(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        weight: float,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The weighted penalty, a scalar.

        Args:
            critic: the player that it is a term of; maps samples [B, …] to scores [B] or [B, 1].
            real: samples [B, …] of the data.
            fake: samples [B, …] of the other side; gradients do not flow into what made them.
            weight: what the paper's formula multiplies it by.
            generator: where random numbers come from.
        """
        ...


def gradient_norm_squared(critic: Critic, samples: Tensor) -> Tensor:
    """‖∇ₓ D(x)‖² of every sample, differentiable in D's parameters.

    Args:
        critic: maps samples [B, …] to scores [B] or [B, 1].
        samples: [B, …]; gradients do not flow into whatever made them.

    Returns:
        Tensor [B].
    """
    samples = samples.detach().requires_grad_(True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(critic(samples).sum(), samples, create_graph=True)
    return gradient.flatten(1).square().sum(1)


def r1(
    critic: Critic,
    real: Tensor,
    fake: Tensor | None = None,
    weight: float = 1.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """γ/2 · E‖∇D(x)‖² at real samples, γ the weight (Mescheder et al. 2018)."""
    return 0.5 * weight * gradient_norm_squared(critic, real).mean()


def r2(
    critic: Critic,
    real: Tensor | None,
    fake: Tensor,
    weight: float = 1.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """γ/2 · E‖∇D(G(z))‖² at fakes, γ the weight (Mescheder et al. 2018)."""
    return 0.5 * weight * gradient_norm_squared(critic, fake).mean()


def interpolate(real: Tensor, fake: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """x̂ = u·x + (1 − u)·G(z) with one u ~ U[0, 1) for each pair of samples [B, …]."""
    shape = (len(real),) + (1,) * (real.dim() - 1)
    u = torch.rand(shape, generator=generator, device=real.device, dtype=real.dtype)
    return torch.lerp(fake.detach(), real.detach(), u)


def wgan_gp(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    weight: float = 10.0,
    *,
    one_sided: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """λ · E(‖∇D(x̂)‖ − 1)² on interpolates (Gulrajani et al. 2017, eq. 3).

    Args:
        one_sided: penalise only norms above one, λ · E max(0, ‖∇D‖ − 1)² (WGAN-LP, Petzka 2018).
        generator: where the interpolation's random numbers come from.
    """
    samples = interpolate(real, fake, generator)
    excess = (gradient_norm_squared(critic, samples) + 1e-12).sqrt() - 1
    if one_sided:
        excess = excess.clamp(min=0)
    return weight * excess.square().mean()


def bottleneck_kl(mean: Tensor, std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) of every sample in nats: [B, K], [B, K] -> [B].

    The information that a variational discriminator bottleneck holds below I_c (VAIL, Peng et al.
    2019, eq. 9): ½ Σ (mean² + std² − 1 − log std²).
    """
    return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(1)
