"""What any model must beat: the last frame again, a straight line, the last motion again.

Each takes the known frames x_…, x_−1, x_0, float32 [B, P, C, H, W] in [0, 1], and how many steps
to predict, and gives them: [B, steps, C, H, W] in [0, 1], for :mod:`gantools_video.metrics`.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantools import UserError

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
    between others is interpolated linearly, once; one beyond the border is the border's. Neither
    this nor :func:`flow_repeated` is the stronger in all: on real clips at 64 pixels, eight steps
    on, this one has 22.60 dB, SSIM .754, gradient ratio .88 and motion ratio .72, the other 22.70,
    .757, .74 and .43, for blur is good in PSNR. One step on they are the same.

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted.

    Raises:
        UserError: OpenCV is not installed, or the frames are smaller than ``SMALLEST``.
    """
    here, v = _motion(past)
    return torch.stack([_sampled(past[:, -1], here + k * v) for k in range(1, steps + 1)], dim=1)


def flow_repeated(past: Tensor, steps: int) -> Tensor:
    """Predict as :func:`flow` does, every frame from the one before: x_k(p) = x_k−1(p + v(p)).

    So it follows what moves into the flow of other places, and is interpolated at every step
    again, which blurs.

    Args:
        past: [B, P, C, H, W] in [0, 1], P ≥ 2.
        steps: how many frames are predicted.

    Raises:
        UserError: as :func:`flow`.
    """
    here, v = _motion(past)
    frames = [past[:, -1]]
    for _ in range(steps):
        frames.append(_sampled(frames[-1], here + v))
    return torch.stack(frames[1:], dim=1)


BASELINES = {"copy": copy, "linear": linear, "flow": flow, "flow-repeated": flow_repeated}
"""By the names that figures and films give them."""


def _sampled(frames: Tensor, where: Tensor) -> Tensor:
    return F.grid_sample(frames, where, padding_mode="border", align_corners=True)


def _motion(past: Tensor) -> tuple[Tensor, Tensor]:
    """The places p of all pixels, [H, W, 2], and v(p), how far from there each was a frame ago,
    [B, H, W, 2]: x and y, in units in which the centres of the border's pixels are at −1 and 1, as
    ``grid_sample`` has it by align_corners.
    """
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
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
    )
    half = torch.tensor([width - 1, height - 1]) / 2
    return torch.stack([x, y], dim=-1).to(past), (v / half).to(past)
