"""What applications with one agent share: making it, judging it, what people take away."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from stable_baselines3.common.utils import LinearSchedule

from gantools.agents.config import AgentConfig
from gantools.agents.evaluation import Episodes, evaluate
from gantools.agents.film import record
from gantools.agents.sb3 import OffPolicyAgent, OnPolicyAgent, SB3Agent
from gantools.agents.worlds import World, discrete_actions, resolve
from gantools.application import Application, Section, Trained
from gantools.engine import Game
from gantools.errors import UserError

C = TypeVar("C", bound=AgentConfig)


class AgentApplication(Application[C]):
    """An application whose game has one agent, called ``policy``, in a Gymnasium environment.

    A subclass builds the game around what :meth:`agent` makes, and adds to the figures and
    sections that are given here.

    Attributes:
        env_id: the environment's full registered id.
        rollout: steps of each copy in a turn.
    """

    only: ClassVar[Mapping[str, tuple[str, ...]]] = {"epochs": ("ppo",), "entropy": ("ppo",)}
    """Options that some algorithms have no use for, and those that have."""

    def __init__(self, config: C, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        if config.devices > 1:
            raise UserError("An agent acts and learns in one process: leave --devices at 1.")
        for name, algorithms in self.only.items():
            used = config.algorithm in algorithms
            if not used and getattr(config, name) != getattr(type(config), name):
                raise UserError(
                    f"--{name.replace('_', '-')} is for {' and '.join(algorithms)}: "
                    f"{config.algorithm} has no use for it."
                )
        self.env_id = resolve(config.env)
        self.rollout = config.rollout or (4 if config.algorithm == "sac" else 128)

    @property
    def steps_per_turn(self) -> int:
        """Environment steps in a turn, over all copies."""
        return self.config.environments * self.rollout

    def agent(self, *, normalize_observations: bool = False) -> SB3Agent:
        """Make the agent that the configuration asks for, in a world of its own.

        Args:
            normalize_observations: whether a ppo or trpo policy normalises what it sees.
        """
        config = self.config
        world = World(self.env_id, config.environments, physics=config.physics, seed=config.seed)
        discrete = discrete_actions(world.action_space) is not None
        learning_rate = config.policy_lr
        if learning_rate is None:
            learning_rate = 1e-3 if discrete else 3e-4
        if config.algorithm == "sac":
            return OffPolicyAgent(
                world,
                seed=config.seed,
                train_freq=self.rollout,
                gradient_steps=self.steps_per_turn,  # one for each environment step
                gamma=config.gamma,
                learning_rate=learning_rate,
            )
        options: dict[str, Any] = {}
        if config.algorithm == "ppo":
            entropy = config.entropy if config.entropy is not None else 0.01 * discrete
            options = {"n_epochs": config.epochs, "ent_coef": entropy}
        return OnPolicyAgent(
            world,
            config.algorithm,
            seed=config.seed,
            normalize_observations=normalize_observations,
            n_steps=self.rollout,
            gamma=config.gamma,
            learning_rate=LinearSchedule(learning_rate, 0.0, 1.0),
            **options,
        )

    # -- judging -------------------------------------------------------------------------------

    def validate(self, game: Game) -> Mapping[str, float]:
        """The true return of three unseen episodes, deterministic, in plain ``gym.make``."""
        played = evaluate(game.policy.model, self.env_id, 3, seed=self.config.seed + 1)
        mean = statistics.fmean(played.returns)
        return {"return": mean, "length": statistics.fmean(played.lengths), "score": mean}

    def played(self, trained: Trained) -> Episodes:
        """Unseen episodes of the trained policy, deterministic, in plain ``gym.make``."""
        return evaluate(
            trained.game.policy.model, self.env_id, self.config.episodes, seed=self.config.seed
        )

    def played_at_random(self) -> Episodes:
        """The same episodes with uniformly random actions: the baseline of chance."""
        world = World(self.env_id, 1, physics="gymnasium", seed=self.config.seed)
        space = world.action_space
        space.seed(self.config.seed)
        return evaluate(
            lambda obs: space.sample(), self.env_id, self.config.episodes, seed=self.config.seed
        )

    def figures(self, trained: Trained, played: Episodes) -> dict[str, Any]:
        """What every evaluation says of the episodes, of the training, and of how it was judged."""
        steps = trained.game.policy.steps
        return {
            "env": self.env_id,
            "episodes": len(played.returns),
            "return_mean": statistics.fmean(played.returns),
            "return_std": statistics.pstdev(played.returns),
            "return_min": min(played.returns),
            "length_mean": statistics.fmean(played.lengths),
            "env_steps": steps,
            "env_steps_per_second": steps / trained.seconds if trained.seconds else None,
            "evaluation_seeds": f"{played.seeds[0]} to {played.seeds[-1]}",
            "measured_on": "unseen seeds, plain gym.make, deterministic policy, true reward",
        }

    # -- what people take away ---------------------------------------------------------------

    def export(self, trained: Trained) -> None:
        """Write the policy so that stable-baselines3 opens it by itself."""
        trained.game.policy.save(trained.run.path / "policy.zip")

    def report(self, trained: Trained) -> list[Section]:
        """A film of an episode, and how the policy is used elsewhere."""
        algorithm = self.config.algorithm.upper()
        package = "sb3_contrib" if algorithm == "TRPO" else "stable_baselines3"
        use = f"from {package} import {algorithm}; {algorithm}.load('policy.zip')"
        path = trained.run.samples / "episode.mp4"
        try:
            record(trained.game.policy.model, self.env_id, path, seed=self.config.seed)
            shown = Section("An episode", media={path: "One unseen episode, deterministic policy."})
        except UserError as error:
            shown = Section("An episode", text=f"No film: {error}")
        return [shown, Section("The policy", text=f"Without gantools: {use}")]
