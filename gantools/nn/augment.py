"""Augmentations of what a discriminator sees, real and fake alike; instance noise is here."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Augment(nn.Module, ABC):
    """What every augmentation that is known by a name is.

    The game passes reals and fakes through it before the discriminator sees them, in every
    player's loss; gradients flow through it into the generator. What it has learnt is in its
    buffers.
    """

    @abstractmethod
    def forward(
        self, x: Tensor, progress: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Samples [B, …], each changed at random: the same shape.

        Args:
            x: samples.
            progress: how much of the training is over, in [0, 1]: ``turn.progress``.
            generator: where random numbers come from.
        """

    def observe(self, real_scores: Tensor) -> None:
        """Take note of the discriminator's scores [B, …] of augmented reals, once a move of it."""


class InstanceNoise(Augment):
    """x + σ ε, ε ~ N(0, 1), for samples of any shape; σ falls linearly to zero.

    Makes the supports of reals and fakes overlap (Sønderby et al. 2017; Arjovsky &
    Bottou 2017).

    Args:
        std: σ at the start, in the samples' units.
        until: the share of the training after which there is no noise; ``inf`` keeps σ.

    Raises:
        ValueError: a negative σ, or ``until`` is not positive.
    """

    def __init__(self, std: float = 0.1, until: float = 1.0) -> None:
        super().__init__()
        if std < 0 or until <= 0:
            raise ValueError(f"noise needs std >= 0 and until > 0, not {std} and {until}")
        self.std, self.until = std, until

    def forward(
        self, x: Tensor, progress: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Samples [B, …] with noise."""
        std = self.std * max(0.0, 1 - progress / self.until)
        if not std:
            return x
        noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        return x + std * noise
