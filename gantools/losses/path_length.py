"""Path length regularisation: a step in a generator's codes moves its image by a fixed length."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PathLength(nn.Module):
    """w · E(‖J(c)ᵀ y‖ − a)² of a generator's Jacobian J at codes c (Karras et al. 2020, eq. 4).

    y is Gaussian noise in the shape of the samples, divided by √(height · width) as in the
    authors' code, and a the running mean of the lengths ‖Jᵀ y‖, which each call moves by
    ``decay`` towards its own mean. The mean is a buffer, so it is part of the module's state.

    Args:
        weight: w.
        decay: the share in (0, 1] that the newest lengths have in the running mean.

    Example:
        >>> path_length = PathLength()
        >>> codes = torch.randn(8, 64, requires_grad=True)
        >>> penalty = path_length(generator(codes), codes)
    """

    mean: Tensor

    def __init__(self, weight: float = 2.0, decay: float = 0.01) -> None:
        super().__init__()
        self.weight, self.decay = weight, decay
        self.register_buffer("mean", torch.zeros(()))

    def forward(
        self, samples: Tensor, codes: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """The weighted penalty, a scalar; it moves the running mean.

        Args:
            samples: what the generator made of the codes, with its graph: images
                [B, C, height, width] or vectors [B, N].
            codes: [B, D], or [B, layers, D], over whose layers squared lengths are averaged; they
                require a gradient.
            generator: where y comes from.
        """
        y = torch.randn(
            samples.shape, generator=generator, device=samples.device, dtype=samples.dtype
        )
        y = y / samples[0, 0].numel() ** 0.5
        (gradient,) = torch.autograd.grad((samples * y).sum(), codes, create_graph=True)
        lengths = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
        lengths = lengths / gradient[0, ..., 0].numel() ** 0.5
        mean = self.mean + self.decay * (lengths.mean() - self.mean)
        self.mean.copy_(mean.detach())
        return self.weight * (lengths - mean).square().mean()
