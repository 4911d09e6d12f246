"""Placing a drawing on white paper: turned, scaled and shifted a little, at random."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

ANGLE = 12.0
"""Turned by at most so many degrees, either way."""
SCALE = (0.8, 1.0)
"""The least and the greatest size, of the drawing's own."""
SHIFT = 0.06
"""Shifted by at most this share of the side, along each axis."""


def place(
    images: Tensor,
    generator: torch.Generator | None = None,
    *,
    angle: float = ANGLE,
    scale: tuple[float, float] = SCALE,
    shift: float = SHIFT,
) -> Tensor:
    """Turn, scale and shift each image by amounts of its own, drawn uniformly.

    Args:
        images: [B, 3, S, S]; float in [−1, 1], where white is 1, or uint8, where it is 255.
        generator: draws all amounts, on its own device.
        angle: the greatest turn, degrees.
        scale: the least and the greatest size.
        shift: the greatest shift along each axis, of the side.

    Returns:
        Images of the same shape, type and device.
    """
    device = images.device if generator is None else generator.device
    uniform = torch.rand(4, len(images), generator=generator, device=device).to(images.device)
    least, greatest = scale
    return placed_like(
        images,
        angle * (2 * uniform[0] - 1),
        least + (greatest - least) * uniform[1],
        shift * (2 * uniform[2:].T - 1),
    )


def placed_like(images: Tensor, angle: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Turn each image about its centre, scale it, then shift it; what was outside is white.

    Pixels are interpolated bilinearly; a size below one half would alias.

    Args:
        images: [B, 3, S, S]; float in [−1, 1], where white is 1, or uint8, where it is 255.
        angle: degrees anticlockwise, [B].
        scale: the size, of the image's own, [B].
        shift: to the right and down, of the side, [B, 2].

    Returns:
        Images of the same shape and type.
    """
    if not images.is_floating_point():
        placed = placed_like(images.float() / 127.5 - 1, angle, scale, shift)
        return ((placed + 1) * 127.5).round().to(images.dtype)
    turn = torch.deg2rad(angle)
    cos, sin = turn.cos() / scale, turn.sin() / scale
    # Where in the image each pixel of the result comes from: A (p − t), with A undoing the turn
    # and the scale; y points down and the side is 2 long.
    back = torch.stack([torch.stack([cos, -sin], dim=1), torch.stack([sin, cos], dim=1)], dim=1)
    from_where = torch.cat([back, -back @ (2 * shift).unsqueeze(2)], dim=2).to(images.dtype)
    grid = functional.affine_grid(from_where, list(images.shape), align_corners=False)
    ink = images - 1  # white is 0, and grid_sample pads with 0
    return functional.grid_sample(ink, grid, align_corners=False) + 1
