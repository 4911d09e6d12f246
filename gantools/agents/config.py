"""What every application with an agent can be told; standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gantools.config import Option, RunConfig


@dataclass(frozen=True, kw_only=True)
class AgentConfig(RunConfig):
    """Options that applications with one agent share; they inherit them and add their own."""

    env: Annotated[
        str, Option("A Gymnasium environment; a bare name takes its newest version.")
    ] = "Hopper"
    steps: Annotated[int, Option("Environment steps to train for.", min=1)] = 1_000_000
    device: Annotated[
        Literal["cpu"], Option("Small networks and physics: a GPU would only slow them down.")
    ] = "cpu"
    algorithm: Annotated[
        Literal["ppo", "trpo", "sac"],
        Option("How the policy learns: a stable-baselines3 algorithm."),
    ] = "ppo"
    environments: Annotated[int, Option("Copies of the environment, stepped together.", min=1)] = 16
    rollout: Annotated[
        int, Option("Steps of each copy in a turn; 0: 128 for ppo and trpo, 4 for sac.", min=0)
    ] = 0
    physics: Annotated[
        Literal["auto", "envpool", "gymnasium"],
        Option("What steps the copies: auto takes envpool where it has the environment."),
    ] = "auto"
    epochs: Annotated[int, Option("Passes over a rollout when ppo learns from it.", min=1)] = 10
    gamma: Annotated[float, Option("Discount of future rewards.", min=0, max=0.9999)] = 0.995
    policy_lr: Annotated[
        float | None,
        Option(
            "The policy's learning rate, which falls linearly to 0 (constant for sac); left out: "
            "3e-4, or 1e-3 with discrete actions.",
            min=0,
        ),
    ] = None
    entropy: Annotated[
        float | None,
        Option(
            "Weight of the policy's entropy in what ppo maximises; left out: 0, or 0.01 with "
            "discrete actions.",
            min=0,
        ),
    ] = None

    episodes: Annotated[int, Option("Unseen episodes to evaluate on.", min=1)] = 20
    log_every: int = 2_000
    checkpoint_every: int = 50_000
    evaluate_every: int = 100_000
