"""The pictures of the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from gantools_robust.evaluation import Judge, named
from gantools_robust.game import Duel


def draw_digits(path: Path, judge: Judge, game: Duel) -> None:
    """A digit of each class as it is, and as PGD leaves it against either classifier.

    Above each stands what ``plain`` says of it, below what ``classifier`` says.
    """
    shown = torch.tensor([int((judge.y == digit).nonzero()[0]) for digit in judge.y.unique()])
    x, y = judge.x[shown], judge.y[shown]
    plain, classifier = game.plain.averaged, game.classifier.averaged
    rows = {
        "as they are": x,
        "against\nplain": judge.pgd(plain)(x, y),
        "against\nclassifier": judge.pgd(classifier)(x, y),
    }
    figure = Figure(figsize=(1.2 * len(y) + 0.8, 5), layout="constrained")
    axes = figure.subplots(len(rows), len(y), squeeze=False)
    for row, (title, images) in zip(axes, rows.items(), strict=True):
        row[0].set_ylabel(title, rotation=0, ha="right", va="center")
        above, below = named(plain, images).tolist(), named(classifier, images).tolist()
        for i, truth in enumerate(y.tolist()):
            row[i].imshow(images[i, 0].numpy(), cmap="gray_r", vmin=0, vmax=1)
            row[i].set_title(above[i], color=_colour(above[i] == truth), fontsize=10)
            row[i].set_xlabel(below[i], color=_colour(below[i] == truth))
            row[i].set(xticks=[], yticks=[])
    figure.savefig(path, dpi=110)


def _colour(right: bool) -> str:
    return "black" if right else "red"


def draw_curves(path: Path, found: Mapping[str, Any], epsilon: float) -> None:
    """Accuracy under PGD by ε, of both classifiers; ``found`` is the evaluation."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    ax = figure.subplots()
    for title, name in (("classifier", "by_epsilon"), ("plain", "plain_by_epsilon")):
        ax.plot(
            [float(x) for x in found[name]], list(found[name].values()), marker="o", label=title
        )
    ax.axvline(epsilon, color="grey", linestyle=":", label="in training")
    ax.axhline(0.1, color="grey", linewidth=0.5, label="chance")
    ax.set(xlabel="ε", ylabel="accuracy under PGD", ylim=(0, 1))
    ax.legend()
    figure.savefig(path, dpi=110)
