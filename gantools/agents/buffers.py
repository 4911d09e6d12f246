"""stable-baselines3's buffers with our filling: whole rollouts at once, rewards at replay."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutBufferSamples
from stable_baselines3.common.vec_env import VecNormalize
from torch import Tensor

from gantools.agents.rollout import Transitions
from gantools.agents.worlds import Step
from gantools.engine import Reward


class WholeRolloutBuffer(RolloutBuffer):
    """A rollout buffer filled at once, whose minibatches are views of one shuffle per epoch.

    SB3's buffer copies step by step and gathers each minibatch from numpy.
    """

    def __init__(self, *args: Any, generator: torch.Generator, **kwargs: Any) -> None:
        """Take SB3's arguments, and the generator that shuffles."""
        super().__init__(*args, **kwargs)
        self.generator = generator

    def fill(
        self,
        obs: Tensor,
        actions: Tensor,
        rewards: Tensor,
        episode_starts: Tensor,
        values: Tensor,
        log_probs: Tensor,
    ) -> None:
        """Take a rollout: every tensor begins with [T, n]; ``actions`` as the policy drew them."""
        self.observations = obs.numpy()
        self.actions = actions.reshape(*rewards.shape, -1).numpy()
        self.rewards = rewards.numpy()
        self.episode_starts = episode_starts.numpy()
        self.values = values.numpy()
        self.log_probs = log_probs.numpy()
        self.full = True

    def get(self, batch_size: int | None = None) -> Generator[RolloutBufferSamples, None, None]:
        """Yield one epoch's minibatches."""
        order = torch.randperm(self.buffer_size * self.n_envs, generator=self.generator)
        columns = (
            self.observations,
            self.actions,
            self.values,
            self.log_probs,
            self.advantages,
            self.returns,
        )
        shuffled = [torch.from_numpy(column).flatten(0, 1)[order] for column in columns]
        for batch in zip(*(x.split(batch_size or len(order)) for x in shuffled), strict=True):
            yield RolloutBufferSamples(*batch)


class RelabellingReplayBuffer(ReplayBuffer):
    """A replay buffer whose samples are worth what ``reward`` says when they are replayed."""

    action_space: spaces.Box
    reward: Reward
    _columns = ("observations", "actions", "next_observations", "rewards", "dones", "timeouts")

    def __init__(self, *args: Any, generator: torch.Generator, **kwargs: Any) -> None:
        """Take SB3's arguments, and the generator that samples."""
        super().__init__(*args, **kwargs)
        self.generator = generator

    def add_step(self, obs: np.ndarray, actions: np.ndarray, step: Step) -> None:
        """Keep one step of all copies; ``actions`` [n, a] as the physics got them."""
        for column, value in (
            (self.observations, obs),
            (self.actions, actions),
            (self.next_observations, step.next_obs),
            (self.rewards, step.reward),
            (self.dones, step.terminated),
            (self.timeouts, step.truncated),
        ):
            column[self.pos] = value
        self.pos = (self.pos + 1) % self.buffer_size
        self.full |= self.pos == 0

    def draw(self, size: int, generator: torch.Generator) -> Transitions:
        """Draw transitions uniformly, with replacement; flat, [size]."""
        high = torch.tensor([self.size(), self.n_envs], device=generator.device)
        uniform = torch.rand(size, 2, generator=generator, device=generator.device)
        rows, copies = (uniform * high).long().cpu().numpy().T
        drawn = [torch.from_numpy(getattr(self, name)[rows, copies]) for name in self._columns]
        obs, action, next_obs, reward, terminated, truncated = drawn
        return Transitions(obs, action, next_obs, reward, terminated > 0, truncated > 0)

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> ReplayBufferSamples:
        """Draw transitions and reward them; actions are scaled to [-1, 1] as SAC's are."""
        kept = self.draw(batch_size, self.generator)
        low, high = (torch.from_numpy(x) for x in (self.action_space.low, self.action_space.high))
        return ReplayBufferSamples(
            observations=kept.obs,
            actions=2 * (kept.action - low) / (high - low) - 1,
            next_observations=kept.next_obs,
            dones=kept.terminated.float()[:, None],
            rewards=self.reward(kept).float()[:, None],
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the filled part, as numpy arrays."""
        columns = {name: getattr(self, name)[: self.size()].copy() for name in self._columns}
        return {**columns, "pos": self.pos, "full": self.full}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what ``state_dict`` gave."""
        self.pos, self.full = int(state["pos"]), bool(state["full"])
        for name in self._columns:
            getattr(self, name)[: self.size()] = state[name]
