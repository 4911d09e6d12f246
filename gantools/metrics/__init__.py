"""Metrics: how far apart two sets of samples are, as pure functions, and features to measure in."""

from gantools.metrics.distances import (
    Metric,
    energy_distance,
    frechet_distance,
    mmd,
    mmd_in_subsets,
    sliced_wasserstein,
)
from gantools.metrics.floor import with_floor
from gantools.metrics.inception import Inception
from gantools.metrics.modes import label_statistics, mode_statistics
from gantools.metrics.neighbours import (
    Neighbours,
    density_coverage,
    memorisation,
    nearest_neighbour,
    precision_recall,
)
from gantools.metrics.networks import DigitFeatures, Features, features

__all__ = [
    "DigitFeatures",
    "Features",
    "Inception",
    "Metric",
    "Neighbours",
    "density_coverage",
    "energy_distance",
    "features",
    "frechet_distance",
    "label_statistics",
    "memorisation",
    "mmd",
    "mmd_in_subsets",
    "mode_statistics",
    "nearest_neighbour",
    "precision_recall",
    "sliced_wasserstein",
    "with_floor",
]
