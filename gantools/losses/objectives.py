"""Objectives: what discriminator and generator want, as pure functions of scores.

Scores are logits D(x) of any shape; every loss is a scalar mean over them. In the formulas
r = D(x) on real samples, f = D(G(z)) on fakes, sp = softplus, σ = sigmoid.
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
            fakes only, and the real scores may be left out.
        formula: what each player minimises, in r and f, for people to read.
        source: the paper that it is from.
        needs_real: False if the generator's loss looks at the fakes only, which spares a game
            the scores of real samples in the generator's move.
        joint: (real scores, fake scores) -> the loss of a player who makes both sides, as the
            encoder and generator of BiGAN and ALI do: pairs (x, E(x)) that are to pass for
            (G(z), z) as well as these for those (Donahue et al. 2017; Dumoulin et al. 2017). Left
            out it is the discriminator's loss with the sides exchanged.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    formula: str = ""
    source: str = ""
    needs_real: bool = True
    joint: Callable[[Tensor, Tensor], Tensor] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.joint is None:
            object.__setattr__(self, "joint", lambda real, fake: self.discriminator(fake, real))


def _opposed(discriminator: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """The loss of a player who wants just what the discriminator does not."""
    return lambda real, fake: -discriminator(real, fake)


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
    return _relativistic_discriminator(fake, _needed(real))


def _relativistic_average_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return _non_saturating_discriminator(real - fake.mean(), fake - real.mean())


def _relativistic_average_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    return _relativistic_average_discriminator(fake, _needed(real))


def _needed(real: Tensor | None) -> Tensor:
    if real is None:
        raise TypeError("the relativistic generator loss compares fakes with real scores")
    return real


minimax = Objective(
    _non_saturating_discriminator,
    _minimax_generator,
    formula="D: sp(−r) + sp(f); G: −sp(f), that is log(1 − σ(f))",
    source="Goodfellow et al. 2014, eq. 1",
    needs_real=False,
    joint=_opposed(_non_saturating_discriminator),
)

non_saturating = Objective(
    _non_saturating_discriminator,
    _non_saturating_generator,
    formula="D: sp(−r) + sp(f); G: sp(−f)",
    source="Goodfellow et al. 2014, section 3",
    needs_real=False,
)

least_squares = Objective(
    _least_squares_discriminator,
    _least_squares_generator,
    formula="D: (r − 1)² + f²; G: (f − 1)²",
    source="Mao et al. 2017, with a = 0, b = c = 1, without the halves",
    needs_real=False,
)

hinge = Objective(
    _hinge_discriminator,
    _wasserstein_generator,
    formula="D: relu(1 − r) + relu(1 + f); G: −f",
    source="Lim & Ye 2017; Miyato et al. 2018",
    needs_real=False,
    joint=_opposed(_wasserstein_discriminator),
)

wasserstein = Objective(
    _wasserstein_discriminator,
    _wasserstein_generator,
    formula="D: f − r; G: −f; D is to be kept 1-Lipschitz, or the penalty qp added",
    source="Arjovsky et al. 2017",
    needs_real=False,
)

relativistic = Objective(
    _relativistic_discriminator,
    _relativistic_generator,
    formula="D: sp(f − r); G: sp(r − f), on pairs of a real sample and a fake",
    source="RpGAN: Jolicoeur-Martineau 2018; R3GAN: Huang et al. 2024",
)

relativistic_average = Objective(
    _relativistic_average_discriminator,
    _relativistic_average_generator,
    formula="D: sp(E f − r) + sp(f − E r); G: sp(E r − f) + sp(r − E f)",
    source="RaGAN: Jolicoeur-Martineau 2018",
)


def label_smoothing(alpha: float = 0.9) -> Objective:
    """The non-saturating objective whose discriminator aims at ``alpha`` on real samples, not 1.

    Its optimum is σ(D(x)) = α p/(p + q), with p the density of the data and q of the fakes:
    smoothing only the real side keeps the fakes' density out of the numerator.

    Args:
        alpha: the discriminator's target on real samples, in (0, 1].

    Raises:
        ValueError: alpha is out of its range.
    """
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha is the target on real samples, in (0, 1], not {alpha}")

    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return _non_saturating_discriminator(real, fake) + (1 - alpha) * real.mean()

    return Objective(
        discriminator,
        _non_saturating_generator,
        formula=f"D: α sp(−r) + (1 − α) sp(r) + sp(f), α = {alpha}; G: sp(−f)",
        source="Salimans et al. 2016, section 3.4",
        needs_real=False,
        joint=lambda real, fake: _non_saturating_discriminator(fake, real),
    )


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
