"""The light module of the tests' own application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from gantools import Option, RunConfig, Spec, hookimpl


@dataclass(frozen=True, kw_only=True)
class ToyConfig(RunConfig):
    """Options of ``gantools run toy``."""

    steps: Annotated[int, Option("Turns.", min=1)] = 200
    lr: Annotated[float, Option("Learning rate of both players.", min=0)] = 1e-3
    pause: Annotated[float, Option("Seconds to sleep in every turn.", min=0)] = 0.0
    poison: Annotated[int | None, Option("Turn at which the loss becomes NaN.", min=0)] = None
    log_every: Annotated[int, Option("Steps between rows.", min=1)] = 10
    checkpoint_every: Annotated[int, Option("Steps between checkpoints.", min=1)] = 20
    evaluate_every: Annotated[int, Option("Steps between evaluations.", min=0)] = 50


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``toy``."""
    return [Spec("toy", "A ring of Gaussians", ToyConfig, "gantools_toy_game:Toy")]


@hookimpl
def evaluated(results) -> None:
    """Fail, to show that a run survives it."""
    raise RuntimeError("an observer that fails")
