"""What any model must beat: the last frame again, a straight line, the last motion again.

Each takes the known frames x_…, x_−1, x_0, float32 [B, P, C, H, W] in [0, 1], and how many steps
to predict, and gives them: [B, steps, C, H, W] in [0, 1], for :mod:`gantools_video.metrics`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch
from torch import Tensor

from gantools_video.flow import flow as displacement
from gantools_video.sampling import sampled


def copy(past: Tensor, steps: int) -> Tensor:
    """Predict that nothing moves: x_0 at every step.

    Args:
        past: [B, P, C, H, W] in [0, 1].
        steps: how many frames are predicted.
    """
    return past[:, -1:].repeat(1, steps, 1, 1, 1)


def linear(past: Tensor, steps: int) -> Tensor:
    """Predict that every pixel goes on changing as it did: x_0 + k (x_0 − x_−1), cut to [0, 1].

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted, k = 1 to this.
    """
    last, before = past[:, -1:], past[:, -2:-1]
    k = torch.arange(1, steps + 1).to(past).view(-1, 1, 1, 1)
    return (last + k * (last - before)).clamp(0, 1)


def flow(past: Tensor, steps: int) -> Tensor:
    """Predict that the last motion goes on: x_k(p) = x_0(p + k v(p)), v the flow from x_0 to x_−1.

    The flow (:func:`gantools_video.flow.flow`, as OpenCV's preset has it) stays where it is. A
    pixel between others is interpolated once, by cubics; one beyond the border is the border's.

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted.
    """
    return _stacked(past, steps, finest=1)


def flow_fine(past: Tensor, steps: int) -> Tensor:
    """Predict as :func:`flow` does, by a flow that is found at the finest scale too, which is
    better: what ``warp`` begins with.

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted.
    """
    return _stacked(past, steps, finest=0)


def moved(past: Tensor, finest: int = 1) -> Iterator[Tensor]:
    """The frames of :func:`flow`, one after the other for ever, [B, C, H, W] in [0, 1]."""
    v = displacement(*(past[:, [-1, -2]] * 2 - 1).unbind(1), finest)
    for k in itertools.count(1):
        yield sampled(past[:, -1], k * v, "bicubic").clamp(0, 1)


def _stacked(past: Tensor, steps: int, finest: int) -> Tensor:
    return torch.stack(list(itertools.islice(moved(past, finest), steps)), dim=1)


BASELINES = {"copy": copy, "linear": linear, "flow": flow, "flow-fine": flow_fine}
"""By the names that figures and films give them."""
