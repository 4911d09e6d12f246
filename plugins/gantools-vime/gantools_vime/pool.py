"""A replay pool of transitions: preallocated rows, the oldest of which give way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Pool:
    """Keeps the last ``capacity`` transitions (observation, action features, next observation).

    Memory is reserved at once and used as the pool fills: 4 · (2d + a) bytes a transition.

    Args:
        observations: d, features of an observation.
        actions: a, features of an action.
        capacity: how many transitions are kept.

    Raises:
        ValueError: the capacity is not positive.
    """

    def __init__(self, observations: int, actions: int, capacity: int = 1_000_000) -> None:
        if capacity < 1:
            raise ValueError(f"a pool keeps at least one transition, not {capacity}")
        self.capacity = capacity
        self._widths = [observations, actions, observations]
        self._rows = torch.empty(capacity, sum(self._widths))
        self._next = 0  # the row that is written next
        self._filled = 0

    def __len__(self) -> int:
        """How many transitions are kept."""
        return self._filled

    def add(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> None:
        """Keep transitions, in order, in place of the oldest ones.

        Args:
            obs: [N, d].
            action: features, [N, a].
            next_obs: [N, d], the true successor also where an episode ended.
        """
        new = torch.cat([obs, action, next_obs], 1)[-self.capacity :].to(self._rows.device)
        places = torch.arange(self._next, self._next + len(new)) % self.capacity
        self._rows[places] = new
        self._next = (self._next + len(new)) % self.capacity
        self._filled = min(self._filled + len(new), self.capacity)

    def draw(self, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw transitions uniformly with replacement: [size, d], [size, a], [size, d].

        They come on the generator's device.

        Raises:
            ValueError: the pool is empty.
        """
        if not self._filled:
            raise ValueError("nothing can be drawn from an empty pool")
        device = generator.device
        places = torch.randint(self._filled, (size,), generator=generator, device=device)
        rows = self._rows[places.to(self._rows.device)].to(device)
        obs, action, next_obs = rows.split(self._widths, 1)
        return obs, action, next_obs

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the filled rows, and where the next one goes."""
        return {"rows": self._rows[: self._filled].clone(), "next": self._next}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state_dict`` gave.

        Raises:
            ValueError: the state is of a larger pool or of other transitions.
        """
        rows = state["rows"]
        if len(rows) > self.capacity or rows.shape[1] != self._rows.shape[1]:
            raise ValueError(
                f"{list(rows.shape)} rows do not fit a pool of {list(self._rows.shape)}"
            )
        self._filled, self._next = len(rows), int(state["next"])
        self._rows[: self._filled] = rows
