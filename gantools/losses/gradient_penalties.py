"""Gradient penalties: on the slope of the critic with respect to its input.

The gradients are taken with ``autograd.grad(create_graph=True)``, so that one backward of the sum
of all terms is enough. Every function here is a :class:`gantools.losses.Penalty`; in the formulas
∇ is the gradient with respect to the input and ‖·‖ the Euclidean norm of one sample's gradient.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gantools.losses.penalties import Critic


def gradient_norm_squared(critic: Critic, samples: Tensor) -> Tensor:
    """‖∇ₓ D(x)‖² of every sample, differentiable in D's parameters.

    Args:
        critic: maps samples [B, …] to scores [B] or [B, 1].
        samples: [B, …]; gradients do not flow into whatever made them.

    Returns:
        Tensor [B].
    """
    return _scores_and_slopes(critic, samples)[1]


def _scores_and_slopes(critic: Critic, samples: Tensor) -> tuple[Tensor, Tensor]:
    """D(x) and ‖∇ₓ D(x)‖², both [B]."""
    samples = samples.detach().requires_grad_(True)
    with torch.enable_grad():
        scores = critic(samples)
        (gradient,) = torch.autograd.grad(scores.sum(), samples, create_graph=True)
    return scores.flatten(), gradient.flatten(1).square().sum(1)


def r1(
    critic: Critic,
    real: Tensor,
    fake: Tensor | None = None,
    weight: float = 1.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """γ/2 · E‖∇D(x)‖² at real samples, γ the weight (Mescheder et al. 2018, eq. 9)."""
    return 0.5 * weight * gradient_norm_squared(critic, real).mean()


def r2(
    critic: Critic,
    real: Tensor | None,
    fake: Tensor,
    weight: float = 1.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """γ/2 · E‖∇D(G(z))‖² at fakes, γ the weight (Mescheder et al. 2018, eq. 10)."""
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
        fake: as many as there are real samples.
        one_sided: penalise only norms above one, λ · E max(0, ‖∇D‖ − 1)²; see :func:`wgan_lp`.
        generator: where the interpolation's random numbers come from.
    """
    return weight * _excess(critic, interpolate(real, fake, generator), one_sided)


def wgan_lp(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    weight: float = 10.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """λ · E max(0, ‖∇D(x̂)‖ − 1)² on interpolates (Petzka et al. 2018)."""
    return wgan_gp(critic, real, fake, weight, one_sided=True, generator=generator)


def dragan(
    critic: Critic,
    real: Tensor,
    fake: Tensor | None = None,
    weight: float = 10.0,
    *,
    c: float = 0.5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """λ · E(‖∇D(x̂)‖ − 1)² around real samples (DRAGAN, Kodali et al. 2017).

    x̂ = x + u · c · s · ε as in the authors' code: s the standard deviation of all elements of the
    batch, ε ~ U[0, 1) for each element, and one u ~ U[0, 1) for each sample.

    Args:
        c: how far the region around a sample reaches, in standard deviations.
    """
    noise = torch.rand(real.shape, generator=generator, device=real.device, dtype=real.dtype)
    perturbed = real + c * real.std(correction=0) * noise
    return weight * _excess(critic, interpolate(real, perturbed, generator))


def _excess(critic: Critic, samples: Tensor, one_sided: bool = False) -> Tensor:
    """E(‖∇D(x)‖ − 1)²."""
    excess = (gradient_norm_squared(critic, samples) + 1e-12).sqrt() - 1
    if one_sided:
        excess = excess.clamp(min=0)
    return excess.square().mean()


def wgan_div(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    weight: float = 2.0,
    *,
    p: float = 6.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """k · E‖∇D(x̂)‖ᵖ on interpolates, k the weight (Wu et al. 2018).

    The authors' code interpolates between real samples and fakes; the paper finds that other
    choices of x̂ do about as well.

    Args:
        fake: as many as there are real samples.
        p: the exponent, at least 2.
    """
    samples = interpolate(real, fake, generator)
    return weight * gradient_norm_squared(critic, samples).pow(p / 2).mean()


def roth(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    weight: float = 0.1,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """γ/2 · {E(1 − φ(x))² ‖∇D(x)‖² + E φ(G(z))² ‖∇D(G(z))‖²}, φ = σ(D), γ the weight.

    The Jensen–Shannon regulariser: what noise of variance γ added to the samples would do, to
    first order (Roth et al. 2017). As in the authors' code the gradient flows through φ as well.
    They may anneal γ to a hundredth of what it is at first.
    """
    real_score, real_slope = _scores_and_slopes(critic, real)
    fake_score, fake_slope = _scores_and_slopes(critic, fake)
    on_real = (1 - real_score.sigmoid()).square() * real_slope
    on_fake = fake_score.sigmoid().square() * fake_slope
    return 0.5 * weight * (on_real.mean() + on_fake.mean())
