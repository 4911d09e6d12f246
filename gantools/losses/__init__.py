"""Objectives and penalties, by the names they have in the papers."""

from gantools.losses.asked import Penalties, Term
from gantools.losses.attacks import fgsm, margin, pgd
from gantools.losses.f_gan import (
    f_hellinger,
    f_jensen_shannon,
    f_kl,
    f_pearson,
    f_reverse_kl,
    f_total_variation,
)
from gantools.losses.gradient_penalties import (
    dragan,
    gradient_norm_squared,
    interpolate,
    ma_gp,
    r1,
    r2,
    roth,
    wgan_div,
    wgan_gp,
    wgan_lp,
)
from gantools.losses.improved import (
    HistoricalAverage,
    feature_matching,
    real_score,
    semi_supervised,
)
from gantools.losses.information import (
    bottleneck_kl,
    categorical_information,
    gaussian_information,
)
from gantools.losses.objectives import (
    Objective,
    classification,
    hinge,
    label_smoothing,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    relativistic_average,
    wasserstein,
)
from gantools.losses.path_length import PathLength
from gantools.losses.penalties import Critic, Penalty, Samples, ct, orthogonal, qp, several

__all__ = [
    "Critic",
    "HistoricalAverage",
    "Objective",
    "PathLength",
    "Penalties",
    "Penalty",
    "Samples",
    "Term",
    "bottleneck_kl",
    "categorical_information",
    "classification",
    "ct",
    "dragan",
    "f_hellinger",
    "f_jensen_shannon",
    "f_kl",
    "f_pearson",
    "f_reverse_kl",
    "f_total_variation",
    "feature_matching",
    "fgsm",
    "gaussian_information",
    "gradient_norm_squared",
    "hinge",
    "interpolate",
    "label_smoothing",
    "least_squares",
    "ma_gp",
    "margin",
    "minimax",
    "non_saturating",
    "orthogonal",
    "pgd",
    "qp",
    "r1",
    "r2",
    "real_score",
    "relativistic",
    "relativistic_average",
    "roth",
    "semi_supervised",
    "several",
    "wasserstein",
    "wgan_div",
    "wgan_gp",
    "wgan_lp",
]
