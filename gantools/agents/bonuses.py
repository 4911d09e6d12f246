"""Bonuses for exploring, as applications know them: what a model of the world is surprised by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor


class Bonus(Protocol):
    """A ``torch.nn.Module`` that learns from transitions and says how much each surprises it.

    One that is known by a name is a class ``bonus(observations, actions, **options)`` with d
    features of an observation, a features of an action, and defaults for its options. All methods
    take transitions as obs [N, d], action features [N, a] (Discrete actions one-hot) and
    next_obs [N, d]: the true successor of each step, also where an episode ended.
    """

    def update_statistics(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> None:
        """Let a rollout count in what inputs are normalised by; called once for each rollout."""
        ...

    def loss(
        self,
        obs: Tensor,
        action: Tensor,
        next_obs: Tensor,
        size: int,
        generator: torch.Generator | None = None,
    ) -> Mapping[str, Tensor]:
        """Return the terms, by name, of what it minimises on a minibatch of ``size`` in all."""
        ...

    def score(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """Return the surprise of each transition, [N] and at least 0, without a graph."""
        ...


def none(observations: int, actions: int) -> None:
    """No bonus and no model: the agent is paid for its task alone, as a control."""
