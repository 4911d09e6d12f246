"""Objectives: what discriminator and generator want, as pure functions of scores.

Scores are logits D(x) of any shape; every loss is a scalar mean over them. In the formulas
r = D(x) on real samples, f = D(G(z)) on fakes, sp = softplus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus


@dataclass(frozen=True)
class Objective:
    """A pair of losses on scores.

    Attributes:
        discriminator: (real scores, fake scores) -> the discriminator's loss.
        generator: (fake scores, real scores) -> the generator's loss. Most objectives look at the
            fakes only; relativistic ones need the real scores too, so games that let the user
            choose pass both.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]


def _minimax_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    return -softplus(fake).mean()


def _non_saturating_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(-real).mean() + softplus(fake).mean()


def _non_saturating_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    return softplus(-fake).mean()


def _least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return (real - 1).square().mean() + fake.square().mean()


def _least_squares_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    return (fake - 1).square().mean()


def _hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return relu(1 - real).mean() + relu(1 + fake).mean()


def _wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean()


def _wasserstein_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    return -fake.mean()


def _relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return softplus(fake - real).mean()


def _relativistic_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    if real is None:
        raise TypeError("the relativistic generator loss compares fakes with real scores")
    return softplus(real - fake).mean()


minimax = Objective(_non_saturating_discriminator, _minimax_generator)
"""D: sp(−r) + sp(f); G: −sp(f), that is log(1 − σ(f)) (Goodfellow et al. 2014, eq. 1)."""

non_saturating = Objective(_non_saturating_discriminator, _non_saturating_generator)
"""D: sp(−r) + sp(f); G: sp(−f) (Goodfellow et al. 2014, section 3)."""

least_squares = Objective(_least_squares_discriminator, _least_squares_generator)
"""D: (r − 1)² + f²; G: (f − 1)² (Mao et al. 2017, with a = 0, b = c = 1, without the halves)."""

hinge = Objective(_hinge_discriminator, _wasserstein_generator)
"""D: relu(1 − r) + relu(1 + f); G: −f (Lim & Ye 2017; Miyato et al. 2018)."""

wasserstein = Objective(_wasserstein_discriminator, _wasserstein_generator)
"""D: f − r; G: −f (Arjovsky et al. 2017); D is to be kept 1-Lipschitz by a penalty."""

relativistic = Objective(_relativistic_discriminator, _relativistic_generator)
"""D: sp(f − r); G: sp(r − f), on pairs (RpGAN: Jolicoeur-Martineau 2018; R3GAN 2024)."""


def classification(real: Tensor, fake: Tensor, entropy: float = 0.0) -> Tensor:
    """Mean binary cross-entropy of telling real from fake, halved, less a bonus for doubt.

    ½[sp(−r) + sp(f)] − entropy · ½[H(σ(r)) + H(σ(f))], H in nats; GAIL's discriminator loss
    (Ho & Ermon 2016; the bonus is in the authors' code with weight 1e-3).
    """
    loss = 0.5 * _non_saturating_discriminator(real, fake)
    if entropy:
        logits = torch.cat([real.flatten(), fake.flatten()])
        loss = loss - entropy * (softplus(logits) - torch.sigmoid(logits) * logits).mean()
    return loss
