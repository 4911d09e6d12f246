"""Distances between sets of samples. None flatters: each is 0 in expectation, or nearly, for two
sets of one distribution, so report it beside what real samples have among themselves."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Metric = Callable[[Tensor, Tensor], float]
"""Real samples [N, d] and fakes [M, d] -> how far the fakes are off; lower is better."""


def energy_distance(real: Tensor, fake: Tensor) -> float:
    """2 E‖x − y‖ − E‖x − x′‖ − E‖y − y′‖, unbiased (Székely & Rizzo 2013): [N, d], [M, d].

    Zero if and only if the distributions are the same; the estimate may be a little below zero.

    Raises:
        ValueError: fewer than two samples on a side.
    """
    n, m = len(real), len(fake)
    if min(n, m) < 2:
        raise ValueError(f"the energy distance needs two samples on each side, not {n} and {m}")
    within_real = torch.cdist(real, real).sum() / (n * (n - 1))
    within_fake = torch.cdist(fake, fake).sum() / (m * (m - 1))
    return (2 * torch.cdist(real, fake).mean() - within_real - within_fake).item()


def frechet_distance(real: Tensor, fake: Tensor) -> float:
    """‖μ − μ′‖² + tr(Σ + Σ′ − 2 (Σ Σ′)^½) of Gaussians fitted to the samples: [N, d], [M, d].

    (Dowson & Landau 1982; of Inception features it is the FID, Heusel et al. 2017. It is biased
    upwards by small samples, and blind to all but mean and covariance.)

    Raises:
        ValueError: fewer than two samples on a side.
    """
    if min(len(real), len(fake)) < 2:
        raise ValueError("the Fréchet distance needs two samples on each side")
    real, fake = real.double(), fake.double()
    cov_real, cov_fake = (torch.cov(x.T).reshape(x.shape[1], x.shape[1]) for x in (real, fake))
    # tr (Σ Σ′)^½ is the sum of the roots of ΣΣ′'s eigenvalues, which are those of Σ^½ Σ′ Σ^½.
    values, vectors = torch.linalg.eigh(cov_real)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_fake @ root).clamp(min=0).sqrt().sum()
    apart = (real.mean(0) - fake.mean(0)).square().sum()
    return (apart + cov_real.trace() + cov_fake.trace() - 2 * cross).item()
