"""Frames looked up between their pixels, and thrown between them."""

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
    most = away.new_tensor([max(width - 1, 1), max(height - 1, 1)]).view(1, 2, 1, 1)
    at = (_places(away) * (2 / most) - 1).permute(0, 2, 3, 1)
    return grid_sample(x, at, mode, padding_mode="border", align_corners=True)


def _places(away: Tensor) -> Tensor:
    """p + away(p), x and y in pixels from the first pixel, [B, 2, H, W]."""
    height, width = away.shape[2:]
    rows = torch.arange(height, device=away.device, dtype=away.dtype)
    columns = torch.arange(width, device=away.device, dtype=away.dtype)
    return away + torch.stack(torch.meshgrid(columns, rows, indexing="xy"))


def splatted(x: Tensor, to: Tensor, importance: Tensor) -> tuple[Tensor, Tensor]:
    """Throw every x(p) to the place p + to(p); where several arrive, take their mean, each weighted
    by exp(importance), and linearly between pixels.

    Args:
        x: [B, C, H, W].
        to: [B, 2, H, W], x and y in pixels.
        importance: Z, [B, 1, H, W]; what is in front has a greater one.

    Returns:
        [B, C, H, W], 0 where nothing arrives; and how much arrives, [B, 1, H, W], the sum of the
        weights.

    Source: Niklaus & Liu 2020, "Softmax splatting for video frame interpolation", eqs. 3–5 and 12.
    """
    height, width = x.shape[2:]
    at = _places(to)
    sides = at.new_tensor([width, height]).view(1, 2, 1, 1)
    weighted = torch.cat([x, torch.ones_like(importance)], 1) * importance.exp()
    found = torch.zeros_like(weighted).flatten(2)
    for corner in ((0, 0), (1, 0), (0, 1), (1, 1)):
        place = at.floor() + at.new_tensor(corner).view(1, 2, 1, 1)
        near = (1 - (at - place).abs()) * ((place >= 0) & (place < sides))
        near = near[:, :1] * near[:, 1:]  # prod is slow
        column, row = place.nan_to_num().clamp(min=0).minimum(sides - 1).long().unbind(1)
        index = (row * width + column).flatten(1)[:, None].expand(-1, weighted.shape[1], -1)
        found = found.scatter_add(2, index, (weighted * near).flatten(2))
    total, weight = found.view_as(weighted).split([x.shape[1], 1], 1)
    return total / weight.clamp(min=1e-6), weight
