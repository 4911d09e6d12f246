"""What near means, of frames [B, T, C, H, W]."""

from __future__ import annotations

from torch import Tensor


def lp(made: Tensor, real: Tensor, p: int) -> Tensor:
    """The mean of |Y − Ŷ|ᵖ (Mathieu et al. 2016, eq. 4, per sub-pixel)."""
    return (made - real).abs().pow(p).mean()


def gradient_difference(made: Tensor, real: Tensor) -> Tensor:
    """The mean of | |∂Y| − |∂Ŷ| |, of x and of y, summed (Mathieu et al. 2016,
    eq. 6, α = 1).

    Made frames need not have edges where the real ones have them of the same sign, but as strong.
    """
    total = made.new_zeros(())
    for axis in (-1, -2):
        edges = made.diff(dim=axis).abs() - real.diff(dim=axis).abs()
        total = total + edges.abs().mean()
    return total
