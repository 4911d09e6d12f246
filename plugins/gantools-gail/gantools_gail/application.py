"""GAIL as an application: demonstrations, the game, evaluation beside its baselines."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gantools import Setting, Trained, UserError
from gantools.agents import (
    AgentApplication,
    OnPolicyAgent,
    SB3Agent,
    World,
    behaviour_clone,
    discrete_actions,
    evaluate,
    load_demonstrations,
)
from gantools_gail.config import GAILConfig
from gantools_gail.discriminator import Discriminator
from gantools_gail.game import Expert, ImitationGame

DEMONSTRATIONS = "demonstrations.npz"
BUILT_IN = resources.files("gantools_gail") / "demonstrations"


class GAIL(AgentApplication[GAILConfig]):
    """Learns to act as an expert does from a few of its (observation, action) pairs."""

    key_figures = ("policy/episode_return", "discriminator/expert", "discriminator/policy")
    only: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **AgentApplication.only,
        "normalize": ("ppo", "trpo"),
        "clone_steps": ("ppo", "trpo"),
    }

    def __init__(self, config: GAILConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
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
        agent = self.agent(normalize_observations=config.normalize)
        fixed = config.normalize and config.control != "constant-reward"  # that knows no expert
        if fixed and isinstance(agent, OnPolicyAgent):
            agent.model.policy.features_extractor.fix(self.demonstrations.obs)
        return agent

    def _expert_features(self, policy: SB3Agent) -> Tensor:
        demos = self.demonstrations
        action = demos.action
        if (actions := discrete_actions(policy.world.action_space)) is not None:
            action = one_hot(action, actions).float()
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

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """True returns of unseen episodes, beside the expert, behaviour cloning and chance.

        ``fraction_of_expert`` is return over the expert's return where both are positive, and
        otherwise counts from the random policy's return: (return − random) / (expert − random),
        or None if the expert is no better than chance.
        """
        config, played = self.config, self.played(trained)
        expert = float(self.all_demonstrations.returns.mean())
        baselines = {
            "behaviour_cloning": self._cloned(config.episodes),
            "random": statistics.fmean(self.played_at_random().returns),
        }
        mean = statistics.fmean(played.returns)
        chance = baselines["random"]
        normalised = (mean - chance) / (expert - chance) if expert != chance else None
        return {
            **self.figures(trained, played),
            "expert_return_mean": expert,
            "fraction_of_expert": mean / expert if min(mean, expert) > 0 else normalised,
            "normalised_score": normalised,
            "baselines": baselines,
            "demonstrations": str(self._demos_name()),
            "trajectories": config.trajectories,
            "pairs": config.pairs,
            "pairs_used": len(self.demonstrations),
            "control": config.control,
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
