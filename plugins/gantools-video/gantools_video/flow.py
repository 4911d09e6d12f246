"""Optical flow without anything learned: OpenCV's DIS."""

from __future__ import annotations

from typing import Any

import cv2
import torch
from torch import Tensor
from torch.nn.functional import interpolate

SMALLEST = 48
"""Pixels of a frame's sides that DIS gets at least; smaller frames are enlarged. For less it has
but one scale, or chooses patches by itself and may write beyond its memory (at 12 × 48)."""


@torch.no_grad()
def flow(x: Tensor, before: Tensor, finest: int = 0) -> Tensor:
    """The displacement v with x(p) ≈ before(p + v(p)).

    It is DIS's (Kroeger et al. 2016, "Fast optical flow using dense inverse search") by OpenCV's
    medium preset, on the mean of the channels in 8 bits, on the CPU.

    Args:
        x: frames [B, C, H, W] in [−1, 1].
        before: the frames before them, of the same shape.
        finest: the finest scale at which patches of 8 × 8 pixels are compared: 1/2 to the power of
            it. The preset's is 1; in frames as small as ours 0 finds more.

    Returns:
        [B, 2, H, W], x and y in pixels.
    """
    size = x.shape[2:]
    zoom = -(-SMALLEST // min(size))
    grey = torch.stack([x, before]).float().mean(2) * 127.5 + 127.5
    if zoom > 1:
        grey = interpolate(grey, scale_factor=zoom, mode="bicubic")
    pairs = grey.round().clamp(0, 255).byte().cpu().numpy().swapaxes(0, 1)
    dis: Any = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(finest)
    found = torch.stack([torch.from_numpy(dis.calc(now, then, None)) for now, then in pairs])
    v = found.permute(0, 3, 1, 2).to(x)
    return v if zoom == 1 else interpolate(v, size, mode="bilinear", antialias=True) / zoom
