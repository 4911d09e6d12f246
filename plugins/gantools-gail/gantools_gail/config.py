"""What GAIL can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gantools import Option, RunConfig


@dataclass(frozen=True, kw_only=True)
class GAILConfig(RunConfig):
    """Options of ``gantools run gail``."""

    env: Annotated[
        str, Option("A Gymnasium environment; a bare name takes its newest version.")
    ] = "Hopper"
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

    episodes: Annotated[int, Option("Unseen episodes to evaluate on.", min=1)] = 20
    log_every: Annotated[int, Option("Steps between rows of the metrics table.", min=1)] = 2_000
    checkpoint_every: Annotated[int, Option("Steps between checkpoints.", min=1)] = 50_000
    evaluate_every: Annotated[
        int, Option("Steps between the short evaluations during training; 0: none.", min=0)
    ] = 100_000
