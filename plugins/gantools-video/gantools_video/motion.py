"""What moves: the last known frame, where it has gone, and how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from gantools_video.sampling import sampled, splatted

AROUND = 15
"""Side of the square in which it is looked how steady motion is, pixels."""
FASTEST = 8.0
"""Pixels of motion in a step beyond which the faster is in front no more: e to a greater power
makes gradients overflow."""
STILL = 0.02
"""Square pixels of motion, in all steps that are looked at, that are as good as none."""


class Motion(NamedTuple):
    """What a rollout of :class:`gantools_video.warp.Warp` hands from step to step."""

    source: Tensor
    """x₀, the last known frame, [B, C, H, W]."""
    mean: Tensor
    """μ, of what is known, [B, 1, 1, 1]; what is not kept fades to it."""
    where: Tensor
    """w, where in it each pixel of the present frame came from, [B, 2, H, W], x and y in pixels
    beside its own place."""
    kept: Tensor
    """a, how much of what came from there is seen, [B, 1, H, W]."""
    drawn: Tensor
    """r, what is added to it, [B, C, H, W]."""
    flow: Tensor
    """v, where in the frame before each pixel came from, as ``where``."""
    older: Tensor
    """v of the step before."""
    steady: Tensor | None = None
    """c, how steady the motion was in what is known, [B, 1, H, W] in [0, 1]."""

    def frame(self) -> Tensor:
        """μ + a(p) (x₀ − μ)(p + w(p)) + r(p), [B, C, H, W]."""
        moved = self.kept * sampled(self.source - self.mean, self.where, "bicubic")
        return (self.mean + moved + self.drawn).clamp(-1, 1)


def onward(v: Tensor, kept: Tensor) -> Tensor:
    """The flow of the next step if everything goes on as it did, [B, 2, H, W].

    A pixel at p was at p + v(p) and will be at p − v(p), where it takes its flow along; of several
    that arrive the faster is in front, by a factor e a pixel, and by how much of it is seen. Where
    nothing arrives, which is what becomes visible, it is the flow of where that came from:
    v(p + v(p)). Borders of what moves are not exact for long: the network corrects them.

    Args:
        v: [B, 2, H, W], pixels.
        kept: how much of a pixel is seen, [B, 1, H, W].
    """
    speed = v.square().sum(1, keepdim=True).sqrt().clamp(max=FASTEST)
    front = speed + kept.clamp(min=1e-3).log()
    thrown, weight = splatted(v, -v, front)
    there = (2 * weight).clamp(max=1)
    return there * thrown + (1 - there) * sampled(v, v)


def steadiness(flows: Sequence[Tensor]) -> Tensor:
    """What part of its motion a place is expected to keep, [B, 1, H, W] in [0, 1].

    It is c of the least squares of vₜ ≈ c vₜ₋₁ over some last flows, each followed to where it has
    gone, and over the :data:`AROUND` pixels around a place: 1 of what moves evenly, 0 of what
    shakes, begins to move, or stands still. Of a single flow nobody knows: 1.

    Args:
        flows: v of the last step first, [B, 2, H, W] each.
    """
    if len(flows) == 1:
        return torch.ones_like(flows[0][:, :1])
    both = square = torch.zeros_like(flows[0][:, :1])
    newer = path = flows[0]
    for v in flows[1:]:
        older = sampled(v, path)
        both = both + (newer * older).sum(1, keepdim=True)
        square = square + older.square().sum(1, keepdim=True)
        newer, path = older, path + older
    around = [
        avg_pool2d(x, AROUND, 1, AROUND // 2, count_include_pad=False) for x in (both, square)
    ]
    return (around[0] / (around[1] + STILL)).clamp(0, 1)
