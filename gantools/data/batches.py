"""Batches of tensors in memory, shuffled anew each epoch, whose position is a single number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor


class Split(NamedTuple):
    """Samples to train on, and samples to judge by that training never sees."""

    train: Tensor  # [N, …]
    held_out: Tensor  # [M, …]


class Rows(Protocol):
    """What batches are taken of: a tensor, or what is put together when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Tensor, /) -> Any:
        """Samples by their numbers, int64 [B]: [B, …]."""


@runtime_checkable
class Drawn(Rows, Protocol):
    """Rows with something random in every sample, such as a crop of a longer recording."""

    def draw(self, rows: Tensor, generator: torch.Generator, /) -> Any:
        """Samples by their numbers, [B, …], whatever is random in them drawn by the generator."""


Source = Callable[[int], Split]
"""A data source that is known by a name: a seed -> samples, split."""


class Batches:
    """Yields batches for ever; a resume goes on with the very next one.

    Every epoch visits the samples in an order drawn from (seed, epoch); what does not fill a
    batch at an epoch's end waits for another epoch. What :class:`Drawn` rows draw depends on
    (seed, position, rank).

    Args:
        tensors: the samples, [N, …] each; one tensor yields tensors, several yield tuples. Any
            :class:`Rows` will do, such as windows of a film.
        size: samples in a batch, over all processes together.
        seed: of the orders, and of what is drawn.
        rank: this process's number; it takes every ``world_size``-th sample of each batch.
        world_size: how many processes share a batch.

    Raises:
        ValueError: no tensors, tensors of different lengths, fewer samples than one batch, or a
            batch that the processes cannot share equally.
    """

    def __init__(
        self, *tensors: Rows, size: int, seed: int = 0, rank: int = 0, world_size: int = 1
    ) -> None:
        lengths = {len(tensor) for tensor in tensors}
        if len(lengths) != 1:
            raise ValueError(f"the tensors must have one length, not {sorted(lengths)}")
        (self.length,) = lengths
        if not 1 <= size <= self.length:
            raise ValueError(
                f"a batch of {size} cannot be taken of {self.length:,} samples to train on: take a "
                "smaller one, or more data"
            )
        if size % world_size:
            raise ValueError(f"{size} samples cannot be shared equally by {world_size} processes")
        self.tensors, self.size, self.seed = tensors, size, seed
        self.rank, self.world_size = rank, world_size
        self._draws = any(isinstance(tensor, Drawn) for tensor in tensors)
        self.position = 0
        """How many batches have been yielded."""

    def __iter__(self) -> Iterator[Any]:
        shuffled, order = -1, torch.empty(0, dtype=torch.long)
        per_epoch = self.length // self.size
        while True:
            epoch, batch = divmod(self.position, per_epoch)
            if epoch != shuffled:
                shuffled = epoch
                generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
                order = torch.randperm(self.length, generator=generator)
            rows = order[batch * self.size : (batch + 1) * self.size][self.rank :: self.world_size]
            picked = self._picked(rows)
            self.position += 1
            yield picked[0] if len(picked) == 1 else picked

    def _picked(self, rows: Tensor) -> tuple[Any, ...]:
        if not self._draws:
            return tuple(tensor[rows] for tensor in self.tensors)
        mixed = np.random.SeedSequence([self.seed % 2**64, self.position, self.rank])
        generator = torch.Generator().manual_seed(int(mixed.generate_state(1, np.uint64)[0]))
        return tuple(
            tensor.draw(rows, generator) if isinstance(tensor, Drawn) else tensor[rows]
            for tensor in self.tensors
        )

    def state_dict(self) -> dict[str, int]:
        """The position."""
        return {"position": self.position}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Go on from a saved position; iterators made before are not affected."""
        self.position = state["position"]
