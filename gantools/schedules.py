"""Learning rates over a training, as ``Player(schedule=…)`` takes them: functions of progress."""

from __future__ import annotations

import math

RISE = 0.04
"""The part of a training in which a rate rises."""


def cosine(progress: float) -> float:
    """From 0.02 to 1 in the first 4 % of the training, then to 0 along half a cosine.

    Loshchilov and Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm Restarts", eq. 5,
    without restarts.

    Args:
        progress: of the training, 0 to 1.
    """
    rise = min(1.0, 0.02 + 0.98 * progress / RISE)
    return rise * 0.5 * (1 + math.cos(math.pi * progress))


def linear(progress: float) -> float:
    """From 1 to 0."""
    return 1 - progress
