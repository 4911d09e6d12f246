"""The application: its data, how the game is judged, what the report shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import gantools
from gantools import Section, Setting, Trained, UserError
from gantools.data import Batches
from gantools.metrics import energy_distance
from gantools_triangle import Config
from gantools_triangle.game import NOISE, Triangle
from gantools_triangle.modes import found


class Application(gantools.Application[Config]):
    """Learns points in the plane, with generators that share them out among themselves."""

    key_figures = ("discriminator/adversarial", "classifier/accuracy", "generators/adversarial")

    def build(self, setting: Setting) -> tuple[Triangle, Batches]:
        """The game at its start, and this process's share of the data."""
        config = self.config
        self.train, held_out = setting.part("data", config.data)(config.seed)
        self.held_out = held_out[: config.samples]
        if self.train.dim() != 2 or self.train.shape[1] != 2:
            raise UserError(f"triangle learns points in the plane: {config.data!r} has others.")
        size = config.batch * config.generators * setting.world_size
        if size > len(self.train):
            raise UserError(
                f"{config.data!r} has {len(self.train):,} points and a batch would have {size:,}: "
                "take a smaller --batch."
            )
        game = Triangle(
            config,
            objective=setting.part("objectives", config.objective),
            penalties=setting.penalties(config.penalty),
        )
        return game, Batches(self.train, size=size, seed=config.seed, **setting.share)

    def draw(self, game: Triangle) -> Tensor:
        """Points of the averaged generators, [K, n, 2]; the same ones every time."""
        config = self.config
        source = torch.Generator().manual_seed(config.seed)
        each = config.samples // config.generators
        noise = torch.randn(config.generators, each, NOISE, generator=source)
        generators = game.generators.averaged
        with torch.no_grad():
            return generators(noise.to(next(generators.parameters()).device)).cpu()

    def judge(self, points: Tensor) -> dict[str, float]:
        """How near points [N, 2] are to held-out ones, and what they have found of the modes."""
        distance = energy_distance(self.held_out, points)
        return {"energy_distance": distance, **found(points, self.config.data)}

    def validate(self, game: Triangle) -> dict[str, float]:
        """During training: ``score`` chooses the best checkpoint."""
        judged = self.judge(self.draw(game).flatten(0, 1))
        return {**judged, "score": -judged["energy_distance"]}

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """All generators' points beside held-out ones, and whether they are told apart.

        A normal distribution with the data's mean and covariance is the trivial baseline; real
        points that training has seen are the best that can be hoped for.
        """
        config, game = self.config, trained.game
        fakes, real = self.draw(game), self.train[: len(self.held_out)]
        source = torch.Generator().manual_seed(config.seed)
        spread = torch.linalg.cholesky(torch.cov(real.T))
        normal = real.mean(0) + torch.randn(len(real), 2, generator=source) @ spread.T
        return {
            "data": config.data,
            "samples": len(self.held_out),
            **self.judge(fakes.flatten(0, 1)),
            "classifier_accuracy": told_apart(game, fakes).mean().item(),
            "classifier_chance": 1 / config.generators,
            "normal": self.judge(normal),
            "real": self.judge(real),
            "measured_on": "held-out points",
        }

    def report(self, trained: Trained) -> list[Section]:
        """A picture of the points in their generators' colours, and what each generator found."""
        game, data = trained.game, self.config.data
        fakes = self.draw(game)
        columns = [name.replace("_", " ") for name in found(fakes[0], data)]
        rows = [["generator", "told apart", *columns]]
        shares = told_apart(game, fakes).tolist()
        for i, (points, share) in enumerate(zip(fakes, shares, strict=True)):
            rows.append([i + 1, share, *found(points, data).values()])
        path = trained.run.samples / "points.png"
        picture(path, self.held_out, fakes, game)
        said = "Points that training has not seen, and fakes in the colours of their generators. "
        said += "Behind them: whose the classifier takes a point there to be."
        return [Section("Points", rows=rows, media={path: said})]


def whose(game: Triangle, points: Tensor) -> Tensor:
    """Which generator the classifier takes each point for: [..., 2] -> [...]."""
    device = next(game.classifier.parameters()).device
    with torch.no_grad():
        return game.classifier(points.to(device)).argmax(-1).cpu()


def told_apart(game: Triangle, fakes: Tensor) -> Tensor:
    """The share of each generator's points that the classifier names rightly: [K, n, 2] -> [K]."""
    makers = torch.arange(len(fakes)).unsqueeze(1)
    return (whose(game, fakes) == makers).float().mean(1)


def picture(path: Path, held_out: Tensor, fakes: Tensor, game: Triangle) -> None:
    """Draw held-out points [N, 2] and fakes [K, n, 2] beside each other."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    reach = 1.2 * held_out.abs().max().item()
    ticks = torch.linspace(-reach, reach, 200)
    plane = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), 2)  # [200, 200, 2]
    ground = whose(game, plane).numpy()
    colours = colormaps["tab10"]
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    left.scatter(*held_out.T, s=3, alpha=0.4, linewidths=0, color="grey")
    left.set_title("held out")
    extent = (-reach, reach, -reach, reach)
    right.imshow(ground, cmap=colours, vmin=0, vmax=9, alpha=0.12, extent=extent, origin="lower")
    for i, points in enumerate(fakes):
        right.scatter(*points.T, s=3, alpha=0.6, linewidths=0, color=colours(i))
    right.set_title(f"{len(fakes)} generators")
    for ax in (left, right):
        ax.set(aspect="equal", xlim=extent[:2], ylim=extent[2:])
    figure.savefig(path, dpi=110)
