"""Distances between sets of samples. None flatters: each is 0 in expectation, or nearly, for two
sets of one distribution, so report it beside what real samples have among themselves
(:func:`gantools.metrics.with_floor`)."""

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
    _two_on_each_side("energy distance", real, fake)
    n, m = len(real), len(fake)
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
    _two_on_each_side("Fréchet distance", real, fake)
    real, fake = real.double(), fake.double()
    cov_real, cov_fake = (torch.cov(x.T).reshape(x.shape[1], x.shape[1]) for x in (real, fake))
    # tr (Σ Σ′)^½ is the sum of the roots of ΣΣ′'s eigenvalues, which are those of Σ^½ Σ′ Σ^½.
    values, vectors = torch.linalg.eigh(cov_real)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ cov_fake @ root).clamp(min=0).sqrt().sum()
    apart = (real.mean(0) - fake.mean(0)).square().sum()
    return (apart + cov_real.trace() + cov_fake.trace() - 2 * cross).item()


def mmd(real: Tensor, fake: Tensor) -> float:
    """E k(x, x′) + E k(y, y′) − 2 E k(x, y) with k(x, y) = (x·y / d + 1)³: [N, d], [M, d].

    The squared maximum mean discrepancy, unbiased (Gretton et al. 2012, eq. 3), so it may be below
    zero; of Inception features it is the KID (Bińkowski et al. 2018, section 4). With this kernel
    it compares the moments up to the third, and no others.

    Raises:
        ValueError: fewer than two samples on a side.
    """
    _two_on_each_side("MMD", real, fake)
    real, fake = real.double(), fake.double()

    def kernel(x: Tensor, y: Tensor) -> Tensor:
        return (x @ y.T / x.shape[1] + 1) ** 3

    def within(x: Tensor) -> Tensor:
        alone = ((x * x).sum(1) / x.shape[1] + 1) ** 3
        return (kernel(x, x).sum() - alone.sum()) / (len(x) * (len(x) - 1))

    return (within(real) + within(fake) - 2 * kernel(real, fake).mean()).item()


def mmd_in_subsets(
    real: Tensor, fake: Tensor, size: int = 1000, subsets: int = 100, seed: int = 0
) -> dict[str, float]:
    """:func:`mmd` between random subsets, as the KID is usually reported: mean and spread.

    Args:
        real: [N, d].
        fake: [M, d].
        size: samples in a subset, drawn without replacement from each side.
        subsets: how many pairs of subsets.
        seed: of the draws.

    Returns:
        ``mean`` over the pairs and ``std``, their standard deviation (n − 1). The pairs overlap,
        so the mean's own error is *not* std / √subsets.

    Raises:
        ValueError: a side has fewer samples than ``size``, or ``subsets`` is below 2.
    """
    if min(len(real), len(fake)) < size or subsets < 2:
        raise ValueError(
            f"{subsets} subsets of {size} cannot be drawn from {len(real)} and {len(fake)} samples"
        )
    generator = torch.Generator().manual_seed(seed)

    def subset(x: Tensor) -> Tensor:
        return x[torch.randperm(len(x), generator=generator)[:size]]

    values = torch.tensor([mmd(subset(real), subset(fake)) for _ in range(subsets)])
    return {"mean": values.mean().item(), "std": values.std().item()}


def sliced_wasserstein(real: Tensor, fake: Tensor, projections: int = 500, seed: int = 0) -> float:
    """(mean over directions θ of W₂²(θ·x, θ·y))^½, in the samples' unit: [N, d], [M, d].

    W₂ on a line is exact, of sets of any sizes: it compares their quantile functions. The
    directions are uniform on the sphere (Gaussian vectors, normalised), so in one dimension this
    is W₂ itself, and a shift by v in d dimensions is ‖v‖ / √d far. (Bonneel et al. 2015.)

    Args:
        real: [N, d].
        fake: [M, d].
        projections: how many directions.
        seed: of the directions.

    Raises:
        ValueError: no samples on a side.
    """
    n, m = len(real), len(fake)
    if min(n, m) < 1:
        raise ValueError("the sliced Wasserstein distance needs samples on each side")
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(real.shape[1], projections, generator=generator, dtype=torch.double)
    directions = (directions / directions.norm(dim=0)).to(real.device)
    x, y = ((side.double() @ directions).sort(0).values for side in (real, fake))
    # Both quantile functions are constant between these levels; ``inside`` is in the middle.
    n_steps, m_steps = (torch.arange(size, dtype=torch.double) / size for size in (n, m))
    levels = torch.cat([n_steps, m_steps, torch.ones(1)]).sort().values.to(real.device)
    widths = levels.diff()
    inside = levels[:-1] + widths / 2
    apart = x[(inside * n).long()] - y[(inside * m).long()]
    return (widths @ apart.square()).mean().sqrt().item()


def _two_on_each_side(name: str, real: Tensor, fake: Tensor) -> None:
    if min(len(real), len(fake)) < 2:
        raise ValueError(
            f"the {name} needs two samples on each side, not {len(real)} and {len(fake)}"
        )
