"""Penalties: terms that keep a player tame, as pure functions of networks and samples.

Here are what a penalty can be called as, and those that need no gradient of the critic;
the others are in :mod:`gantools.losses.gradient_penalties`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

Samples = Tensor | Sequence[Tensor]
"""Samples [B, …]; or several tensors that belong together row by row, as a picture and its caption
or an image and its code do, which a critic takes as that many arguments."""

Critic = Callable[..., Tensor]
"""Samples [B, …] -> scores [B] or [B, 1]."""


def several(samples: Samples) -> tuple[Tensor, ...]:
    """The tensors of samples, for a critic's call: ``critic(*several(samples))``."""
    return (samples,) if isinstance(samples, Tensor) else tuple(samples)


class Penalty(Protocol):
    """What every penalty that is known by a name can be called as."""

    def __call__(
        self,
        critic: Critic,
        real: Samples,
        fake: Samples,
        weight: float,
        *,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The weighted penalty, a scalar.

        Args:
            critic: the player that it is a term of; maps samples [B, …] to scores [B] or [B, 1].
                Where these are several tensors it takes them as arguments, and gradients are those
                with respect to all of them together; whole numbers (labels, phonemes) have none.
            real: samples [B, …] of the data.
            fake: samples [B, …] of the other side; gradients do not flow into what made them.
            weight: what the paper's formula multiplies it by.
            generator: where random numbers come from.
        """
        ...


def ct(
    critic: Critic,
    real: Samples,
    fake: Samples | None = None,
    weight: float = 2.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """λ₂ · E[(D(x′) − D(x″))² + 0.1 · mean (h(x′) − h(x″))²], two dropout passes of real samples.

    The consistency term of CT-GAN, to be added to ``wgan-gp`` (Wei et al. 2018; squared
    distances as in the authors' code, and M′ = 0, so that max(0, ·) changes nothing). The critic
    needs dropout or other randomness, whose random numbers are torch's global ones.

    Args:
        critic: where it has a method ``features(x)``, its second-to-last layer, h is what that
            returns; otherwise the second term is left out.

    Raises:
        ValueError: both passes give the same, so that there would be nothing to penalise.
    """
    x = several(real)
    first, second = critic(*x), critic(*x)
    if torch.equal(first, second):
        raise ValueError("ct needs a critic with dropout: two passes of this one give the same")
    distance = (first - second).square().mean()
    features: Critic | None = getattr(critic, "features", None)
    if features is not None:
        distance = distance + 0.1 * (features(*x) - features(*x)).square().mean()
    return weight * distance


def qp(
    critic: Critic,
    real: Samples,
    fake: Samples,
    weight: float = 10.0,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """E[δ²/(2λd)] of pairs, δ = D(x) − D(G(z)), d = mean |x − G(z)| over a sample's elements.

    Added to the ``wasserstein`` objective it is GAN-QP, whose discriminator maximises
    δ − δ²/(2λd): at best δ = λd, which is worth λd/2 (Su 2018; L1 as in the authors' code). So the
    weight λ divides: the larger it is, the steeper the critic may be.

    Args:
        fake: as many as there are real samples.
    """
    x, y = several(real), tuple(part.detach() for part in several(fake))
    difference = (critic(*x) - critic(*y)).reshape(len(x[0]), -1).mean(1)
    pairs = [(a, b) for a, b in zip(x, y, strict=True) if a.is_floating_point()]
    apart = torch.cat([(a - b).abs().reshape(len(a), -1) for a, b in pairs], 1)
    distance = apart.mean(1).clamp(min=1e-12)  # of equal samples δ is 0
    return (difference.square() / (2 * weight * distance)).mean()


def orthogonal(
    critic: Any,
    real: Samples | None = None,
    fake: Samples | None = None,
    weight: float = 1e-4,
    *,
    generator: torch.Generator | None = None,
) -> Tensor:
    """β · Σ ‖W Wᵀ ⊙ (1 − I)‖²_F over the weight matrices W [out, in]: filters at right angles.

    (Brock et al. 2019, eq. 3, whose W has the filters as columns. The gradient in the authors'
    code is half of this formula's.) Filters may have any length; samples are not looked at.

    Args:
        critic: has ``parameters()``; those with two dimensions or more count, flattened to
            [out, …].
    """
    matrices = (p.flatten(1) for p in critic.parameters() if p.dim() > 1)
    products = [w @ w.T for w in matrices]
    return weight * torch.stack([(p - p.diag().diag()).square().sum() for p in products]).sum()
