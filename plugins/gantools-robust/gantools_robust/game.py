"""The game: a classifier of digits against an attacker who moves their pixels.

In the formulas x is a digit and y what it is, δ the attacker's move, ε how far it may go, θ the
classifier's weights, L the cross-entropy.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, kl_div

from gantools import Game, Player, Turn
from gantools.losses.attacks import Loss, fgsm, pgd
from gantools.schedules import linear
from gantools_robust.config import RobustConfig


def network() -> nn.Module:
    """Digits [B, 1, 28, 28] in [0, 1] -> logits [B, 10]; 0.16 million weights."""
    return nn.Sequential(
        nn.PixelUnshuffle(2),  # [B, 4, 14, 14]: halves the cost of a gradient in the pixels
        nn.Conv2d(4, 16, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 100),
        nn.ReLU(),
        nn.Linear(100, 10),
    )


def divergence(logits: Tensor, p: Tensor) -> Tensor:
    """KL(p ‖ softmax(logits)) in nats, mean over samples: [B, C], [B, C] -> scalar."""
    return kl_div(logits.log_softmax(1), p, reduction="batchmean")


def accuracy(logits: Tensor, y: Tensor) -> Tensor:
    """The share of samples that are rightly named: [B, C], [B] -> scalar."""
    return (logits.argmax(1) == y).float().mean()


class Duel(Game):
    """min over θ of E [ max over ‖δ‖∞ ≤ ε of L(θ, x + δ, y) ] (Madry et al. 2018, eq. 2.1).

    The attacker has no weights and no memory. Its move is the best that it finds against the
    classifier as it stands, and the classifier's gradient is to be taken at that very move
    (Danskin's theorem): it is worked out within the classifier's loss, so that it holds
    for any solver.

    A second classifier, ``plain``, learns from the same batches without an attacker: what the
    first is compared with, and whose adversarial examples are tried on it.
    """

    def __init__(self, config: RobustConfig) -> None:
        self.config = config
        super().__init__(classifier=self._player(), plain=self._player())

    def _player(self) -> Player:
        return Player(network(), lr=self.config.lr, schedule=linear)

    def attack(self, x: Tensor, y: Tensor, turn: Turn, loss: Loss = cross_entropy) -> Tensor:
        """The attacker's move: digits [B, 1, 28, 28] moved to where the loss is large."""
        config = self.config
        growth = min(1.0, turn.progress / config.warmup) if config.warmup else 1.0
        epsilon = growth * config.epsilon
        if config.attack == "fgsm":
            return fgsm(self.classifier, x, y, epsilon, loss=loss)
        share = config.attack_step_size
        step_size = epsilon * (2.5 / config.attack_steps if share is None else share)
        return pgd(
            self.classifier,
            x,
            y,
            epsilon,
            step_size,
            config.attack_steps,
            loss=loss,
            generator=turn.generator,
        )

    def classifier_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be right about digits, wherever the attacker moves them.

        ``madry``, with c the weight of clean digits (Goodfellow et al. 2015, section 6):
        c · L(x) + (1 − c) · L(x + δ).
        ``trades`` (Zhang et al. 2019, eq. 5): L(x) + β · KL(p(x) ‖ p(x + δ)), p the classifier's
        answer, and δ makes the second term large.
        """
        config = self.config
        x, y = turn.batch
        if config.attack == "none":
            z = self.classifier(x)
            turn.log("classifier/accuracy", accuracy(z, y))
            return {"clean": cross_entropy(z, y)}
        if config.loss == "trades":
            with torch.no_grad():
                answers = self.classifier(x).softmax(1)
            attacked = self.attack(x, answers, turn, divergence)
        else:
            attacked = self.attack(x, y, turn)
        z, z_attacked = self.classifier(torch.cat([x, attacked])).chunk(2)
        turn.log("classifier/accuracy", accuracy(z, y))
        turn.log("attacker/success", 1 - accuracy(z_attacked, y))
        if config.loss == "trades":
            difference = config.beta * divergence(z_attacked, z.softmax(1))
            return {"clean": cross_entropy(z, y), "difference": difference}
        return {
            "clean": config.clean * cross_entropy(z, y),
            "attacked": (1 - config.clean) * cross_entropy(z_attacked, y),
        }

    def plain_loss(self, turn: Turn) -> Tensor:
        """Be right about digits that nobody moves."""
        x, y = turn.batch
        return cross_entropy(self.plain(x), y)
