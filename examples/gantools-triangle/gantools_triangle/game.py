"""The game of MGAN (Hoang et al. 2018): a discriminator, a classifier, and several generators.

In the formulas K is the number of generators, n the points that each makes for a batch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gantools import Game, Player, Turn, shared
from gantools.losses import Objective, Penalties
from gantools.nn import mlp
from gantools_triangle import Config

NOISE = 4
"""Dimensions of a generator's input."""


class Generators(nn.Module):
    """K small generators, one player: each turns its own noise into points."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.members = nn.ModuleList(mlp(NOISE, 2, width=64) for _ in range(count))

    def forward(self, noise: Tensor) -> Tensor:
        """Noise [K, n, NOISE] -> points [K, n, 2]."""
        return torch.stack([member(z) for member, z in zip(self.members, noise, strict=True)])


def confusion(logits: Tensor) -> Tensor:
    """Mean cross-entropy, in nats, of saying which generator made a point: [K, n, K] -> scalar.

    ``logits[i]`` are the classifier's scores of what generator i made. It is 0 if all generators
    are told apart with certainty, and log K if nothing is known.
    """
    return cross_entropy(logits.flatten(0, 1), makers(logits).flatten())


def accuracy(logits: Tensor) -> Tensor:
    """The share of points whose generator is named rightly: [K, n, K] -> scalar."""
    return (logits.argmax(2) == makers(logits)).float().mean()


def makers(logits: Tensor) -> Tensor:
    """Which generator made each point: [K, n, K] -> [K, n]."""
    count, each, _ = logits.shape
    return torch.arange(count, device=logits.device).unsqueeze(1).expand(count, each)


class Triangle(Game):
    """Three players, of whom each wants something else.

    The discriminator tells real points from fakes. The classifier tells which generator made a
    fake. The generators want their points taken for real, and to be told apart: those that make
    the same points cannot be.
    """

    def __init__(self, config: Config, objective: Objective, penalties: Penalties) -> None:
        self.config, self.objective, self.penalties = config, objective, penalties
        adam = {"lr": config.lr, "betas": (0.0, 0.9)}  # 0.5 lets some seeds collapse: README.md
        super().__init__(
            discriminator=Player(mlp(2, 1, width=128), **adam),
            classifier=Player(mlp(2, config.generators, width=64), **adam),
            generators=Player(Generators(config.generators), ema=0.99, **adam),
        )

    @shared(by="generators")  # made once a turn, for all players
    def fakes(self, turn: Turn) -> Tensor:
        """Points of every generator, [K, n, 2]; K · n are as many as the real ones."""
        count = self.config.generators
        return self.generators(turn.randn(count, len(turn.batch) // count, NOISE))

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell real from fake, whoever made it, plus the penalty."""
        real, fake, critic = turn.batch, self.fakes(turn).flatten(0, 1), self.discriminator
        r, f = critic(real), critic(fake)
        turn.log_scores("discriminator", r, f)
        adversarial = self.objective.discriminator(r, f)
        return {"adversarial": adversarial, **self.penalties(turn, critic, real, fake)}

    def classifier_loss(self, turn: Turn) -> Tensor:
        """Tell which generator made a fake."""
        logits = self.classifier(self.fakes(turn))
        turn.log("classifier/accuracy", accuracy(logits))
        return confusion(logits)

    def generators_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be taken for real, and be told apart."""
        fakes = self.fakes(turn)
        fake, real = self.discriminator(fakes.flatten(0, 1)), self.discriminator(turn.batch)
        return {
            "adversarial": self.objective.generator(fake, real),
            "diversity": self.config.diversity * confusion(self.classifier(fakes)),
        }
