"""Bonuses for exploring, as applications know them: what a model of the world is surprised by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Bonus(nn.Module, ABC):
    """A model of the world, and how much transitions surprise it.

    Its player minimises ``loss``; the agent is paid by ``score``. All methods take transitions as
    obs [N, d], action features [N, a] (Discrete actions one-hot) and next_obs [N, d]: the true
    successor of each step, also where an episode ended.

    One that is known by a name is a subclass, which takes options of its own after these, each with
    a default.

    Args:
        observations: d, features of an observation.
        actions: a, features of an action.
    """

    @abstractmethod
    def __init__(self, observations: int, actions: int) -> None:
        super().__init__()

    @abstractmethod
    def update_statistics(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> None:
        """Let a rollout count in what inputs are normalised by; call once for each rollout."""

    @abstractmethod
    def loss(
        self,
        obs: Tensor,
        action: Tensor,
        next_obs: Tensor,
        size: int,
        generator: torch.Generator | None = None,
    ) -> Mapping[str, Tensor]:
        """Return the terms, by name, of what the model minimises on a minibatch.

        Args:
            obs: [N, d].
            action: [N, a].
            next_obs: [N, d].
            size: how many transitions there are in all; these are a minibatch of them.
            generator: for what is drawn.
        """

    @abstractmethod
    def score(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """Return the surprise of each transition, [N] and at least 0, without a graph."""


def none(observations: int, actions: int) -> None:
    """No bonus and no model: the agent is paid for its task alone, as a control."""
