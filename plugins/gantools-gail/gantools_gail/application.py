"""GAIL as an application: demonstrations, the game, evaluation beside its baselines, the report."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from gymnasium.spaces import Discrete
from stable_baselines3.common.utils import LinearSchedule
from torch import Tensor

from gantools import Application, Section, Setting, Trained, UserError
from gantools.agents import (
    OffPolicyAgent,
    OnPolicyAgent,
    SB3Agent,
    World,
    behaviour_clone,
    evaluate,
    load_demonstrations,
    record,
    resolve,
)
from gantools_gail.config import GAILConfig
from gantools_gail.discriminator import Discriminator
from gantools_gail.game import Expert, ImitationGame

DEMONSTRATIONS = "demonstrations.npz"
BUILT_IN = resources.files("gantools_gail") / "demonstrations"


_ONLY = {
    "epochs": ("ppo",),
    "entropy": ("ppo",),
    "normalize": ("ppo", "trpo"),
    "clone_steps": ("ppo", "trpo"),
}
"""Options that some algorithms have no use for."""


class GAIL(Application[GAILConfig]):
    """Learns to act as an expert does from a few of its (observation, action) pairs."""

    key_figures = ("policy/episode_return", "discriminator/expert", "discriminator/policy")

    def __init__(self, config: GAILConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        if config.devices > 1:
            raise UserError("gail trains in one process: leave --devices at 1.")
        for name, algorithms in _ONLY.items():
            used = config.algorithm in algorithms
            if not used and getattr(config, name) != getattr(GAILConfig, name):
                raise UserError(
                    f"--{name.replace('_', '-')} is for {' and '.join(algorithms)}: "
                    f"{config.algorithm} has no use for it."
                )
        self.env_id = resolve(config.env)
        default = 4 if config.algorithm == "sac" else 128
        self.rollout = config.rollout or default
        self.all_demonstrations = load_demonstrations(self._demos(), self.env_id)
        self.demonstrations = self.all_demonstrations.subsample(
            config.trajectories, config.pairs, seed=config.seed
        )

    def _demos(self) -> Path | str:
        if self.inputs is not None:
            return self.inputs / DEMONSTRATIONS
        if self.config.demos is not None:
            return self.config.demos
        path = Path(str(BUILT_IN / f"{self.env_id}.npz"))
        if not path.is_file():
            known = sorted(p.name.removesuffix(".npz") for p in BUILT_IN.iterdir())
            raise UserError(
                f"There are no built-in demonstrations of {self.env_id} (only of "
                f"{', '.join(known)}): give --demos FILE."
            )
        return path

    def keep_inputs(self, folder: Path) -> None:
        """Keep the demonstrations, also those that a model played or a dataset held."""
        self.all_demonstrations.save(folder / DEMONSTRATIONS)

    @property
    def steps_per_turn(self) -> int:
        """Environment steps in a turn, over all copies."""
        return self.config.environments * self.rollout

    def build(self, setting: Setting) -> tuple[ImitationGame, Iterable[Any] | None]:
        """Make the policy, the discriminator, and the game between them."""
        policy = self._policy()
        transitions = self._expert_features(policy)
        std, mean = torch.std_mean(transitions, 0, correction=0)  # of a single pair too
        discriminator = Discriminator(mean, std.clamp(min=1e-2), self.config.constraint)
        expert = Expert(transitions, self._expert_absorbed())
        return ImitationGame(policy, discriminator, expert, self.config), None

    def _policy(self) -> SB3Agent:
        config = self.config
        world = World(self.env_id, config.environments, physics=config.physics, seed=config.seed)
        discrete = isinstance(world.action_space, Discrete)
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
        agent = OnPolicyAgent(
            world,
            config.algorithm,
            seed=config.seed,
            normalize_observations=config.normalize,
            n_steps=self.rollout,
            gamma=config.gamma,
            learning_rate=LinearSchedule(learning_rate, 0.0, 1.0),
            **options,
        )
        if config.normalize and config.control != "constant-reward":  # that one knows no expert
            agent.model.policy.features_extractor.fix(self.demonstrations.obs)
        return agent

    def _expert_features(self, policy: SB3Agent) -> Tensor:
        demos = self.demonstrations
        action = demos.action
        if action.dtype == torch.int64:
            action = torch.nn.functional.one_hot(action, int(policy.world.action_space.n)).float()
        if self.config.control == "shuffled-expert":
            action = action[torch.randperm(len(action))]
        return torch.cat([demos.obs, action], 1)

    def _expert_absorbed(self) -> float:
        """Expected absorbing steps of the expert for one of its live steps."""
        demos, gamma = self.demonstrations, self.config.gamma
        return float(demos.ended.sum() / demos.durations.sum()) * gamma / (1 - gamma)

    def warm_start(self, game: ImitationGame) -> None:
        """Clone the expert's behaviour into the policy before the game begins."""
        config = self.config
        if config.clone_steps and config.algorithm != "sac" and config.control == "none":
            demos = self.demonstrations
            behaviour_clone(
                game.policy.model.policy, demos.obs, demos.action, steps=config.clone_steps
            )

    # -- judging -------------------------------------------------------------------------------

    def validate(self, game: ImitationGame) -> Mapping[str, float]:
        """The true return of three unseen episodes, deterministic, in plain ``gym.make``."""
        played = evaluate(game.policy.model, self.env_id, 3, seed=self.config.seed + 1)
        mean = statistics.fmean(played.returns)
        return {"return": mean, "length": statistics.fmean(played.lengths), "score": mean}

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """True returns of unseen episodes, beside the expert, behaviour cloning and chance.

        ``fraction_of_expert`` is return over the expert's return where both are positive, and
        otherwise counts from the random policy's return: (return − random) / (expert − random),
        or None if the expert is no better than chance.
        """
        config, policy = self.config, trained.game.policy
        played = evaluate(policy.model, self.env_id, config.episodes, seed=config.seed)
        expert = float(self.all_demonstrations.returns.mean())
        baselines = {
            "behaviour_cloning": self._cloned(config.episodes),
            "random": self._random(config.episodes),
        }
        mean = statistics.fmean(played.returns)
        chance = baselines["random"]
        normalised = (mean - chance) / (expert - chance) if expert != chance else None
        return {
            "env": self.env_id,
            "episodes": config.episodes,
            "return_mean": mean,
            "return_std": statistics.pstdev(played.returns),
            "return_min": min(played.returns),
            "length_mean": statistics.fmean(played.lengths),
            "expert_return_mean": expert,
            "fraction_of_expert": mean / expert if min(mean, expert) > 0 else normalised,
            "normalised_score": normalised,
            "baselines": baselines,
            "demonstrations": str(self._demos_name()),
            "trajectories": config.trajectories,
            "pairs": config.pairs,
            "pairs_used": len(self.demonstrations),
            "control": config.control,
            "env_steps": policy.steps,
            "env_steps_per_second": policy.steps / trained.seconds if trained.seconds else None,
            "evaluation_seeds": f"{played.seeds[0]} to {played.seeds[-1]}",
            "measured_on": "unseen seeds, plain gym.make, deterministic policy, true reward",
        }

    def _demos_name(self) -> str:
        return self.config.demos or f"built in ({self.env_id})"

    def _cloned(self, episodes: int) -> float:
        """Mean return of behaviour cloning on the same pairs: the baseline without a game."""
        world = World(self.env_id, 1, physics="gymnasium", seed=self.config.seed)
        clone = OnPolicyAgent(world, seed=self.config.seed)
        demos = self.demonstrations
        behaviour_clone(clone.model.policy, demos.obs, demos.action, steps=2000)
        played = evaluate(clone.model, self.env_id, episodes, seed=self.config.seed)
        return statistics.fmean(played.returns)

    def _random(self, episodes: int) -> float:
        """Mean return of uniformly random actions."""
        world = World(self.env_id, 1, physics="gymnasium", seed=self.config.seed)
        space = world.action_space
        space.seed(self.config.seed)
        played = evaluate(lambda obs: space.sample(), self.env_id, episodes, seed=self.config.seed)
        return statistics.fmean(played.returns)

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
