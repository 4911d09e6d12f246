"""A toy application to test observers and parts with: a small GAN of points in the plane.

The light module; give it to a clean manager, ``Plugins({"toy": gantools.testing.toy})``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gantools.application import Spec
from gantools.config import Option, RunConfig
from gantools.hookspecs import hookimpl


@dataclass(frozen=True, kw_only=True)
class ToyConfig(RunConfig):
    """Options of ``gantools run toy``."""

    steps: Annotated[int, Option("How many turns of the game to play.", min=1)] = 200
    lr: Annotated[float, Option("Learning rate of both players.", min=0)] = 1e-3
    objective: Annotated[str, Option("What the players want, by name.", part="objectives")] = (
        "non-saturating"
    )
    penalty: Annotated[
        str, Option("What keeps the discriminator tame, by name.", part="penalties")
    ] = "r1"
    data: Annotated[str, Option("Where the points come from, by name.", part="data")] = "ring"
    metric: Annotated[str, Option("How the samples are judged, by name.", part="metrics")] = (
        "energy"
    )
    pause: Annotated[float, Option("Seconds to sleep in every turn.", min=0)] = 0.0
    poison: Annotated[
        int | None, Option("The turn, from 0, at which the loss becomes NaN.", min=0)
    ] = None
    log_every: Annotated[int, Option("Steps between rows of the metrics table.", min=1)] = 10
    checkpoint_every: Annotated[int, Option("Steps between checkpoints.", min=1)] = 20
    evaluate_every: Annotated[
        int, Option("Steps between the short evaluations during training; 0: none.", min=0)
    ] = 50


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``toy``."""
    return [Spec("toy", "A ring of Gaussians", ToyConfig, "gantools.testing.toy_game:Toy")]
