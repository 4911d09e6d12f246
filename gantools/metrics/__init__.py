"""Metrics: how far apart two sets of samples are, as pure functions."""

from gantools.metrics.distances import Metric, energy_distance, frechet_distance

__all__ = ["Metric", "energy_distance", "frechet_distance"]
