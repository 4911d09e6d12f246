"""What nearest neighbours tell: fidelity and diversity apart, and whether fakes are copies.

Distances are Euclidean and computed without the usual ‖x‖² + ‖y‖² − 2 x·y, which in single
precision puts a copy at a distance of its own rounding instead of 0. A ball includes its surface.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

ROWS = 1024
"""How many samples are compared with all others at a time, to spare memory."""


def precision_recall(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, float]:
    """Share of fakes among the reals, and of reals among the fakes: [N, d], [M, d].

    A set's manifold is the union of balls around its samples, each as wide as the distance to the
    k-th nearest other one (Kynkäänniemi et al. 2019, eq. 1 and 2, where k = 3).

    Returns:
        ``precision`` (of M fakes, those in the reals' manifold) and ``recall`` (of N reals, those
        in the fakes'), in [0, 1], higher is better. Two sets of one distribution are *not* at 1:
        look at the floor. One stray real makes a wide ball, and precision generous.

    Raises:
        ValueError: a side has not more than k samples.
    """
    in_real_balls = _balls_around(fake, real, _radii(real, k))
    in_fake_balls = _balls_around(real, fake, _radii(fake, k))
    return {"precision": _share(in_real_balls > 0), "recall": _share(in_fake_balls > 0)}


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> dict[str, float]:
    """In how many real balls fakes are, and in how many real balls there is a fake: [N, d], [M, d].

    The balls are those of :func:`precision_recall`, around real samples only (Naeem et al. 2020,
    section 3.2). For two sets of one distribution, whatever it is, the expected density is 1 and
    the expected coverage is 1 − ∏ᵢ₌₁ᵏ (N − i) / (N + M − i), which for M = N tends to 1 − 2⁻ᵏ:
    0.969 with k = 5.

    Returns:
        ``density``, the balls that a fake is in, over k: 1 is right, more means crowding where the
        reals are dense; and ``coverage``, the share of real balls with a fake in them, in [0, 1].

    Raises:
        ValueError: there are not more than k reals, or no fakes.
    """
    radii = _radii(real, k)
    density = _balls_around(fake, real, radii).double().mean() / k
    nearest = nearest_neighbour(real, fake).distances
    return {"density": density.item(), "coverage": _share(nearest <= radii)}


class Neighbours(NamedTuple):
    """The nearest sample of a set to each of others."""

    distances: Tensor  # [M]
    indices: Tensor  # int64 [M]: rows of the set


def nearest_neighbour(samples: Tensor, among: Tensor) -> Neighbours:
    """Find the nearest of ``among`` [N, …] to each of ``samples`` [M, …].

    Raises:
        ValueError: a side is empty.
    """
    if not len(samples) or not len(among):
        raise ValueError("nearest neighbours need samples on each side")
    found = [_distances(rows, among).min(1) for rows in samples.split(ROWS)]
    return Neighbours(torch.cat([f.values for f in found]), torch.cat([f.indices for f in found]))


def memorisation(train: Tensor, held_out: Tensor, fake: Tensor) -> dict[str, float]:
    """Are fakes [M, …] nearer to the training samples [N, …] than unseen reals [L, …] are?

    Returns:
        ``distance`` and ``held_out_distance``, the median distance to the nearest training
        sample of fakes and of held-out reals; ``ratio`` of the two; and ``closer_share``, the
        share of fakes nearer than the held-out median. A generator that has learnt the
        distribution has ratio 1 and closer_share 0.5; one that copies has 0 and 1. Fakes that are
        off have a ratio above 1, which is no proof of anything else.

    Raises:
        ValueError: a side is empty.
    """
    of_fakes = nearest_neighbour(fake, train).distances
    usual = nearest_neighbour(held_out, train).distances.median()
    return {
        "distance": of_fakes.median().item(),
        "held_out_distance": usual.item(),
        "ratio": (of_fakes.median() / usual).item(),
        "closer_share": _share(of_fakes < usual),
    }


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """Exact distances [len(x), len(y)]."""
    exact = "donot_use_mm_for_euclid_dist"
    return torch.cdist(x.flatten(1), y.flatten(1), compute_mode=exact)


def _radii(samples: Tensor, k: int) -> Tensor:
    """Each sample's distance to its k-th nearest other one, [N]."""
    if len(samples) <= k:
        raise ValueError(f"{k} neighbours need more than {k} samples on each side")
    # The nearest of all is the sample itself.
    radii = [_distances(rows, samples).kthvalue(k + 1).values for rows in samples.split(ROWS)]
    return torch.cat(radii)


def _balls_around(points: Tensor, centres: Tensor, radii: Tensor) -> Tensor:
    """In how many of the balls each point is, [len(points)]."""
    return torch.cat([(_distances(p, centres) <= radii).sum(1) for p in points.split(ROWS)])


def _share(which: Tensor) -> float:
    return which.double().mean().item()
