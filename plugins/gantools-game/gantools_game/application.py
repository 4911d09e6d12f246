"""The application: makes the game that was asked for, judges it, and draws it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import gantools
from gantools import GAN, Game, Player, Section, Setting, Trained, UserError
from gantools.data import Batches
from gantools.data.gaussians import MIXTURES
from gantools.metrics import energy_distance, mode_statistics
from gantools.nn import Constraint, mlp
from gantools.schedules import linear
from gantools_game import POINTS, RECIPES, Config, pictures
from gantools_game.vectors import (
    Bilinear,
    DiracGAN,
    MatchingPennies,
    RockPaperScissors,
    distance,
)

OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}


VECTORS = {
    "rock-paper-scissors": RockPaperScissors,
    "matching-pennies": MatchingPennies,
    "bilinear": Bilinear,
}


class Application(gantools.Application[Config]):
    """Plays a small game and says how far from its equilibrium it ended."""

    constraint: Constraint | None = None
    """On the weights of the player that moves first."""

    @property
    def of_points(self) -> bool:
        """Whether networks learn points in the plane, so that there is no place to be far from."""
        return RECIPES[self.config.game] is POINTS

    def build(self, setting: Setting) -> tuple[Game, Batches | None]:
        """The game at its start; data where points are learned."""
        config = self.config
        if config.game in VECTORS:
            wrong = [
                name
                for name in ("objective", "penalty", "constraint", "augment")
                if getattr(config, name) not in (None, "none")
            ]
            if wrong:
                raise UserError(
                    f"{config.game} has a payoff of its own and no use for --{wrong[0]}: leave it "
                    "out, or take --game dirac-gan."
                )
            self.key_figures = ("first/loss", "x/loss")
            return VECTORS[config.game](self.first, self.other), None
        self.key_figures = ("discriminator/separation", "generator/loss")
        wishes: dict[str, Any] = {
            "objective": config.objective,
            "penalties": config.penalty,
            "augment": config.augment,
            "setting": setting,
        }
        self.constraint = setting.part("constraints", config.constraint)
        if config.game == "dirac-gan":
            game = DiracGAN(self.first, self.other, **wishes)
            return game, Batches(game.data, size=len(game.data), seed=config.seed, **setting.share)
        self.train, self.held_out = setting.part("data", config.game)(config.seed)
        generator = self.other(mlp(config.codes, 2, config.width, config.depth), ema=True)
        discriminator = self.first(mlp(2, 1, config.width, config.depth))
        game = GAN(generator, discriminator, codes=config.codes, **wishes)
        return game, Batches(self.train, size=config.batch, seed=config.seed, **setting.share)

    # -- players -----------------------------------------------------------------------------

    def first(self, module: nn.Module) -> Player:
        """The player that moves first, such as the discriminator."""
        config = self.config
        return self._player(
            module, config.discriminator_lr, moves=config.moves, constraint=self.constraint
        )

    def other(self, module: nn.Module, ema: bool = False) -> Player:
        """Any other player."""
        return self._player(module, None, ema=(self.config.ema or None) if ema else None)

    def _player(self, module: nn.Module, lr: float | None, **more: Any) -> Player:
        config = self.config
        options: dict[str, Any] = {"lr": lr or config.lr, **more}
        if config.optimizer == "adam":
            options["betas"] = (config.beta1, config.beta2)
        if self.of_points and config.anneal:
            options["schedule"] = linear
        return Player(module, optimizer=OPTIMIZERS[config.optimizer], **options)

    # -- how it is judged ---------------------------------------------------------------------

    def draw(self, game: GAN) -> Tensor:
        """Points of the averaged generator, [N, 2]; the same ones every time."""
        source = torch.Generator().manual_seed(self.config.seed + 1)
        codes = torch.randn(self.config.samples, self.config.codes, generator=source)
        module = game.generator.averaged
        with torch.no_grad():
            return module(codes.to(next(module.parameters()).device)).cpu()

    def found(self, points: Tensor) -> dict[str, float]:
        """What points have found of the mixture's modes."""
        mixture = MIXTURES[self.config.game]
        return mode_statistics(points, mixture.centres, mixture.std)

    def validate(self, game: Game) -> dict[str, float]:
        """Distance from the equilibrium, or what was found of the modes; ``score`` is for best."""
        if not self.of_points:
            return {"distance": game.distance(), "score": -game.distance()}
        found = self.found(self.draw(game))
        return {**found, "score": found["high_quality"] - found["kl"]}

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """Of a game of vectors: how far it ended from its equilibrium, and how far the average of
        its path is. Of points: what was found of the modes, beside real points that training has
        not seen and a normal distribution of their mean and covariance."""
        config, game = self.config, trained.game
        about = {"game": config.game, "solver": config.solver}
        if not self.of_points:
            path = self.path(trained)
            means = {name: torch.tensor(p).mean(0).tolist() for name, p in path.items() if p}
            return {
                **about,
                "distance": game.distance(),
                "distance_of_the_path's_average": distance(means, game.equilibrium)
                if len(means) == len(game.equilibrium)
                else None,
                "players": game.place(),
                "equilibrium": game.equilibrium,
                "measured_on": "the players' own numbers; the equilibrium is known",
            }
        mixture, source = MIXTURES[config.game], torch.Generator().manual_seed(config.seed + 2)
        real = mixture.draw(config.samples, source)
        fakes, some = self.draw(game), min(2_048, config.samples)
        spread = torch.linalg.cholesky(torch.cov(real.T))
        normal = real.mean(0) + torch.randn(config.samples, 2, generator=source) @ spread.T
        return {
            **about,
            **self.found(fakes),
            "samples": config.samples,
            "energy_distance": energy_distance(self.held_out[:some], fakes[:some]),
            "energy_distance_of_real": energy_distance(self.held_out[:some], real[:some]),
            "real": self.found(real),
            "normal": self.found(normal),
            "measured_on": "fresh samples of the averaged generator",
        }

    def path(self, trained: Trained) -> dict[str, list[list[float]]]:
        """Where every player was, row by row of the metrics table."""
        rows = trained.run.metrics
        return {
            name: [
                [row[f"{name}/{axis}"] for axis in range(len(values))]
                for row in rows
                if f"{name}/0" in row
            ]
            for name, values in trained.game.equilibrium.items()
        }

    def report(self, trained: Trained) -> list[Section]:
        """The path of the players, or the points."""
        path: Path = trained.run.samples / f"{self.config.game}.png"
        if not self.of_points:
            said = pictures.path(path, trained.game, self.path(trained))
            return [Section("The path", media={path: said})]
        said = pictures.points(path, self.held_out, self.draw(trained.game), trained.game)
        return [Section("Points", media={path: said})]
