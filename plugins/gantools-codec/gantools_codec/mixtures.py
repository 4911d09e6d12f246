"""Mixtures of logistic distributions over the 256 values of a sub-pixel, in whole numbers.

P(x) = Σₖ wₖ [σ((x + ½ − μₖ) / sₖ) − σ((x − ½ − μₖ) / sₖ)], with all that is below 0 at 0 and all
that is above 255 at 255 (PixelCNN++, Salimans et al. 2017, eq. 2). A value is coded two bits at a
time, so that 12 values of the distribution function serve instead of 255.

As in :mod:`gantools_codec.integers`, numbers are integers held in float64, and the exponentials
come from whole numbers only: they are the same on every machine.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from gantools_codec.integers import ACTIVATION, Array

PER_PIXEL = 16
"""Means are in sixteenths of a pixel value."""
SPREAD = 32
"""Pixel values that 1 of a network's input or output stands for."""
PER_E = 16
"""Scales are in steps of e^(1/16)."""
LEAST_SCALE, MOST_SCALE = -3, 6
"""Natural logarithms of s in pixel values."""
ONE = 1 << 22
"""What stands for σ = 1."""
TAIL = 14
"""σ(−14) is about four times 2^−22; beyond it σ is taken for 0 or 1."""
FLOOR = 2.0**-16
"""The least probability of each two bits."""
STEP = 18_428_738_468_430_479_223
"""2^64 exp(−1/1024), rounded."""


@cache
def exponentials() -> Array:
    """exp(−k / 1024), k = 0 … 1024 · 14, in units of 2^−22, to within a unit."""
    values, value = [], 1 << 64
    for _ in range(ACTIVATION * TAIL + 1):
        values.append(value >> 42)
        value = value * STEP >> 64
    return np.array(values, np.float64)


@cache
def sigmoids() -> Array:
    """σ(k / 1024), k = −1024 · 14 … 1024 · 14, in units of 2^−22; rises from 0 to 1."""
    small = exponentials()[::-1]
    low = np.floor(ONE * small / (ONE + small))  # of integers below 2^44: exact enough to be the
    low[0] = 0  # same wherever division is rounded as IEEE 754 says
    return np.concatenate([low, ONE - low[-2::-1]])


@cache
def precisions() -> Array:
    """1 / s of every scale there is, in units of 2^−16, from the least scale on."""
    table, values = exponentials(), []
    for step in range(LEAST_SCALE * PER_E, MOST_SCALE * PER_E + 1):
        e = int(table[abs(step) * ACTIVATION // PER_E])
        values.append(e >> 6 if step >= 0 else (ONE << 16) // e)
    return np.array(values, np.float64)


class Mixtures:
    """Of N sub-pixels.

    Args:
        outputs: of a network, [N, 3K]: means, logarithms of the scales and of the weights.
        reference: what the means are relative to, [N], 0 to 255.
    """

    def __init__(self, outputs: Array, reference: Array) -> None:
        mean, scale, weight = np.split(outputs, 3, axis=1)
        self.mean = reference[:, None] * PER_PIXEL + np.floor(
            mean * (SPREAD * PER_PIXEL / ACTIVATION) + 0.5
        )
        level = np.floor(scale * (PER_E / ACTIVATION) + 0.5) - LEAST_SCALE * PER_E
        self.precision = precisions().take(level.astype(np.intp), mode="clip")
        below = weight.max(1, keepdims=True) - weight
        self.weight = np.floor(exponentials().take(below.astype(np.intp), mode="clip") / 1024)
        self.total = self.weight.sum(1) * ONE

    def below(self, bounds: Array) -> Array:
        """How much of the total lies below x − ½: x in [N, B], 1 to 255 -> [N, B]."""
        at = (bounds * PER_PIXEL - PER_PIXEL // 2)[:, :, None]
        z = np.floor((at - self.mean[:, None]) * (self.precision[:, None] / 1024))  # 1 is 1024
        sigma = sigmoids().take((z + ACTIVATION * TAIL).astype(np.intp), mode="clip")
        return np.einsum("nbk,nk->nb", sigma, self.weight)


class Digits:
    """The digits of N values, two bits each, from the highest on.

    What is known so far narrows the range: ask for :meth:`weights`, then :meth:`take` the digits.

    Args:
        mixtures: how likely the values are.
        finest: of a value only the whole multiple of this power of two is wanted.
    """

    def __init__(self, mixtures: Mixtures, finest: int = 1) -> None:
        self.mixtures, self.finest = mixtures, finest
        n = len(mixtures.total)
        self.values = np.zeros(n)
        """The lower end of each one's range."""
        self.size = 256
        """Of the ranges; when it is ``finest``, all digits are known."""
        self._ends = np.zeros(n), mixtures.total

    @property
    def part(self) -> int:
        """What 1 more in the next digit adds to a value."""
        return max(self.size // 4, self.finest)

    def weights(self) -> Array:
        """How likely each next digit is, float32 [N, 4] (or 2), not normalised."""
        inner = np.arange(self.part, self.size, self.part, dtype=np.float64)
        low, high = self._ends
        self._bounds = np.concatenate(
            [low[:, None], self.mixtures.below(self.values[:, None] + inner), high[:, None]], 1
        )
        least = np.floor((high - low) * FLOOR) + 1
        return (np.diff(self._bounds, axis=1) + least[:, None]).astype(np.float32)

    def take(self, digits: Array) -> None:
        """Go on with these digits, integers [N]."""
        rows = np.arange(len(digits))
        self._ends = self._bounds[rows, digits], self._bounds[rows, digits + 1]
        self.size = self.part
        self.values = self.values + digits * float(self.size)
