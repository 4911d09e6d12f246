"""Objectives and penalties, by the names they have in the papers."""

from gantools.losses.objectives import (
    Objective,
    classification,
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    wasserstein,
)
from gantools.losses.penalties import (
    Penalty,
    bottleneck_kl,
    gradient_norm_squared,
    interpolate,
    r1,
    r2,
    wgan_gp,
)

__all__ = [
    "Objective",
    "Penalty",
    "bottleneck_kl",
    "classification",
    "gradient_norm_squared",
    "hinge",
    "interpolate",
    "least_squares",
    "minimax",
    "non_saturating",
    "r1",
    "r2",
    "relativistic",
    "wasserstein",
    "wgan_gp",
]
