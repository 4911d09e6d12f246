"""Constraints on all weights of a player: what makes its module a tame function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import nn
from torch.nn.utils import parametrizations

from gantools.nn.layers import equalized, linear_layers

Project = Callable[[nn.Module], None]
"""Takes a module's parameters back into what is allowed, in place, after a step."""


class Constraint(Protocol):
    """What every constraint that is known by a name can be called as."""

    def __call__(self, module: nn.Module) -> Project | None:
        """Prepare the module in place, before its optimizer is made.

        Further arguments are the constraint's own options, which all have defaults.

        Args:
            module: the player's.

        Returns:
            What is to be called with the module after each of the player's steps, or None.
        """
        ...


def spectral_norm(module: nn.Module, n_power_iterations: int = 1) -> None:
    """Divide the weight of every Linear and Conv* layer by its largest singular value.

    W/σ(W), σ by power iteration, which goes on at every forward pass in training mode (Miyato et
    al. 2018, eq. 8 and algorithm 1); torch's own parametrisation on each layer. A convolution's
    weight counts as a matrix [out, in · kernel]. A player's moving average averages the iteration's
    vectors too and is normalised to within a few percent.

    Args:
        module: is changed in place.
        n_power_iterations: of each forward pass.

    Raises:
        ValueError: the module has no such layer.
    """
    for layer in linear_layers(module):
        parametrizations.spectral_norm(layer, n_power_iterations=n_power_iterations)


def weight_clip(module: nn.Module, limit: float = 0.01) -> Project:
    """Keep every parameter in [−limit, limit] after each step (Arjovsky et al. 2017, algorithm 1).

    Raises:
        ValueError: the limit is not positive.
    """
    if limit <= 0:
        raise ValueError(f"weights are clipped to a positive limit, not {limit}")

    @torch.no_grad()
    def project(module: nn.Module) -> None:
        for parameter in module.parameters():
            parameter.clamp_(-limit, limit)

    return project


def equalized_learning_rate(
    module: nn.Module, lr_multiplier: float = 1.0, gain: float = 1.0
) -> None:
    """Draw all weights anew so that all layers learn equally fast (PGGAN, Karras et al. 2018).

    ŵ = c · μ · w of every Linear and Conv* layer, w ~ N(0, 1/μ²) trained, c = gain / √fan_in, μ the
    multiplier; see :func:`gantools.nn.equalized`.
    """
    equalized(module, lr_multiplier, gain)
