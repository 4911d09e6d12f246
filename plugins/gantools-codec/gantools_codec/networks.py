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
from torch.nn.functional import conv2d, conv_transpose2d, pad

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


class Transform(nn.Module):
    """A linear code of squares, there and back: zₖ = gₖ ⟨bₖ, x − m⟩, x̂ = m + Σₖ zₖ bₖ.

    Args:
        planes: of a picture.
        numbers: of a code at each of its places.
        stride: side of a square, pixels.
    """

    def __init__(self, planes: int, numbers: int, stride: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(numbers, planes, stride, stride))
        self.length = planes**0.5 * stride  # so that a step of the optimizer is small for them
        self.gain = nn.Parameter(torch.ones(numbers))
        self.mean = nn.Parameter(torch.zeros(planes, stride, stride))

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Begin with the principal components of squares, [N, C, stride, stride].

        There are as many as squares at most; the others stay as they are.
        """
        self.mean.copy_(x.mean(0))
        _, _, components = torch.linalg.svd((x - self.mean).flatten(1), full_matrices=False)
        count = min(len(self.directions), len(components))
        found = components[:count].view(count, *self.directions.shape[1:])
        self.directions[:count] = found * self.length

    @property
    def basis(self) -> Tensor:
        """The vectors b, [numbers, C, stride, stride]; of length 1 at first."""
        return self.directions / self.length

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, numbers, H / stride, W / stride]."""
        stride = self.mean.shape[-1]
        away = x - self.mean.repeat(1, x.shape[2] // stride, x.shape[3] // stride)
        return self.gain[:, None, None] * conv2d(away, self.basis, stride=stride)

    def back(self, z: Tensor) -> Tensor:
        """The other way."""
        stride = self.mean.shape[-1]
        mean = self.mean.repeat(1, z.shape[2], z.shape[3])
        return mean + conv_transpose2d(z, self.basis, stride=stride)


def correction(planes: int, numbers: int, stride: int, width: int) -> nn.Sequential:
    """What an encoder adds to a linear code; nothing at first. [B, C, H, W] -> [B, numbers, …]."""
    layers, outputs = _down(planes, stride, width)
    return nn.Sequential(*layers, _nothing_yet(nn.Conv2d(outputs, numbers, 1)))


def refinement(planes: int, width: int) -> nn.Sequential:
    """What a generator adds to what a linear code draws; nothing at first. [B, C, H, W] -> same.

    It works on squares of 2 × 2 pixels, which is three times as fast as on single ones.
    """
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(4 * planes, 2 * width, 3, padding=1),
        leaky(),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        leaky(),
        _nothing_yet(nn.Conv2d(2 * width, 4 * planes, 3, padding=1)),
        nn.PixelShuffle(2),
    )


def _down(planes: int, stride: int, width: int) -> tuple[list[nn.Module], int]:
    """Convolutions to one place in ``stride`` pixels, and their last channels."""
    layers: list[nn.Module] = []
    inputs = planes
    for i in range(int(math.log2(stride))):
        outputs = width * min(2**i, 4)
        layers += [nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), leaky()]
        inputs = outputs
    return layers, inputs


def _nothing_yet(layer: nn.Conv2d) -> nn.Conv2d:
    assert layer.bias is not None
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class Law(nn.Module):
    """How likely the numbers of a code are, each by itself: a mixture for each."""

    def __init__(self, numbers: int, mixtures: int = 4) -> None:
        super().__init__()
        first = torch.zeros(numbers, 3, mixtures)
        first[:, 0] = torch.linspace(-0.1, 0.1, mixtures)
        first[:, 1] = torch.linspace(0, 2, mixtures)
        self.outputs = nn.Parameter(first.flatten(1))

    def forward(self, z: Tensor) -> Tensor:
        """Bits of codes, [B, numbers, h, w] -> the same; differentiable in z."""
        values = z.movedim(1, -1) + HALF
        outputs = self.outputs.expand(*values.shape, -1).flatten(0, -2)
        found = bits(values.flatten(), torch.full_like(outputs[:, 0], HALF), outputs)
        return found.view(values.shape).movedim(-1, 1)


def rounded(y: Tensor) -> Tensor:
    """The nearest code; its gradient is that of y (straight through)."""
    return y + (y.round().clamp(-HALF, HALF - 1) - y).detach()


class Discriminator(nn.Module):
    """Scores pictures with their codes, [B, C, H, W] and [B, numbers, …] -> [B, …].

    ALI's and BiGAN's (Dumoulin et al., Donahue et al. 2017): from (x, E(x)) it tells (G(z), z).
    """

    def __init__(self, planes: int, numbers: int, stride: int, width: int = 32) -> None:
        super().__init__()
        layers, inputs = _down(planes, stride, width)
        self.stride, self.look = stride, nn.Sequential(*layers)
        self.joint = nn.Sequential(
            nn.Conv2d(inputs + numbers, 128, 1), leaky(), nn.Conv2d(128, 1, 1)
        )

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """One score for each place of the code."""
        seen = self.look(padded(x, self.stride))
        return self.joint(torch.cat([seen, z / 8], 1)).flatten(1)


def whole(layers: nn.Sequential) -> Network:
    """The same network in whole numbers: linear layers, convolutions, leaky ReLUs, shuffles.

    Raises:
        ValueError: a weight is beyond ±256.
    """
    said: list[list[Any]] = []
    weights: dict[str, Array] = {}
    for i, layer in enumerate(layers):
        if isinstance(layer, nn.LeakyReLU):
            said.append(["relu"])
            continue
        if isinstance(layer, nn.PixelUnshuffle):
            said.append(["unshuffle", layer.downscale_factor])
            continue
        if isinstance(layer, nn.PixelShuffle):
            said.append(["shuffle", layer.upscale_factor])
            continue
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        assert layer.bias is not None
        if isinstance(layer, nn.Linear):
            said.append(["linear", str(i)])
        else:
            sides = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
            said.append(["conv", str(i), *sides])
        weights[f"{i}.weight"] = whole_weights(layer.weight.flatten(1))
        bias = layer.bias.detach().double().cpu().numpy()
        weights[f"{i}.bias"] = np.rint(bias * WEIGHT * ACTIVATION + WEIGHT / 2)  # floor rounds
    return Network(said, weights)


def whole_weights(weights: Tensor) -> Array:
    """Weights as integers.

    Raises:
        ValueError: one is beyond ±256.
    """
    real = weights.detach().double().cpu().numpy()
    if np.abs(real).max(initial=0) * WEIGHT > MOST_WEIGHT:
        raise ValueError(f"a weight is {np.abs(real).max():.3g}, beyond 256")
    return np.rint(real * WEIGHT)


def padded(x: Tensor, stride: int) -> Tensor:
    """Pictures whose sides are multiples of the stride: the last row and column go on."""
    height, width = x.shape[2:]
    return pad(x, (0, -width % stride, 0, -height % stride), mode="replicate")
