"""Pictures: the path that a game took through its players' numbers, and points in the plane."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from gantools import GAN, Game

TURNS = "viridis"
"""Colours of a path: dark at the beginning, bright at the end."""


def path(file: Path, game: Game, places: dict[str, list[list[float]]]) -> str:
    """Draw where the players went; return what the picture shows."""
    sizes = {len(values) for values in game.equilibrium.values()}
    if sizes == {3}:
        return _simplex(file, places, game.equilibrium)
    if len(game.equilibrium) == 2:
        return _plane(file, game, places)
    return _lines(file, places, game.equilibrium)


def _simplex(
    file: Path, places: dict[str, list[list[float]]], equilibrium: dict[str, list[float]]
) -> str:
    """Two players' chances of three choices, each in a triangle."""
    corners = torch.tensor([[0.0, 0], [1, 0], [0.5, math.sqrt(3) / 2]])
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    for ax, (name, chances) in zip(figure.subplots(1, len(places)), places.items(), strict=True):
        ax.plot(*corners[[0, 1, 2, 0]].T, color="grey", lw=1)
        for corner, word in zip(corners, ("rock", "paper", "scissors"), strict=True):
            below = corner[1] < 0.1
            ax.annotate(
                word,
                corner.tolist(),
                xytext=(0, -12 if below else 5),
                textcoords="offset points",
                ha="center",
            )
        if chances:
            _trace(ax, torch.tensor(chances) @ corners)
        ax.plot(*(torch.tensor(equilibrium[name]) @ corners), "+", color="red", ms=12)
        ax.set(title=f"the {name} player", aspect="equal", xticks=[], yticks=[])
        ax.margins(0.1)
        ax.axis("off")
    figure.savefig(file, dpi=110)
    return (
        "The players' mixtures, from dark (the beginning) to bright; the red cross is the answer."
    )


def _plane(file: Path, game: Game, places: dict[str, list[list[float]]]) -> str:
    """The path of two numbers."""
    (x, across), (y, up) = places.items()
    figure = Figure(figsize=(5.4, 5.4), layout="constrained")
    ax = figure.subplots()
    if across:
        points = torch.tensor([a + b for a, b in zip(across, up, strict=True)])
        _trace(ax, points)
        reach = max(1.1, 1.1 * points[points.isfinite().all(1)].abs().max().item())
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
    ax.plot(0, 0, "+", color="red", ms=12)
    ax.set(xlabel=x, ylabel=y, aspect="equal")
    figure.savefig(file, dpi=110)
    return "The players' numbers, from dark (the beginning) to bright; the red cross is the answer."


def _lines(
    file: Path, places: dict[str, list[list[float]]], equilibrium: dict[str, list[float]]
) -> str:
    """Each player's number over the game."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    ax = figure.subplots()
    for name, values in places.items():
        ax.plot([value[0] for value in values], label=name, lw=1.2)
    ax.axhline(next(iter(equilibrium.values()))[0], color="red", lw=0.8)
    ax.set(xlabel="rows of the metrics table", ylabel="chance of heads", ylim=(0, 1))
    ax.legend(frameon=False, ncols=3)
    figure.savefig(file, dpi=110)
    return "The players' chances over the game; the red line is the equilibrium."


def _trace(ax: Axes, points: Tensor) -> None:
    """A path [T, 2] whose colour tells the time; its line only where the points are that close."""
    size = (points.max(0).values - points.min(0).values).norm()
    steps = points.diff(dim=0).norm(dim=1)
    if len(steps) and steps.median() < 0.1 * size:
        ax.plot(*points.T, color="lightgrey", lw=0.8, zorder=1)
    ax.scatter(*points.T, c=range(len(points)), cmap=TURNS, s=10, zorder=2)


def points(file: Path, held_out: Tensor, fakes: Tensor, game: GAN) -> str:
    """Draw real points [N, 2] and fakes [M, 2] beside each other; return what it shows."""
    reach = 1.2 * held_out.abs().max().item()
    ticks = torch.linspace(-reach, reach, 150)
    plane = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), 2)
    critic = game.discriminator.module
    with torch.no_grad():
        device = next(critic.parameters()).device
        ground = critic(plane.view(-1, 2).to(device)).view(150, 150).cpu()
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    extent = (-reach, reach, -reach, reach)
    left.scatter(*held_out.T, s=2, alpha=0.5, linewidths=0, color="black")
    left.set_title("held out")
    right.imshow(ground, cmap="coolwarm", alpha=0.35, extent=extent, origin="lower")
    right.scatter(*fakes[: len(held_out)].T, s=2, alpha=0.5, linewidths=0, color="black")
    right.set_title("the generator's")
    for ax in (left, right):
        ax.set(aspect="equal", xlim=extent[:2], ylim=extent[2:])
    figure.savefig(file, dpi=110)
    return (
        "Points that training has not seen, and as many of the generator's; behind them the "
        "discriminator's scores, from blue (fake) to red (real)."
    )
