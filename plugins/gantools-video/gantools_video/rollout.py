"""Predicting many frames: each is made from the last ones, those that were made among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

Network = Callable[[Tensor, Any, Tensor | None], tuple[list[Tensor], Any]]


def steps(
    network: Network, past: Tensor, actions: Iterator[Tensor] | None = None
) -> Iterator[tuple[list[Tensor], Any]]:
    """Go on for ever: one frame after another, at all scales, [B, C, h, w] in [−1, 1], with what
    the network hands on from step to step, such as how it moved.

    Args:
        network: (the last P frames in the channels, what it handed on, action) -> (next frame at
            all scales, the full one last; what it hands on, None to begin with).
        past: the known frames, [B, P, C, H, W] in [−1, 1], H and W multiples of ``STRIDE``.
        actions: what the agent does in each step, [B, A]; of environments only.
    """
    frames = list(past.unbind(1))
    handed = None
    while True:
        action = None if actions is None else next(actions)
        made, handed = network(torch.cat(frames, 1), handed, action)
        frames = [*frames[1:], made[-1]]
        yield made, handed


def rollout(
    network: Network, past: Tensor, count: int, actions: Tensor | None = None
) -> list[Tensor]:
    """The next ``count`` frames at all scales, [B, count, C, h, w]; actions are [B, ≥ count, A]."""
    return handed_on(network, past, count, actions)[0]


def handed_on(
    network: Network, past: Tensor, count: int, actions: Tensor | None = None
) -> tuple[list[Tensor], Any]:
    """What :func:`rollout` gives, and what the network would hand on to the next step."""
    given = None if actions is None else iter(actions.unbind(1))
    going, film, handed = steps(network, past, given), [], None
    for _ in range(count):
        made, handed = next(going)
        film.append(made)
    return [torch.stack(scale, 1) for scale in zip(*film, strict=True)], handed
