"""The game of VIME (Houthooft et al. 2016): an agent is paid for surprising a model of its world,
and the model learns not to be surprised."""

from __future__ import annotations

import torch
from torch import Tensor

from gantools import Game, Player, Turn
from gantools.agents import Bonus, OnPolicyAgent, Transitions, discrete_actions
from gantools_vime.bonuses import Normalizer
from gantools_vime.config import VIMEConfig
from gantools_vime.pool import Pool


class ExplorationGame(Game):
    """Policy against model: r + η · surprise against the model's own loss on all that was seen.

    The policy moves first: its rollout goes into the pool and is scored as the model was before it
    learned from it. Then the model moves on minibatches of the pool.

    Args:
        policy: the agent; PPO or TRPO, which asks once what each of its rollouts is worth.
        bonus: the model that is surprised; None is no model and no bonus.
        config: η, and how the model learns.
        capacity: transitions that the pool keeps.

    Attributes:
        pool: what the policy has seen, in its order; kept without a model too, for the report.
        normalizer: divides surprise by its recent median.
    """

    def __init__(
        self, policy: OnPolicyAgent, bonus: Bonus | None, config: VIMEConfig, capacity: int
    ) -> None:
        players: dict[str, Player | OnPolicyAgent] = {"policy": policy}
        if bonus is not None:
            players["model"] = Player(bonus, lr=config.model_lr, moves=config.model_moves)
        super().__init__(**players)
        self.config = config
        self.pool = Pool(*sizes(policy), capacity)
        self.normalizer = Normalizer()

    def moves(self, player: str, turn: Turn) -> int:
        """The model sits out while the pool is small."""
        if player == "model" and len(self.pool) < self.config.pool_ready:
            return 0
        return super().moves(player, turn)

    # -- the policy ----------------------------------------------------------------------------

    @torch.no_grad()
    def policy_reward(self, turn: Turn, transitions: Transitions) -> dict[str, Tensor]:
        """The terms ``task`` and ``bonus``, each of the rollout's shape; takes the rollout in."""
        seen = self.columns(transitions)
        self.pool.add(*seen)
        terms = {"task": transitions.reward}
        if "model" in self.players:
            self.model.update_statistics(*seen)
            surprise = self.model.score(*seen).view(transitions.shape)
            self.normalizer.update(surprise)
            turn.log("model/surprise", surprise.mean())
            terms["bonus"] = self.worth(surprise)
        return terms

    def columns(self, transitions: Transitions) -> tuple[Tensor, Tensor, Tensor]:
        """Observations [N, d], action features [N, a] and true successors [N, d]."""
        steps = transitions.flatten()
        actions = discrete_actions(self.policy.world.action_space)
        return steps.obs, steps.action_features(actions), steps.next_obs

    def worth(self, surprise: Tensor) -> Tensor:
        """η · surprise / its recent median, capped, of any shape."""
        return self.config.eta * self.normalizer(surprise).clamp(max=self.config.cap)

    def visited(self) -> Tensor:
        """The observations in the pool, oldest first: [N, d]."""
        kept, features = self.pool.state_dict(), self.policy.world.observation_space.shape[0]
        return kept["rows"].roll(-kept["next"], 0)[:, :features]

    # -- the model -----------------------------------------------------------------------------

    def model_loss(self, turn: Turn) -> dict[str, Tensor]:
        """The bonus's own loss on a minibatch of the pool."""
        drawn = self.pool.draw(self.config.model_batch, turn.generator)
        return self.model.loss(*drawn, size=len(self.pool), generator=turn.generator)


def sizes(policy: OnPolicyAgent) -> tuple[int, int]:
    """Features of an observation and of an action, d and a."""
    space = policy.world.action_space
    return policy.world.observation_space.shape[0], discrete_actions(space) or space.shape[0]
