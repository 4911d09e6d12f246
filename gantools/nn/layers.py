"""Layers of single samples: a plain network, pixel norm, the equalised learning rate."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias, TypeVar

from torch import Tensor, nn
from torch.nn.functional import rms_norm
from torch.nn.utils.parametrize import register_parametrization

M = TypeVar("M", bound=nn.Module)

LinearLayer: TypeAlias = (
    nn.Linear
    | nn.Conv1d
    | nn.Conv2d
    | nn.Conv3d
    | nn.ConvTranspose1d
    | nn.ConvTranspose2d
    | nn.ConvTranspose3d
)
"""The layers that are linear maps: what is done to a module's weights is done to these."""


def linear_layers(module: nn.Module) -> list[LinearLayer]:
    """Every Linear and Conv* layer in the module, itself included, each once.

    Raises:
        ValueError: it has none.
    """
    layers = [layer for layer in module.modules() if isinstance(layer, LinearLayer)]
    if not layers:
        raise ValueError(f"{type(module).__name__} has no linear or convolutional layer")
    return layers


def mlp(
    inputs: int,
    outputs: int,
    width: int = 128,
    depth: int = 2,
    activation: Callable[[], nn.Module] = nn.ReLU,
) -> nn.Sequential:
    """A multilayer perceptron, [B, inputs] -> [B, outputs], with nothing after its last layer.

    Args:
        inputs: features of a sample.
        outputs: of the last layer.
        width: units of each hidden layer.
        depth: how many hidden layers there are; none is one linear map.
        activation: makes what follows a hidden layer, such as ``nn.Tanh``.
    """
    widths = [inputs, *[width] * depth]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


class PixelNorm(nn.Module):
    """b = a / √(1/C Σ_c a_c² + 1e-8) at every position (PGGAN, Karras et al. 2018, section 4.2).

    torch's ``rms_norm`` over the channels, [B, C, …] -> [B, C, …].
    """

    def forward(self, x: Tensor) -> Tensor:
        """Samples [B, C, …] whose root mean square over the channels is one."""
        return rms_norm(x.movedim(1, -1), x.shape[1:2], eps=1e-8).movedim(-1, 1)


class Scale(nn.Module):
    """A parametrisation: the layer computes with ``factor`` times what the optimizer moves."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, original: Tensor) -> Tensor:
        """What the layer computes with."""
        return self.factor * original

    def right_inverse(self, value: Tensor) -> Tensor:
        """What the optimizer moves, for the layer to compute with ``value``."""
        return value / self.factor


def equalized(module: M, lr_multiplier: float = 1.0, gain: float = 1.0) -> M:
    """Let all weights of a layer, or of every Linear and Conv* layer of a module, learn equally.

    The layer computes with ŵ = c · μ · w, c = gain / √fan_in, μ the multiplier, and the optimizer
    moves w ~ N(0, 1/μ²): one step of Adam then moves every layer's weights by the same share of
    their standard deviation, however wide the layer is. Weights are drawn anew, ŵ ~ N(0, c²), and
    biases begin at zero and are multiplied by μ (PGGAN, Karras et al. 2018, section 4.1; μ is
    StyleGAN's, Karras et al. 2019, appendix C, with 0.01 in the mapping network).

    Args:
        module: is changed in place.
        lr_multiplier: μ.
        gain: √2 is for layers that a rectifier follows (He et al. 2015).

    Returns:
        The module itself.

    Raises:
        ValueError: the module has no such layer.

    Example:
        >>> layer = equalized(nn.Linear(512, 512), lr_multiplier=0.01)
    """
    for layer in linear_layers(module):
        weight, bias = layer.weight, layer.bias
        outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
        fan_in = weight.numel() // outputs
        std = gain / fan_in**0.5
        nn.init.normal_(weight, std=std)
        register_parametrization(layer, "weight", Scale(std * lr_multiplier))
        if bias is not None:
            nn.init.zeros_(bias)
            register_parametrization(layer, "bias", Scale(lr_multiplier))
    return module
