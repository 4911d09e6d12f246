"""Mixtures of small Gaussians in the plane: where GANs drop modes, and one can see it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gantools.data.batches import Split


def ring(seed: int) -> Split:
    """Eight Gaussians of σ = 0.05 on the unit circle: 8,192 and 2,048 samples, [N, 2]."""
    angles = torch.arange(8) * (math.pi / 4)
    return _mixture(torch.stack([angles.cos(), angles.sin()], 1), 0.05, seed)


def grid(seed: int) -> Split:
    """Twenty-five Gaussians of σ = 0.05 on the grid {−1, −½, 0, ½, 1}²: [N, 2]."""
    ticks = torch.linspace(-1, 1, 5)
    return _mixture(torch.cartesian_prod(ticks, ticks), 0.05, seed)


def _mixture(means: Tensor, std: float, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)

    def draw(n: int) -> Tensor:
        chosen = torch.randint(len(means), (n,), generator=generator)
        return means[chosen] + std * torch.randn(n, 2, generator=generator)

    return Split(draw(8192), draw(2048))
