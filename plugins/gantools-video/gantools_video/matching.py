"""Optical flow without anything learned: block matching, then Lucas and Kanade's method."""

from __future__ import annotations

import itertools

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

from gantools_video.sampling import sampled

REACH = 5
"""How far blocks are looked for, in pixels of frames at half their size."""
BLOCK, WINDOW, SMOOTH = 13, 15, 9
"""Sides of the squares in which blocks are compared (at half the size), gradients summed, and
displacements averaged."""
STILL = 1e-4
"""What a squared pixel of motion costs: flat parts stay where they are."""
ROUNDS, DAMPING = 3, 1e-4
"""Of Lucas and Kanade's steps."""


@torch.no_grad()
def flow(x: Tensor, before: Tensor) -> Tensor:
    """The displacement v with x(p) ≈ before(p + v(p)).

    It begins with the best blocks (:func:`matched`), and takes a few steps of Lucas and Kanade
    1981, "An iterative image registration technique": each solves [Σ∇w∇wᵀ + λ] δ = −Σ∇w (w − x) in
    windows, w(p) = before(p + v(p)).

    Args:
        x: frames [B, C, H, W] in [−1, 1], H and W even.
        before: the frames before them, of the same shape.

    Returns:
        [B, 2, H, W], x and y in pixels.
    """
    v = averaged(matched(x, before), SMOOTH)
    for _ in range(ROUNDS):
        w = sampled(before, v)
        away, (across, down) = w - x, gradients(w)
        products = (across * across, across * down, down * down, across * away, down * away)
        sums = averaged(torch.stack([product.mean(1) for product in products], 1), WINDOW)
        a, b, c, d, e = sums.unbind(1)
        a, c = a + DAMPING, c + DAMPING
        step = torch.stack([b * e - c * d, b * d - a * e], 1) / (a * c - b * b)[:, None]
        v = v + step.clamp(-1, 1)
    return averaged(v, SMOOTH)


def matched(x: Tensor, before: Tensor) -> Tensor:
    """The displacement for which blocks of x(p) and before(p + v(p)) differ least in squares.

    Every one of up to ``REACH`` pixels is tried on frames at half their size; between pixels it is
    where a parabola through the costs is least. Arguments and result as :func:`flow`.
    """
    x, before = avg_pool2d(x, 2), avg_pool2d(before, 2)
    height, width = x.shape[2:]
    side = 2 * REACH + 1
    wide = pad(before, (REACH,) * 4, mode="replicate")
    tried = list(itertools.product(range(side), repeat=2))
    costs = [(x - wide[..., i : i + height, j : j + width]).square().mean(1) for i, j in tried]
    length = torch.tensor([(i - REACH) ** 2 + (j - REACH) ** 2 for i, j in tried])
    cost = averaged(torch.stack(costs, 1), BLOCK) + STILL * length.to(x).view(-1, 1, 1)
    least = cost.argmin(1, keepdim=True)
    found = []
    for place, step in ((least % side, 1), (least // side, side)):
        inside = (place > 0) & (place < side - 1)
        low, here, high = (
            cost.gather(1, (least + k).clamp(0, side**2 - 1)) for k in (-step, 0, step)
        )
        off = (low - high) / (2 * (low - 2 * here + high)).clamp(min=1e-8)
        found.append(place - REACH + torch.where(inside, off.clamp(-0.5, 0.5), 0))
    return 2 * interpolate(torch.cat(found, 1), scale_factor=2, mode="bilinear")


def averaged(x: Tensor, side: int) -> Tensor:
    """The mean of x [B, C, H, W] in the square around each pixel, as much of it as there is."""
    for kernel in ((side, 1), (1, side)):
        padding = (kernel[0] // 2, kernel[1] // 2)
        x = avg_pool2d(x, kernel, 1, padding, count_include_pad=False)
    return x


def gradients(x: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences across and down, of the shape of x [B, C, H, W]."""
    wide = pad(x, (1, 1, 1, 1), mode="replicate")
    across = (wide[..., 1:-1, 2:] - wide[..., 1:-1, :-2]) / 2
    return across, (wide[..., 2:, 1:-1] - wide[..., :-2, 1:-1]) / 2
