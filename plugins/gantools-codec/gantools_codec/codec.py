"""The codec: one network of two directions, picture to code and back, and how likely pixels are."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gantools_codec.contexts import Canvas, context
from gantools_codec.networks import (
    Law,
    PixelModel,
    Transform,
    correction,
    padded,
    refinement,
    rounded,
)


class Codec(nn.Module):
    """What codes and draws, and what says how likely pixels and codes are.

    Args:
        planes: of a picture, 1 or 3. One of several learns to code planes by themselves, too, for
            greys and transparency.
        numbers: of a code at each of its places; 0: there is no code.
        stride: pixels from place to place.
        width, mixtures: of the pixel networks.
        channels: of encoder and generator.
        sight: how far around a pixel its network sees what the code draws.
    """

    def __init__(
        self,
        planes: int,
        numbers: int,
        stride: int,
        *,
        width: int,
        mixtures: int,
        channels: int,
        sight: int,
    ) -> None:
        super().__init__()
        self.planes, self.numbers, self.stride, self.sight = planes, numbers, stride, sight
        extra = planes * (2 * sight + 1) ** 2 if numbers else 0
        self.pixels = PixelModel(planes, extra, width, mixtures)
        if planes > 1:
            self.plane = PixelModel(1, 0, width, mixtures)
        if numbers:
            self.transform = Transform(planes, numbers, stride)
            self.correction = correction(planes, numbers, stride, channels)
            self.refinement = refinement(planes, channels)
            self.law = Law(numbers, mixtures)

    def encode(self, x: Tensor) -> Tensor:
        """[B, C, H, W] in [−1, 1) -> whole numbers [B, numbers, H / stride, W / stride]."""
        x = padded(x, self.stride)
        return rounded(self.transform(x) + self.correction(x))

    def draw(self, z: Tensor) -> Tensor:
        """The other way; not bounded."""
        x = self.transform.back(z)
        return x + self.refinement(x)

    def pixel_bits(self, x: np.ndarray, at: np.ndarray, drawn: Tensor | None) -> Tensor:
        """Bits of pixels given their neighbours and what the code draws.

        Args:
            x: pictures, uint8 [B, H, W, C].
            at: which pixels of each, [B, P], in raster order from 0.
            drawn: [B, C, H', W'], H' ≥ H and W' ≥ W.

        Returns:
            [B · P, C].
        """
        about, reference, values = (v.to(self.device) for v in looked_up(x, at))
        extra = None if drawn is None else self.look(drawn, x.shape[1:3], at)
        return self.pixels(about, reference, values, extra)

    def plane_bits(self, x: np.ndarray, at: np.ndarray) -> Tensor:
        """The same of single planes by themselves, the middle one of each picture: [B · P, 1]."""
        middle = x[..., x.shape[3] // 2, None]
        return self.plane(*(v.to(self.device) for v in looked_up(middle, at)))

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device

    def look(self, drawn: Tensor, size: tuple[int, int], at: np.ndarray) -> Tensor:
        """What is drawn in the square about pixels: [B · P, (2 sight + 1)² · C]; 0 outside."""
        height, width = size
        s = self.sight
        inside = nn.functional.pad(drawn[:, :, :height, :width], (s, s, s, s)).permute(0, 2, 3, 1)
        image = np.arange(len(at))[:, None].repeat(at.shape[1], 1).reshape(-1, 1)
        y, x = np.mgrid[: 2 * s + 1, : 2 * s + 1].reshape(2, -1)
        row, column = np.divmod(at.reshape(-1, 1), width)
        return inside[image, row + y, column + x].flatten(1)


def looked_up(x: np.ndarray, at: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """What is known of pixels: neighbours and place, reference, and their values, float32.

    Args:
        x: uint8 [B, H, W, C].
        at: [B, P], in raster order from 0.
    """
    n, height, width, planes = x.shape
    canvas = Canvas([(n, height, width)], planes)
    canvas.tile(0)[...] = x
    image = np.arange(n).repeat(at.shape[1])
    row, column = np.divmod(at.reshape(-1), width)
    pixels = canvas.pixels(np.zeros_like(image), image, row, column)
    seen = context(canvas, pixels)
    about = np.concatenate([seen.differences, seen.place], 1)
    found = about, seen.reference, canvas.values[pixels.at]
    return tuple(torch.from_numpy(v.astype(np.float32)) for v in found)  # type: ignore[return-value]
