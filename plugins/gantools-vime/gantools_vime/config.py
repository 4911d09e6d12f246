"""What VIME can be told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Literal

from gantools import Option
from gantools.agents import AgentConfig


@dataclass(frozen=True, kw_only=True)
class VIMEConfig(AgentConfig):
    """Options of ``gantools run vime``."""

    env: Annotated[
        str,
        Option(
            "A Gymnasium environment; a bare name takes its newest version. Sparse tasks: "
            "SparseMountainCar, SparseCartPoleSwingup, SparseHalfCheetah, SwimmerGather."
        ),
    ] = "SparseMountainCar"
    steps: int = 100_000
    algorithm: Annotated[
        Literal["ppo", "trpo"], Option("How the policy learns: a stable-baselines3 algorithm.")
    ] = "ppo"
    rollout: Annotated[int, Option("Steps of each copy in a turn; 0: 128.", min=0)] = 0
    policy_lr: Annotated[
        float | None,
        Option(
            "The policy's learning rate, which falls linearly to 0; left out: 3e-4, or 1e-3 with "
            "discrete actions.",
            min=0,
        ),
    ] = None
    normalize: Annotated[
        bool, Option("Normalise the policy's observations by their running mean and variance.")
    ] = True

    bonus: Annotated[
        str,
        Option(
            "What pays for exploring: vime, l2, rnd, disagreement or none, with values: "
            "vime:width=64",
            part="bonuses",
        ),
    ] = "vime"
    eta: Annotated[
        float, Option("η: what an ordinary transition's surprise is worth in reward.", min=0)
    ] = 1e-3
    cap: Annotated[
        float,
        Option(
            "No transition's surprise is worth more than this many times η; inf: no cap.",
            min=0,
            max=math.inf,
        ),
    ] = 10.0
    model_lr: Annotated[float, Option("The model's learning rate.", min=0)] = 1e-3
    model_moves: Annotated[int, Option("The model's moves in a turn.", min=1)] = 64
    model_batch: Annotated[int, Option("Transitions of the pool in one of its moves.", min=1)] = 256
    pool: Annotated[
        int, Option("Transitions that the pool keeps for the model, the newest.", min=1)
    ] = 1_000_000
    pool_ready: Annotated[
        int, Option("Transitions in the pool from which on the model learns.", min=1)
    ] = 1_000

    drawn: Annotated[
        str, Option("The two features of observations, from 0, on the report's map.")
    ] = "0,1"
    checkpoint_every: int = 25_000
    evaluate_every: int = 25_000
