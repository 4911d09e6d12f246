"""What any model must beat: the last frame again, a straight line, the last motion again.

Each takes the known frames x_…, x_−1, x_0, float32 [B, P, C, H, W] in [0, 1], and how many steps
to predict, and gives them: [B, steps, C, H, W] in [0, 1], for :mod:`gantools_video.metrics`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gantools import UserError
from gantools_video.sampling import sampled

SMALLEST = 12
"""Pixels of a frame's longer side that DIS flow needs at least."""


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

    The flow is DIS's (Kroeger et al. 2016, "Fast optical flow using dense inverse search") by
    OpenCV's medium preset, on the mean of the channels in 8 bits. It stays where it is. A pixel
    between others is interpolated once, by cubics; one beyond the border is the border's.

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted.

    Raises:
        UserError: OpenCV is not installed, or the frames are smaller than ``SMALLEST``.
    """
    v = _motion(past)
    made = [sampled(past[:, -1], k * v, "bicubic") for k in range(1, steps + 1)]
    return torch.stack(made, dim=1).clamp(0, 1)


def flow_repeated(past: Tensor, steps: int) -> Tensor:
    """Predict as :func:`flow` does, every frame from the one before: x_k(p) = x_k−1(p + v(p)).

    So it follows what moves into the flow of other places, and is interpolated at every step
    again, linearly, which blurs.

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted.

    Raises:
        UserError: as :func:`flow`.
    """
    v = _motion(past)
    frames = [past[:, -1]]
    for _ in range(steps):
        frames.append(sampled(frames[-1], v))
    return torch.stack(frames[1:], dim=1)


BASELINES = {"copy": copy, "linear": linear, "flow": flow, "flow-repeated": flow_repeated}
"""By the names that figures and films give them."""


def _motion(past: Tensor) -> Tensor:
    """v(p), how far from its place each pixel was a frame ago: [B, 2, H, W], x and y in pixels."""
    try:
        import cv2
    except ImportError:
        raise UserError(
            "The baseline 'flow' needs OpenCV: pip install 'gantools-video[flow]'."
        ) from None
    height, width = past.shape[-2:]
    if max(height, width) < SMALLEST:
        raise UserError(
            f"The baseline 'flow' needs frames of at least {SMALLEST} pixels, not "
            f"{width} × {height}: choose a larger size."
        )
    dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = (past[:, -2:].mean(dim=2) * 255).round().byte().cpu().numpy()
    v = torch.stack([torch.from_numpy(dis.calc(last, before, None)) for before, last in grey])
    return v.permute(0, 3, 1, 2).to(past)
