"""How a classifier is judged: its accuracy under attack, and whether to believe it.

A classifier can look robust because the attack's gradient leads nowhere (Athalye et al. 2018). The
checks are those of Carlini et al. 2019, "On evaluating adversarial robustness", section 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from gantools.losses.attacks import Loss, Model, fgsm, margin, pgd

STEPS = 40
"""Steps of the attack in the evaluation; in training it has a few."""

Attack = Callable[[Tensor, Tensor], Tensor]
"""Digits [B, 1, 28, 28] and what they are [B] -> digits moved."""


@torch.no_grad()
def withstood(model: Model, x: Tensor, y: Tensor, attacks: Iterable[Attack]) -> Tensor:
    """Which digits are rightly named as they are and after each of the attacks: bool [N].

    An attack is only tried on digits that those before it have left.
    """
    right = model(x).argmax(1) == y
    for attack in attacks:
        rows = right.nonzero().squeeze(1)
        if len(rows) > 0:
            right[rows] = model(attack(x[rows], y[rows])).argmax(1) == y[rows]
    return right


@dataclass(frozen=True)
class Judge:
    """Held-out digits, and the attacks that a classifier has to withstand on them.

    Attributes:
        x: digits [N, 1, 28, 28] in [0, 1].
        y: what they are, [N].
        epsilon: how far the attacker may move each pixel.
        restarts: random starts of the strongest attack.
        seed: of all that is drawn.
    """

    x: Tensor
    y: Tensor
    epsilon: float
    restarts: int
    seed: int

    def pgd(
        self,
        model: Model,
        epsilon: float | None = None,
        *,
        restart: int = 0,
        steps: int = STEPS,
        loss: Loss = cross_entropy,
    ) -> Attack:
        """PGD whose steps add up to 2.5 ε, from the random start of that number."""
        epsilon = self.epsilon if epsilon is None else epsilon

        def attack(x: Tensor, y: Tensor) -> Tensor:
            source = torch.Generator(x.device).manual_seed(self.seed * 1_000 + restart)
            step = 2.5 * epsilon / steps
            return pgd(model, x, y, epsilon, step, steps, loss=loss, generator=source)

        return attack

    def accuracy(self, model: Model, *attacks: Attack) -> float:
        """The share of digits that are rightly named whichever of the attacks is chosen."""
        return withstood(model, self.x, self.y, attacks).double().mean().item()

    def accuracies(self, model: Model) -> dict[str, float]:
        """Accuracy on digits as they are, with noise on them, and under the attacks.

        The noise moves every pixel by ε, up or down by chance. ``pgd_accuracy`` is under the
        worst of all restarts, and of one more attack whose loss is the margin between logits.
        """
        source = torch.Generator(self.x.device).manual_seed(self.seed)
        signs = torch.empty_like(self.x).uniform_(-1, 1, generator=source).sign()
        noisy = (self.x + self.epsilon * signs).clamp(0, 1)
        starts = [self.pgd(model, restart=restart) for restart in range(self.restarts)]
        return {
            "clean_accuracy": self.accuracy(model),
            "noise_accuracy": (named(model, noisy) == self.y).double().mean().item(),
            "fgsm_accuracy": self.accuracy(model, lambda x, y: fgsm(model, x, y, self.epsilon)),
            "pgd_accuracy": self.accuracy(model, *starts, self.pgd(model, loss=margin)),
        }

    def curve(self, model: Model) -> dict[str, float]:
        """Accuracy under one run of PGD, of 20 steps, by ε from 0 to twice what training had."""
        found = {"0": self.accuracy(model)}
        for share in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0):
            epsilon = share * self.epsilon
            found[f"{epsilon:g}"] = self.accuracy(model, self.pgd(model, epsilon, steps=20))
        return found

    def checks(self, model: Model, other: Model) -> dict[str, Any]:
        """What must hold if the accuracy under attack is to be believed.

        Returns:
            ``boundless_accuracy``, under PGD with ε = 1, which can turn any digit into any
            other: none may be left. ``loss_by_steps``, the mean loss after PGD of so many steps: it
            may not fall. ``one_start_accuracy``, under PGD from one random start: not above that
            under FGSM. ``transfer_accuracy``, under what PGD finds against ``other``, a
            classifier trained by itself: not below that under PGD against the model itself.
        """
        losses = {}
        for steps in (0, 1, 5, 10, 20, STEPS):
            attacked = self.pgd(model, steps=max(steps, 1))(self.x, self.y) if steps else self.x
            with torch.no_grad():
                losses[str(steps)] = cross_entropy(model(attacked), self.y).item()
        return {
            "boundless_accuracy": self.accuracy(model, self.pgd(model, 1.0)),
            "loss_by_steps": losses,
            "one_start_accuracy": self.accuracy(model, self.pgd(model)),
            "transfer_accuracy": self.accuracy(model, self.pgd(other)),
        }


@torch.no_grad()
def named(model: Model, x: Tensor) -> Tensor:
    """What the model says that digits [N, 1, 28, 28] are: [N]."""
    return model(x).argmax(1)
