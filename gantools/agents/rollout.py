"""Transitions: what a player saw and did in its world, as tensors."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import one_hot


@dataclass(frozen=True)
class Transitions:
    """Steps of a world; every tensor has the same leading shape, [T, n] (time first) or flat [N].

    Attributes:
        obs: float32 [..., d], acted upon.
        action: float32 [..., a] as the physics got it (clipped to the box), or int64 [...].
        next_obs: float32 [..., d], the true successor, also where the episode ended.
        reward: float32 [...], the environment's own; for figures, never for a learned reward.
        terminated: bool [...], the task ended the episode: the successor has no future.
        truncated: bool [...], a limit cut the episode: the successor would have had a future.
    """

    obs: Tensor
    action: Tensor
    next_obs: Tensor
    reward: Tensor
    terminated: Tensor
    truncated: Tensor

    @property
    def shape(self) -> torch.Size:
        """The leading shape, [T, n] or [N]."""
        return self.reward.shape

    def __len__(self) -> int:
        """The leading dimension."""
        return len(self.reward)

    def __getitem__(self, index: object) -> Transitions:
        """Index, slice or mask the leading dimensions of every tensor."""
        return Transitions(*(getattr(self, field.name)[index] for field in fields(self)))

    def flatten(self) -> Transitions:
        """Return the same steps with one leading dimension [N], time-major."""
        last = self.reward.ndim - 1
        return Transitions(*(getattr(self, field.name).flatten(0, last) for field in fields(self)))

    def action_features(self, actions: int | None = None) -> Tensor:
        """Return actions as float32 [..., a]: Box actions as they are, Discrete ones one-hot.

        Args:
            actions: how many Discrete actions there are; None for a Box.
        """
        return self.action if actions is None else one_hot(self.action, actions).float()
