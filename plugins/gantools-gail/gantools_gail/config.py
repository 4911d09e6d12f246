"""What GAIL can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gantools import Option
from gantools.agents import AgentConfig


@dataclass(frozen=True, kw_only=True)
class GAILConfig(AgentConfig):
    """Options of ``gantools run gail``."""

    demos: Annotated[
        str | None,
        Option(
            "Demonstrations: .npz, .hdf5, minari:NAME or an SB3 .zip; built in for Acrobot, "
            "CartPole, HalfCheetah, Hopper, MountainCar, Pendulum and Walker2d."
        ),
    ] = None
    trajectories: Annotated[int, Option("How many of their episodes to use.", min=1)] = 4
    pairs: Annotated[
        int, Option("At most how many (observation, action) pairs of each episode to use.", min=1)
    ] = 50
    normalize: Annotated[
        bool, Option("Normalise the policy's observations by the demonstrations' statistics.")
    ] = True
    clone_steps: Annotated[
        int, Option("Steps of behaviour cloning before the game begins; 0: none.", min=0)
    ] = 400

    reward: Annotated[
        Literal["-log(1-D)", "log(D)", "airl"],
        Option("What a transition is worth to the policy: -log(1-D), log(D), or D's logit (airl)."),
    ] = "-log(1-D)"
    reward_scale: Annotated[float, Option("The reward is multiplied by this.", min=0)] = 0.1
    absorbing: Annotated[
        bool, Option("Score the state after an episode's end too, so that ending has no bias.")
    ] = True
    constraint: Annotated[
        Literal["gradient-penalty", "spectral-norm", "bottleneck", "none"],
        Option("What keeps the discriminator tame; bottleneck is VAIL."),
    ] = "gradient-penalty"
    penalty: Annotated[float, Option("Weight of the gradient penalty.", min=0)] = 1.0
    information: Annotated[
        float, Option("What the bottleneck lets through, I_c, in nats.", min=0)
    ] = 0.5
    discriminator_lr: Annotated[
        float | None,
        Option(
            "The discriminator's learning rate; left out: 3e-4, or 3e-3 with discrete actions.",
            min=0,
        ),
    ] = None
    discriminator_moves: Annotated[int, Option("Its moves in a turn.", min=1)] = 20
    batch: Annotated[int, Option("Pairs of each side in one of its moves.", min=1)] = 256
    control: Annotated[
        Literal["none", "constant-reward", "shuffled-expert"],
        Option(
            "Train a control instead: a reward of 1 and no expert, or the expert's actions "
            "shuffled among its observations."
        ),
    ] = "none"
