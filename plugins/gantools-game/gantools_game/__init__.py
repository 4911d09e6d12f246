"""What gantools knows of the small games before they are played. A light module."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from gantools import Option, RunConfig, Spec, hookimpl


@dataclass(frozen=True)
class Recipe:
    """What suits a game, where nothing else is asked for."""

    steps: int
    lr: float
    optimizer: str = "sgd"
    objective: str | None = None
    penalty: str | None = None


POINTS = Recipe(10_000, 1e-3, "adam", "relativistic", "r1:0.02+r2:0.02")
RECIPES = {
    "rock-paper-scissors": Recipe(5_000, 0.5),
    "matching-pennies": Recipe(5_000, 0.5),
    "bilinear": Recipe(2_000, 0.1),
    "dirac-gan": Recipe(2_000, 0.05, objective="minimax", penalty="none"),
    "ring": POINTS,
    "grid": POINTS,
    "gaussians-25": POINTS,
}


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Options of ``gantools run game``; what is left out is what suits the game."""

    game: Annotated[
        Literal[
            "rock-paper-scissors",
            "matching-pennies",
            "bilinear",
            "dirac-gan",
            "ring",
            "grid",
            "gaussians-25",
        ],
        Option("Which game; the last three are points in the plane, learned by networks."),
    ] = "rock-paper-scissors"
    steps: Annotated[
        int, Option("How many turns of the game to play; 0: as many as suit the game.", min=0)
    ] = 0
    optimizer: Annotated[
        Literal["sgd", "adam", "rmsprop"] | None,
        Option("What makes the steps; left out: sgd, or adam for networks."),
    ] = None
    lr: Annotated[float | None, Option("Learning rate of all players.", min=0)] = None
    discriminator_lr: Annotated[
        float | None,
        Option("Learning rate of the player that moves first (two time scales).", min=0),
    ] = None
    beta1: Annotated[float, Option("Adam's decay of the gradient's mean.", min=0, max=0.999)] = 0.0
    beta2: Annotated[float, Option("Adam's decay of its square.", min=0, max=0.9999)] = 0.99
    moves: Annotated[int, Option("Moves a turn of the player that moves first.", min=1)] = 1
    objective: Annotated[
        str | None,
        Option("What both players of a GAN want, by name: gantools parts.", part="objectives"),
    ] = None
    penalty: Annotated[
        str | None,
        Option("What tames the discriminator: r1:0.1, r1:0.1+r2:0.1, none.", part="penalties"),
    ] = None
    constraint: Annotated[
        str,
        Option("On the discriminator's weights: spectral-norm, weight-clip.", part="constraints"),
    ] = "none"
    augment: Annotated[
        str,
        Option("Of what the discriminator sees: instance-noise:0.1.", part="augmentations"),
    ] = "none"
    batch: Annotated[int, Option("Points in a batch of all processes.", min=1, max=8_192)] = 256
    width: Annotated[int, Option("Units of the networks' hidden layers.", min=1)] = 128
    depth: Annotated[int, Option("Hidden layers of the networks.", min=1)] = 3
    codes: Annotated[int, Option("Numbers that a point is made from.", min=1)] = 2
    ema: Annotated[
        float, Option("Decay of the generator's moving average; 0: none.", min=0, max=0.99999)
    ] = 0.999
    anneal: Annotated[bool, Option("Let the networks' learning rates fall to 0 linearly.")] = True
    samples: Annotated[int, Option("Points to judge by.", min=100)] = 10_000
    log_every: int = 20
    checkpoint_every: int = 2_000
    evaluate_every: int = 2_000

    def resolved(self) -> Config:
        """What was left out as it suits the game."""
        recipe = RECIPES[self.game]
        return replace(self, steps=self.steps or recipe.steps).filled(**vars(recipe))


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``game``."""
    return [
        Spec(
            name="game",
            summary="Small games with known answers: where solvers and penalties show what they do",
            config=Config,
            implementation="gantools_game.application:Application",
        )
    ]
