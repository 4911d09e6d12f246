"""What is said of every picture, as networks read it, and what is wrong of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gantools import Turn

SIMILAR = 8
"""A wrong caption that is near is one of so many."""


def others(ids: Tensor) -> tuple[Tensor, Tensor]:
    """For each caption the row of one before it in the batch that says something else.

    Args:
        ids: what is said, [B]; equal numbers are equal captions.

    Returns:
        The rows that there is another caption for, and those of the other captions, [K] each.
    """
    own = torch.arange(len(ids), device=ids.device)
    before = (own[:, None] - own[None, 1:]) % len(ids)
    differs = ids[before] != ids[:, None]
    first = differs.int().argmax(1)
    rows = differs.any(1).nonzero().squeeze(1)
    return rows, before[own, first][rows]


def similar(read: Tensor, ids: Tensor, of: Tensor) -> Tensor:
    """For each caption those that say almost the same, but of other pictures: the rows of the least
    angles, [M, 8], each another text. What is said of the same picture too is not wrong of it.

    Args:
        read: embeddings, [M, text].
        ids: what is said, [M], from 0; equal numbers are equal captions.
        of: which picture it is said of, [M], from 0.

    Raises:
        ValueError: of some picture there are fewer than eight texts that are not said.
    """
    count = int(ids.max()) + 1
    row = ids.new_full((count,), len(ids)).scatter_reduce(0, ids, torch.arange(len(ids)), "amin")
    said = torch.zeros(int(of.max()) + 1, count, dtype=torch.bool)
    said[of, ids] = True
    if int((~said).sum(1).min()) < SIMILAR:
        raise ValueError(f"there are no {SIMILAR} captions beside a picture's own")
    unit = nn.functional.normalize(read.float())
    found = []
    for part, own in zip(unit.split(1024), of.split(1024), strict=True):
        angles = (part @ unit[row].T).masked_fill(said[own], -torch.inf)
        found.append(row[angles.topk(SIMILAR).indices])
    return torch.cat(found)


class Said(NamedTuple):
    """What is said of the pictures of a batch."""

    e: Tensor
    """What a network reads of each caption, [B, text] (or tokens, [B, L])."""
    ids: Tensor
    """Equal numbers are equal captions, [B]."""
    rows: Tensor
    """Those pictures that there is a wrong caption for, [K]."""
    wrong: Tensor
    """These captions, as ``e``, [K, text]."""


class Captions(nn.Module):
    """What is said of every picture, as a network reads it.

    Args:
        read: of each caption, [M, …], those of a picture in a row.
        texts: the captions of each of the N pictures.
        near: in the second half of the training, the share of wrong captions that are drawn from
            the most similar ones there are, by ``read``, [M, text] then; the others are those of
            other pictures of the batch.
    """

    def __init__(self, read: Tensor, texts: Sequence[Sequence[str]], near: float = 0.0) -> None:
        super().__init__()
        number = {text: i for i, text in enumerate(dict.fromkeys(chain(*texts)))}
        count = torch.tensor([len(own) for own in texts])
        self.register_buffer("read", read)
        self.register_buffer("ids", torch.tensor([number[text] for text in chain(*texts)]))
        self.register_buffer("count", count)
        self.register_buffer("first", count.cumsum(0) - count)
        self.near = near
        if near:
            of = torch.arange(len(count)).repeat_interleave(count)
            self.register_buffer("similar", similar(read, self.ids, of), persistent=False)

    def gather(self, rows: Tensor, turn: Turn) -> Said:
        """One caption of each of these pictures, drawn anew: [B] -> [B, …]; and wrong ones."""
        pick = self.first[rows] + (turn.rand(len(rows)) * self.count[rows]).long()
        right, other = others(self.ids[pick])
        wrong = pick[other]
        if self.near and turn.progress >= 0.5:  # who cannot read yet does not learn from them
            alike = self.similar[pick[right], turn.randint(SIMILAR, (len(right),))]
            wrong = torch.where(turn.rand(len(right)) < self.near, alike, wrong)
        return Said(self.read[pick], self.ids[pick], right, self.read[wrong])
