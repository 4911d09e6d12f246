"""The networks: of a codec (what encodes, what draws, what says how likely pixels are), and of a
discriminator that looks at pictures with their codes.

Pictures x are [B, C, H, W] in [−1, 1), v / 128 − 1 of values v, H and W multiples of the code's
stride; codes z are whole numbers [B, numbers, H / stride, W / stride], −128 to 127.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from gantools_codec import integers
from gantools_codec.contexts import PLACE, X
from gantools_codec.integers import ACTIVATION, MOST_WEIGHT, WEIGHT, Array, Network
from gantools_codec.mixtures import FLOOR, LEAST_SCALE, MOST_SCALE, SPREAD

HALF = 128
"""What is added to a code's numbers to make them the values of sub-pixels."""


def leaky() -> nn.LeakyReLU:
    """The activation of all networks."""
    return nn.LeakyReLU(integers.SLOPE)


def pixel_network(inputs: int, width: int, mixtures: int) -> nn.Sequential:
    """What is known of a sub-pixel -> its mixture, [B, inputs] -> [B, 3 · mixtures]."""
    last = nn.Linear(width, 3 * mixtures)
    with torch.no_grad():
        last.weight.mul_(0.1)
        last.bias[:mixtures] = torch.linspace(-0.1, 0.1, mixtures)
        last.bias[mixtures : 2 * mixtures] = torch.linspace(0.5, 3, mixtures)
        last.bias[2 * mixtures :] = 0
    return nn.Sequential(nn.Linear(inputs, width), leaky(), nn.Linear(width, width), leaky(), last)


def bits(x: Tensor, reference: Tensor, outputs: Tensor) -> Tensor:
    """−log₂ P(x) of values 0 to 255, [B], under mixtures relative to the reference, [B].

    What :mod:`gantools_codec.mixtures` does with whole numbers, with real ones; differentiable in
    x, so that a code can learn to be cheap.
    """
    mean, scale, weight = outputs.chunk(3, 1)
    away = x[:, None] - reference[:, None] - SPREAD * mean
    precision = torch.exp(-scale.clamp(LEAST_SCALE, MOST_SCALE))
    upper, lower = (away + 0.5) * precision, (away - 0.5) * precision
    upper = torch.where(x[:, None] > 254.5, math.inf, upper)
    lower = torch.where(x[:, None] < 0.5, -math.inf, lower)
    inside = upper.sigmoid() - lower.sigmoid()
    likely = (weight.softmax(1) * inside).sum(1)
    return -torch.log2(likely * (1 - 4 * FLOOR) + FLOOR / 4)


class PixelModel(nn.Module):
    """How likely the values of pixels are: a network for each plane.

    Args:
        planes: numbers of a pixel; plane k's network sees those before it.
        extra: numbers that a code says of a pixel.
        width: of the hidden layers.
        mixtures: logistic distributions in a mixture.
    """

    def __init__(self, planes: int, extra: int = 0, width: int = 64, mixtures: int = 4) -> None:
        super().__init__()
        about = len(X) * planes + PLACE + extra
        self.networks = nn.ModuleList(
            pixel_network(about + k, width, mixtures) for k in range(planes)
        )

    def forward(
        self, about: Tensor, reference: Tensor, values: Tensor, extra: Tensor | None = None
    ) -> Tensor:
        """The bits of every sub-pixel, [B, planes].

        Args:
            about: neighbours and place, [B, 24 · planes + 5], in the units of
                :mod:`gantools_codec.contexts`.
            reference: [B, planes], 0 to 255.
            values: [B, planes], 0 to 255.
            extra: what the code says, [B, extra], in real numbers.
        """
        inputs = [about / ACTIVATION] + ([] if extra is None else [extra])
        at, found = reference[:, 0], []
        for k, network in enumerate(self.networks):
            found.append(bits(values[:, k], at, network(torch.cat(inputs, 1))))
            if k + 1 < len(self.networks):
                error = values[:, k] - reference[:, k]
                inputs.append(error[:, None] / SPREAD)
                at = (reference[:, k + 1] + error).clamp(0, 255)
        return torch.stack(found, 1)


class Encoder(nn.Module):
    """What codes pictures: x [B, C, H, W] -> z before it is rounded, [B, numbers, …].

    Args:
        planes: C.
        numbers: of a code at each of its places.
        stride: pixels from place to place, a power of two from 8.
        width: channels after the first step.
    """

    def __init__(self, planes: int, numbers: int, stride: int, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = planes
        for i in range(int(math.log2(stride))):
            outputs = width * min(2**i, 4)
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), leaky()]
            inputs = outputs
        layers += [nn.Conv2d(inputs, inputs, 1), leaky(), nn.Conv2d(inputs, numbers, 1)]
        self.layers = nn.Sequential(*layers)
        self.scale = nn.BatchNorm2d(numbers)
        nn.init.constant_(self.scale.weight, 3.0)

    def forward(self, x: Tensor) -> Tensor:
        """Encode, without rounding."""
        return self.scale(self.layers(x))


def rounded(y: Tensor) -> Tensor:
    """The nearest code; its gradient is that of y (straight through)."""
    return y + (y.round().clamp(-HALF, HALF - 1) - y).detach()


class Generator(nn.Module):
    """What draws from codes: z -> features of every pixel, [B, features, H, W].

    The first C features are the picture. The layers are such that :func:`whole` can make them
    whole numbers.
    """

    def __init__(self, features: int, numbers: int, stride: int, width: int = 32) -> None:
        super().__init__()
        steps = int(math.log2(stride))
        channels = [width * min(4, 2 ** (steps - i - 1)) for i in range(steps)]
        layers: list[nn.Module] = [nn.Conv2d(numbers, channels[0], 3, padding=1), leaky()]
        for inputs, outputs in zip(channels, [*channels[1:], width], strict=True):
            layers += [
                nn.Upsample(scale_factor=2),
                nn.Conv2d(inputs, outputs, 3, padding=1),
                leaky(),
            ]
        layers.append(nn.Conv2d(width, features, 3, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Draw; z are whole numbers, taken in eighths."""
        return self.layers(z / 8)


class Discriminator(nn.Module):
    """Scores pictures with their codes, [B, C, H, W] and [B, numbers, …] -> [B, …].

    ALI's and BiGAN's (Dumoulin et al., Donahue et al. 2017): from (x, E(x)) it tells (G(z), z).
    """

    def __init__(self, planes: int, numbers: int, stride: int, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = planes
        for i in range(int(math.log2(stride))):
            outputs = width * min(2**i, 4)
            layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), leaky()]
            inputs = outputs
        self.stride, self.look = stride, nn.Sequential(*layers)
        self.joint = nn.Sequential(
            nn.Conv2d(inputs + numbers, 128, 1), leaky(), nn.Conv2d(128, 1, 1)
        )

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """One score for each place of the code."""
        seen = self.look(padded(x, self.stride))
        return self.joint(torch.cat([seen, z / 8], 1)).flatten(1)


def whole(layers: nn.Sequential, scale: nn.BatchNorm2d | None = None) -> Network:
    """The same network in whole numbers, in evaluation mode.

    Args:
        layers: linear layers, convolutions, leaky ReLUs, upsampling by 2.
        scale: what follows the last layer, which takes it in.

    Raises:
        ValueError: a weight is beyond ±256.
    """
    said: list[list[Any]] = []
    weights: dict[str, Array] = {}
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.LeakyReLU):
            said.append(["relu"])
            continue
        if isinstance(layer, nn.Upsample):
            said.append(["grow"])
            continue
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        assert layer.bias is not None
        weight = layer.weight.detach().double().cpu().flatten(1).numpy()
        bias = layer.bias.detach().double().cpu().numpy()
        if scale is not None and layer is layers[-1]:
            weight, bias = _taken_in(weight, bias, scale)
        if isinstance(layer, nn.Linear):
            said.append(["linear", str(i)])
        else:
            sides = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
            said.append(["conv", str(i), *sides])
        weights[f"{i}.weight"] = np.rint(weight * WEIGHT)
        weights[f"{i}.bias"] = np.rint(bias * WEIGHT * ACTIVATION + WEIGHT / 2)  # floor rounds
        if np.abs(weights[f"{i}.weight"]).max() > MOST_WEIGHT:
            raise ValueError(f"a weight of layer {i} is {np.abs(weight).max():.3g}, beyond 256")
    return Network(said, weights)


def _taken_in(weight: Array, bias: Array, scale: nn.BatchNorm2d) -> tuple[Array, Array]:
    state = {name: v.double().cpu().numpy() for name, v in scale.state_dict().items()}
    mean, var, gain, shift = (
        state[name] for name in ("running_mean", "running_var", "weight", "bias")
    )
    by = gain / np.sqrt(var + scale.eps)
    return weight * by[:, None], (bias - mean) * by + shift


def padded(x: Tensor, stride: int) -> Tensor:
    """Pictures whose sides are multiples of the stride: the last row and column go on."""
    height, width = x.shape[2:]
    return pad(x, (0, -width % stride, 0, -height % stride), mode="replicate")
