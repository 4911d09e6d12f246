"""Mixtures of small Gaussians in the plane: where GANs drop modes, and one can see it."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from gantools.data.batches import Split


class Mixture(NamedTuple):
    """Gaussians of one width, each as likely as the others.

    A tuple, so that ``mode_statistics(samples, *mixture)`` reads as it should.
    """

    centres: Tensor
    """[M, d]"""
    std: float
    """The standard deviation σ of every Gaussian, in each of the d directions."""

    def draw(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        """Return n samples, [n, d]."""
        chosen = torch.randint(len(self.centres), (n,), generator=generator)
        noise = torch.randn(n, self.centres.shape[1], generator=generator)
        return self.centres[chosen] + self.std * noise


# Plain arithmetic: torch's first cosine loads a library for 0.7 s, and every command imports this.
def _circle(modes: int) -> Tensor:
    angles = [i * 2 * math.pi / modes for i in range(modes)]
    return torch.tensor([[math.cos(angle), math.sin(angle)] for angle in angles])


def _square(half_width: float) -> Tensor:
    ticks = [half_width * (i / 2 - 1) for i in range(5)]
    return torch.tensor([[x, y] for x in ticks for y in ticks])


MIXTURES = {
    "ring": Mixture(_circle(8), 0.05),
    "grid": Mixture(_square(1), 0.05),
    "gaussians-25": Mixture(_square(4) / 2.828, 0.05 / 2.828),
}
"""The mixture of each source below, by the source's registered name."""


def ring(seed: int) -> Split:
    """Eight Gaussians of σ = 0.05 on the unit circle: 8,192 and 2,048 samples, [N, 2].

    Wider than what papers call the ring, so easier: radius 2 and σ = 0.02 in Metz et al. 2017 and
    in WGAN-GP's code (which divides both by 1.414), radius 1 and σ = 0.01 in PacGAN's. σ over the
    radius is 0.05 here, 0.01 there.
    """
    return _split(MIXTURES["ring"], seed)


def grid(seed: int) -> Split:
    """Twenty-five Gaussians of σ = 0.05 on the grid {−1, −½, 0, ½, 1}²: [N, 2].

    Not the papers' grid: σ over the spacing is 0.1 here, 0.025 in :func:`gaussians_25`.
    """
    return _split(MIXTURES["grid"], seed)


def gaussians_25(seed: int) -> Split:
    """The field's 25 Gaussians: the grid {−4, −2, 0, 2, 4}² and σ = 0.05, both divided by 2.828.

    The division makes the standard deviation of the whole, per axis, 1 (the grid's is √8), as in
    the code of WGAN-GP (Gulrajani et al. 2017, ``gan_toy.py``); PacGAN (Lin et al. 2018) has the
    same grid without it. 8,192 and 2,048 samples, [N, 2].
    """
    return _split(MIXTURES["gaussians-25"], seed)


def _split(mixture: Mixture, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    return Split(mixture.draw(8192, generator), mixture.draw(2048, generator))
