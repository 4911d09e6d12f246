"""Pictures: where an agent has been, and what an episode was worth step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

TIMES = ("the first third", "the second third", "the last third")
BINS = 60


def visited(file: Path, states: Tensor, names: Sequence[int]) -> str:
    """Draw how often each part of a plane was visited, in three thirds of the training.

    Args:
        file: the picture.
        states: [N, 2], in the order in which they were seen.
        names: the numbers of the two features.

    Returns:
        What the picture shows.
    """
    bounds = [[x.min().item(), x.max().item()] for x in states.T]
    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    axes = figure.subplots(1, 3, sharex=True, sharey=True)
    norm = LogNorm(1, max(2, len(states) // 100))
    shares = []
    for ax, time, part in zip(axes, TIMES, states.tensor_split(3), strict=True):
        counts, *_, image = ax.hist2d(
            *part.T.tolist(), bins=BINS, range=bounds, norm=norm, cmap="viridis", cmin=1
        )
        shares.append((counts > 0).mean())  # NaN where there are none
        ax.set(title=time, xlabel=f"feature {names[0]}")
    axes[0].set_ylabel(f"feature {names[1]}")
    figure.colorbar(image, ax=axes, label="steps")
    figure.savefig(file, dpi=110)
    said = ", ".join(f"{share:.0%}" for share in shares)
    return (
        f"How many of the training's last {len(states):,} steps were where; white: none. Of "
        f"{BINS} × {BINS} cells were visited: {said}."
    )


def along(file: Path, bonuses: Sequence[float], rewards: Sequence[float]) -> str:
    """Draw each step's bonus, and mark the steps that the task rewards; return what it shows."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    ax = figure.subplots()
    ax.plot(bonuses, lw=1, label="bonus")
    paid = [step for step, reward in enumerate(rewards) if reward > 0]
    if paid:
        ax.plot(paid, [bonuses[step] for step in paid], "o", ms=3, label="rewarded by the task")
    ax.set(xlabel="step", ylabel="η · surprise / median")
    ax.legend()
    figure.savefig(file, dpi=110)
    return "What the steps of one unseen episode would be worth beside the task's reward."
