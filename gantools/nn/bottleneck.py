"""The variational discriminator bottleneck (Peng et al. 2019) and its Lagrange multiplier."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gantools.losses import bottleneck_kl


class Code(NamedTuple):
    """The distribution N(mean, std²) of the code z of every sample.

    Attributes:
        mean: [B, K].
        std: [B, K], positive.
    """

    mean: Tensor
    std: Tensor

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """z = mean + std · ε with ε ~ N(0, 1), [B, K]; gradients flow into mean and std."""
        noise = torch.randn(
            self.mean.shape,
            generator=generator,
            device=self.mean.device,
            dtype=self.mean.dtype,
        )
        return self.mean + self.std * noise

    def information(self) -> Tensor:
        """KL(N(mean, std²) ‖ N(0, 1)) of every sample in nats, [B]."""
        return bottleneck_kl(self.mean, self.std)


class Bottleneck(nn.Linear):
    """The last layer of an encoder E(z|x): features [B, features] -> :class:`Code` [B, size].

    A discriminator with a bottleneck scores the code's sample while it learns, and its mean when
    others look at it. Its loss is that of the samples plus β (E KL − I_c), β the
    :class:`Multiplier` (Peng et al. 2019, section 4).

    Args:
        features: of a sample.
        size: K, of the code.
    """

    def __init__(self, features: int, size: int) -> None:
        super().__init__(features, 2 * size)

    def forward(self, features: Tensor) -> Code:  # type: ignore[override]
        """Mean and standard deviation of the code, [B, K] each; the latter is at least 1e-4."""
        mean, spread = super().forward(features).chunk(2, 1)
        return Code(mean, softplus(spread) + 1e-4)


class Multiplier(nn.Module):
    """The bottleneck's Lagrange multiplier β ≥ 0, a player of its own (Peng et al. 2019).

    Its loss is −β (E KL − I_c): gradient descent on it with ``torch.optim.SGD`` is the dual
    ascent β ← max(0, β + α (E KL − I_c)), α the learning rate.
    """

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.zeros(()))

    def forward(self) -> Tensor:
        """β, projected onto [0, ∞)."""
        with torch.no_grad():
            self.beta.clamp_(min=0)
        return self.beta
