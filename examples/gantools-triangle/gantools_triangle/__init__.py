"""What gantools knows of triangle before it is used. A light module: it imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gantools import Option, RunConfig, Spec, hookimpl


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    """Options of ``gantools run triangle``."""

    steps: int = 3_000
    data: Annotated[str, Option("Where the points come from, by name.", part="data")] = "grid"
    generators: Annotated[int, Option("How many generators.", min=1, max=10)] = 4
    diversity: Annotated[
        float, Option("Weight of being told apart in the generators' loss; 0: none.", min=0)
    ] = 0.1
    objective: Annotated[
        str, Option("What discriminator and generators want, by name.", part="objectives")
    ] = "non-saturating"
    penalty: Annotated[
        str,
        Option("What keeps the discriminator tame: r1:0.1, r1:0.1+r2:0.1, none.", part="penalties"),
    ] = "r1:0.1"
    lr: Annotated[float, Option("Learning rate of all players.", min=0)] = 1e-3
    batch: Annotated[
        int, Option("Points of each generator in a batch of a process.", min=1, max=512)
    ] = 64
    samples: Annotated[int, Option("Points to judge by.", min=20, max=2_048)] = 2_048
    evaluate_every: int = 500


@hookimpl
def register_applications() -> list[Spec]:
    """Register the application; its heavy code is named by a string and imported when it is run."""
    return [
        Spec(
            name="triangle",
            summary="Generators learn points in the plane, each its own part of them",
            config=Config,
            implementation="gantools_triangle.application:Application",
        )
    ]
