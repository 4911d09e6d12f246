"""Predicting many frames: each is made from the last ones, those that were made among them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gantools_video.motion import Motion

Network = Callable[[Tensor, Motion, Tensor | None], tuple[list[Tensor], Motion]]


def steps(
    network: Network, past: Tensor, actions: Iterator[Tensor] | None = None
) -> Iterator[tuple[list[Tensor], Motion]]:
    """Go on for ever: one frame after another, at all scales, [B, C, h, w] in [−1, 1], with how it
    moved.

    Args:
        network: (the last P frames in the channels, motion, action) -> (next frame at all scales,
            the full one last; motion).
        past: the known frames, [B, P, C, H, W] in [−1, 1], H and W multiples of ``STRIDE``.
        actions: what the agent does in each step, [B, A]; of environments only.
    """
    frames = list(past.unbind(1))
    motion = Motion.begun(past.flatten(1, 2), past.shape[2])
    while True:
        action = None if actions is None else next(actions)
        made, motion = network(torch.cat(frames, 1), motion, action)
        frames = [*frames[1:], made[-1]]
        yield made, motion


def rollout(
    network: Network, past: Tensor, count: int, actions: Tensor | None = None
) -> list[Tensor]:
    """The next ``count`` frames at all scales, [B, count, C, h, w]; actions are [B, ≥ count, A]."""
    given = None if actions is None else iter(actions.unbind(1))
    made = (made for made, _ in itertools.islice(steps(network, past, given), count))
    return [torch.stack(scale, 1) for scale in zip(*made, strict=True)]
