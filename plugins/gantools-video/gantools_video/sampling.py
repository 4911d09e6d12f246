"""Frames looked up between their pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def sampled(x: Tensor, away: Tensor, mode: str = "bilinear") -> Tensor:
    """x(p + away(p)) for all places p; the border goes on beyond itself.

    Args:
        x: [B, C, H, W].
        away: [B, 2, H, W], x and y in pixels.
        mode: between pixels ``bilinear``, or ``bicubic``, which keeps edges but goes beyond the
            values that there are.
    """
    height, width = x.shape[2:]
    rows = torch.arange(height, device=x.device, dtype=x.dtype)[:, None]
    columns = torch.arange(width, device=x.device, dtype=x.dtype)
    at = torch.stack(
        [
            (away[:, 0] + columns) * (2 / max(width - 1, 1)) - 1,
            (away[:, 1] + rows) * (2 / max(height - 1, 1)) - 1,
        ],
        -1,
    )
    return grid_sample(x, at, mode, padding_mode="border", align_corners=True)
