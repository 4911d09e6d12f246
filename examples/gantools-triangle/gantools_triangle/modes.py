"""Which Gaussians of a mixture some points have found: of gantools' own ring and grid."""

from __future__ import annotations

import math

import torch
from torch import Tensor

STD = 0.05
"""The standard deviation of each Gaussian of :mod:`gantools.data.gaussians`."""


def centres(data: str) -> Tensor | None:
    """Where the Gaussians of a data source are, [M, 2]; None if it is not one of gantools' own."""
    if data == "ring":
        angles = torch.arange(8) * (math.pi / 4)
        return torch.stack([angles.cos(), angles.sin()], 1)
    if data == "grid":
        ticks = torch.linspace(-1, 1, 5)
        return torch.cartesian_prod(ticks, ticks)
    return None


def found(points: Tensor, data: str) -> dict[str, float]:
    """What points [N, 2] have found of the Gaussians; nothing where these are not known.

    Returns:
        ``good_share``, the share of points within three standard deviations of a centre (0.989 of real
        ones are), and ``modes``, how many Gaussians have at least half of their due share of
        good points.
    """
    means = centres(data)
    if means is None:
        return {}
    distance, nearest = torch.cdist(points, means).min(1)
    good = distance < 3 * STD
    counts = nearest[good].bincount(minlength=len(means))
    modes = (counts >= 0.5 * len(points) / len(means)).sum()
    return {"modes": int(modes), "good_share": good.float().mean().item()}
