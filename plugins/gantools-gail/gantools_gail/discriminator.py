"""Discriminators on (observation, action): plain, spectrally normalised, or with a bottleneck."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from gantools.nn import Bottleneck, Code

Constraint = Literal["gradient-penalty", "spectral-norm", "bottleneck", "none"]


class Discriminator(nn.Module):
    """Logit D(s, a) that a transition is the expert's: two hidden layers of 100 tanh units.

    Inputs are normalised by the expert's statistics, which are fixed, so that training and
    reward see the same function. The absorbing state that follows a terminated episode is a point
    of its own: a last input of 1 beside zeros.

    Args:
        mean: of the expert's features, [d + a].
        std: of the same, [d + a].
        constraint: ``bottleneck`` puts a stochastic code before the last layer (VAIL).
    """

    def __init__(
        self, mean: Tensor, std: Tensor, constraint: Constraint, hidden: int = 100, code: int = 32
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)
        normal = spectral_norm if constraint == "spectral-norm" else nn.Identity()
        self.body = nn.Sequential(
            normal(nn.Linear(len(mean) + 1, hidden)),
            nn.Tanh(),
            normal(nn.Linear(hidden, hidden)),
            nn.Tanh(),
        )
        self.encoder = Bottleneck(hidden, code) if constraint == "bottleneck" else None
        self.head = normal(nn.Linear(code if self.encoder else hidden, 1))

    def inputs(self, features: Tensor) -> Tensor:
        """Normalised features and the absorbing flag 0: [B, d + a] -> [B, d + a + 1]."""
        normalised = ((features - self.mean) / self.std).clamp(-10, 10)
        return torch.cat([normalised, torch.zeros_like(normalised[:, :1])], 1)

    def absorbing(self) -> Tensor:
        """The absorbing state's input, [1, d + a + 1]."""
        return torch.cat([torch.zeros_like(self.mean), self.mean.new_ones(1)])[None]

    def encode(self, inputs: Tensor) -> Code:
        """Mean and standard deviation of the bottleneck's code, [B, K] each."""
        assert self.encoder is not None
        return self.encoder(self.body(inputs))

    def score(self, code: Tensor) -> Tensor:
        """Logits [B] of codes [B, K]."""
        return self.head(code)[:, 0]

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits [B] of inputs [B, d + a + 1]; with a bottleneck, at the code's mean."""
        code = self.body(inputs) if self.encoder is None else self.encode(inputs).mean
        return self.score(code)
