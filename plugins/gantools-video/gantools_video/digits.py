"""Moving MNIST: two digits that fly straight on, through each other, and bounce off the sides."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gantools import UserError

SPEED = 0.1
"""The part of the free way, from side to side, that a digit goes in a frame."""
EPOCH = 10_000
"""Sequences that are called an epoch; the paper's program trains on so many. None comes again."""


class MovingDigits:
    """Sequences that are drawn anew for every batch, uint8 [``EPOCH``, length, 1, S, S].

    Args:
        glyphs: uint8 [N, 1, G, G] to draw from.
        length: frames of each.
        size: side S of the frames, pixels.
    """

    def __init__(self, glyphs: Tensor, length: int, size: int) -> None:
        self.glyphs, self.length, self.size = glyphs, length, size

    def __len__(self) -> int:
        return EPOCH

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Those that are drawn with their numbers as seeds."""
        seeded = (torch.Generator().manual_seed(row) for row in rows.tolist())
        return torch.cat([self.draw(rows[:1], generator) for generator in seeded])

    def draw(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """As many as there are rows."""
        return moving_digits(self.glyphs, len(rows), self.length, self.size, generator)


def moving_digits(
    glyphs: Tensor, count: int, length: int, size: int, generator: torch.Generator
) -> Tensor:
    """Sequences of two digits that fly straight on, through each other, and bounce off the sides.

    Moving MNIST (Srivastava et al. 2015, "Unsupervised Learning of Video Representations using
    LSTMs"), as the authors' program makes it: digits, places and directions are drawn uniformly,
    the speed is a tenth of the free way a frame (3.6 pixels at 64), a digit that would leave stays
    at the side and turns, and where digits overlap the brighter pixel is seen.

    Args:
        glyphs: uint8 [N, 1, G, G] to draw from; G = 28 in the paper.
        count: how many sequences.
        length: frames of each; 20 in the paper.
        size: side of the frames in pixels; 64 in the paper.
        generator: what draws.

    Returns:
        uint8 [count, length, 1, size, size].

    Raises:
        UserError: the frames are no larger than a glyph.
    """
    side = glyphs.shape[-1]
    if size <= side:
        raise UserError(f"Digits of {side} pixels cannot move in {size}: take 64, as is usual.")
    film = torch.zeros(count, length, 1, size, size, dtype=torch.uint8)
    sequence, pixel = torch.arange(count).view(-1, 1, 1), torch.arange(side)
    for _ in range(2):
        glyph = glyphs[torch.randint(len(glyphs), (count,), generator=generator), 0]
        place = torch.rand(count, 2, generator=generator)  # of the free way: down, right
        angle = 2 * math.pi * torch.rand(count, generator=generator)
        velocity = SPEED * torch.stack([angle.sin(), angle.cos()], 1)
        for t in range(length):
            place = place + velocity
            velocity = torch.where((place < 0) | (place > 1), -velocity, velocity)
            place = place.clamp(0, 1)
            top, left = (place * (size - side)).long().view(count, 2, 1, 1).unbind(1)
            where = (sequence, t, 0, top + pixel.view(-1, 1), left + pixel)
            film[where] = torch.maximum(film[where], glyph)
    return film
