"""VIME as an application: the sparse tasks, the game, how often it succeeds, where it has been."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gantools import Section, Setting, Trained, UserError
from gantools.agents import AgentApplication, Episodes, episode
from gantools_vime import environments, pictures
from gantools_vime.config import VIMEConfig
from gantools_vime.game import ExplorationGame, sizes

environments.register()


class Exploration(AgentApplication[VIMEConfig]):
    """Learns tasks whose reward is rarely met, by paying for what surprises a model."""

    key_figures = ("policy/episode_return", "policy/bonus", "model/surprise")

    def __init__(self, config: VIMEConfig, inputs: Path | None = None) -> None:
        super().__init__(config, inputs)
        if not re.fullmatch(r"\d+,\d+", config.drawn):
            raise UserError(f"--drawn names two features, such as 0,1, not {config.drawn!r}.")
        self.drawn = [int(feature) for feature in config.drawn.split(",")]

    def build(self, setting: Setting) -> tuple[ExplorationGame, Iterable[Any] | None]:
        """Make the policy, the model that it is to surprise, and the game between them."""
        config = self.config
        policy = self.agent(normalize_observations=config.normalize)
        observations, actions = sizes(policy)
        if max(self.drawn) >= observations:
            raise UserError(
                f"--drawn {config.drawn}: {self.env_id} has the features 0 to {observations - 1}."
            )
        try:
            bonus = setting.part("bonuses", config.bonus)(observations, actions)
        except RuntimeError as error:  # torch's, of sizes that cannot be
            raise UserError(f"--bonus {config.bonus} cannot be made: {error}.") from error
        if bonus is not None and not all(weights.numel() for weights in bonus.parameters()):
            raise UserError(f"--bonus {config.bonus} has a layer without units: give it one.")
        capacity = min(config.pool, self.turns * self.steps_per_turn)
        return ExplorationGame(policy, bonus, config, capacity), None

    # -- judging -------------------------------------------------------------------------------

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """How often unseen episodes succeed, and their true returns, beside chance.

        An episode succeeds if its return is positive. The bonus is no part of any of it.
        """
        played, random = self.played(trained), self.played_at_random()
        return {
            **self.figures(trained, played),
            "success_rate": success_rate(played),
            "success": "an episode with a positive return",
            "baselines": {
                "random": statistics.fmean(random.returns),
                "random_success_rate": success_rate(random),
            },
            "bonus": self.config.bonus,
            "eta": self.config.eta,
            "algorithm": self.config.algorithm,
        }

    # -- the report ----------------------------------------------------------------------------

    def report(self, trained: Trained) -> list[Section]:
        """Where the agent has been, what an episode surprises, a film, the policy."""
        game, samples = trained.game, trained.run.samples
        sections = []
        if len(game.pool):
            path = samples / "visited.png"
            said = pictures.visited(path, game.visited()[:, self.drawn], self.drawn)
            sections.append(Section("Where the agent has been", media={path: said}))
        if "model" in game.players:
            steps = episode(game.policy.model, self.env_id, seed=self.config.seed)
            bonus = game.worth(game.model.score(*game.columns(steps)))
            path = samples / "bonus.png"
            said = pictures.along(path, bonus.tolist(), steps.reward.tolist())
            sections.append(Section("The bonus along an episode", media={path: said}))
        return sections + super().report(trained)


def success_rate(played: Episodes) -> float:
    """The fraction of episodes with a positive return."""
    return statistics.fmean(value > 0 for value in played.returns)
