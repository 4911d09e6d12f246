"""Coding pixels with a model: a short code of a picture, and its pixels given what the code draws.

The model's networks are of whole numbers (:mod:`gantools_codec.integers`), so whoever decodes finds
the same probabilities, bit for bit. Coding and decoding walk the same way: wave by wave, plane by
plane, two bits at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import constriction
import numpy as np

from gantools_codec.container import Shape, varint
from gantools_codec.contexts import UNIT, Canvas, Pixels, context, look
from gantools_codec.integers import ACTIVATION, MOST, WEIGHT, Array, Network
from gantools_codec.mixtures import Digits, Mixtures

FAMILY = constriction.stream.model.Categorical(perfect=False)
"""Distributions over a few symbols by their weights, with 24 bits."""
STEPS = (1, 0, 16, 8, 4, 2)
"""How coarse values are, by quality: lossless; what the code draws alone; in steps of 16; …"""
HALF = 128
"""What is added to a code's numbers to make them the values of sub-pixels."""


class Stream(Protocol):
    """One direction of coding."""

    def code(self, weights: Array, symbols: Array) -> Array:
        """Code symbols [B], integers of which the weights, float32 [B, S], say how likely each is.

        Returns:
            The symbols; a stream that reads does not look at those that it is given.
        """


class Writing:
    """Symbols become bytes."""

    def __init__(self) -> None:
        self._encoder = constriction.stream.queue.RangeEncoder()

    def code(self, weights: Array, symbols: Array) -> Array:
        """Write them."""
        self._encoder.encode(symbols.astype(np.int32), FAMILY, weights)
        return symbols

    def written(self) -> bytes:
        """All so far, but for zeros at the end."""
        return bytes(self._encoder.get_compressed().astype("<u4").tobytes().rstrip(b"\0"))


class Reading:
    """Bytes become symbols."""

    def __init__(self, written: bytes) -> None:
        words = np.frombuffer(written + b"\0" * (-len(written) % 4), "<u4")
        self._decoder = constriction.stream.queue.RangeDecoder(words.astype(np.uint32))

    def code(self, weights: Array, symbols: Array) -> Array:
        """Read them.

        Raises:
            ValueError: nothing that was written has such bytes.
        """
        try:
            return np.asarray(self._decoder.decode(FAMILY, weights), np.intp)
        except AssertionError as error:
            raise ValueError("no symbols are written as these bytes") from error


@dataclass(frozen=True)
class PixelCoder:
    """How likely the values of pixels are.

    Args:
        networks: one for each plane: what is known -> a mixture.
        sight: how far around a pixel they see what a code draws.
    """

    networks: Sequence[Network]
    sight: int = 0

    @property
    def planes(self) -> int:
        """Numbers of a pixel."""
        return len(self.networks)

    def code(
        self,
        streams: Sequence[Stream],
        tiles: Sequence[Array],
        drawn: Sequence[Array] | None = None,
        step: int = 1,
    ) -> list[Array]:
        """Code the pixels of tiles side by side.

        Args:
            streams: one for each tile.
            tiles: uint8 [n, h, w, planes] each; those of a stream that reads only have this shape.
            drawn: what their codes draw, integers [n, h, w, planes].
            step: a power of two up to 16; values are coded as multiples of it.

        Returns:
            The pixels as a reader has them: in the middle of their step.
        """
        shapes = [tile.shape[:3] for tile in tiles]
        truth, canvas = Canvas(shapes, self.planes), Canvas(shapes, self.planes)
        sketch = None if drawn is None else Canvas(shapes, self.planes)
        for i, tile in enumerate(tiles):
            truth.tile(i)[...] = tile
            if sketch is not None and drawn is not None:
                sketch.tile(i)[...] = drawn[i]
        for pixels in canvas.waves():
            self._wave(streams, canvas, truth, sketch, pixels, step)
        return [canvas.tile(i).astype(np.uint8) for i in range(len(tiles))]

    def _wave(
        self,
        streams: Sequence[Stream],
        canvas: Canvas,
        truth: Canvas,
        sketch: Canvas | None,
        pixels: Pixels,
        step: int,
    ) -> None:
        seen = context(canvas, pixels)
        inputs = [seen.differences, seen.place]
        if sketch is not None:
            inputs.append(look(sketch, pixels, self.sight))
        ends = [0, *(np.flatnonzero(np.diff(pixels.tile)) + 1), len(pixels.at)]
        parts = [(streams[pixels.tile[a]], slice(a, b)) for a, b in pairwise(ends) if b > a]
        reference = seen.reference[:, 0]
        for plane, network in enumerate(self.networks):
            digits = Digits(Mixtures(network(np.concatenate(inputs, 1)), reference), step)
            rest = truth.values[pixels.at, plane].astype(np.intp)
            while digits.size > step:
                weights = digits.weights()
                symbols, rest = np.divmod(rest, digits.part)
                for stream, part in parts:
                    symbols[part] = stream.code(weights[part], symbols[part])
                digits.take(symbols)
            values = digits.values + step // 2
            canvas.values[pixels.at, plane] = values
            if plane + 1 < self.planes:
                error = values - seen.reference[:, plane]
                inputs.append(error[:, None] * UNIT)
                reference = np.clip(seen.reference[:, plane + 1] + error, 0, 255)


@dataclass(frozen=True)
class CodeCoder:
    """A code of squares: how it is found, how likely it is, and what it draws.

    Args:
        basis: [numbers, planes · stride²], integers as a network's weights are.
        gain: of each number, [numbers], the same.
        mean: of squares, [planes · stride²], integers as a network's inputs are.
        correction: what is added to the linear code, [n, planes, H, W] -> [n, numbers, h, w].
        refinement: what is added to what that draws, [n, planes, H, W] -> the same.
        law: a mixture for each number, [numbers, 3K], as a network's outputs are.
        stride: side of a square, pixels.
    """

    basis: Array
    gain: Array
    mean: Array
    correction: Network
    refinement: Network
    law: Array
    stride: int

    def find(self, tile: Array) -> Array:
        """uint8 [n, h, w, planes] -> a code, 0 to 255: integers [n, numbers, h', w']."""
        down, right = (-side % self.stride for side in tile.shape[1:3])
        whole = np.pad(tile, ((0, 0), (0, down), (0, right), (0, 0)), mode="edge")
        x = whole.transpose(0, 3, 1, 2) * float(ACTIVATION // HALF) - ACTIVATION
        n, planes, height, width = x.shape
        s = self.stride
        squares = x.reshape(n, planes, height // s, s, width // s, s).transpose(0, 2, 4, 1, 3, 5)
        along = (squares.reshape(-1, planes * s * s) - self.mean) @ self.basis.T
        linear = np.floor(along / WEIGHT * self.gain / WEIGHT)
        z = linear.reshape(n, height // s, width // s, -1).transpose(0, 3, 1, 2)
        z = np.floor((z + self.correction(x)) / ACTIVATION + 0.5)
        return np.clip(z + HALF, 0, 255)

    def empty(self, shape: Shape) -> Array:
        """A code of the right shape for a tile of this shape."""
        n, h, w, _ = shape
        return np.zeros((n, len(self.law), -(-h // self.stride), -(-w // self.stride)))

    def code(self, streams: Sequence[Stream], codes: Sequence[Array]) -> list[Array]:
        """Code codes, each by its stream; those of a stream that reads only have their shape."""
        found = []
        for stream, code in zip(streams, codes, strict=True):
            rest = code.transpose(0, 2, 3, 1).reshape(-1).astype(np.intp)
            law = np.tile(self.law, (len(rest) // len(self.law), 1))
            digits = Digits(Mixtures(law, np.full(len(rest), float(HALF))))
            while digits.size > 1:
                weights = digits.weights()
                symbols, rest = np.divmod(rest, digits.part)
                digits.take(stream.code(weights, symbols))
            n, numbers, h, w = code.shape
            found.append(digits.values.reshape(n, h, w, numbers).transpose(0, 3, 1, 2))
        return found

    def draw(self, code: Array, shape: Shape) -> Array:
        """A code -> integers [n, h, w, planes] in the units of networks."""
        n, numbers, h, w = code.shape
        s, planes = self.stride, len(self.mean) // self.stride**2
        rows = (code - HALF).transpose(0, 2, 3, 1).reshape(-1, numbers)
        squares = np.floor(rows @ self.basis * (ACTIVATION / WEIGHT) + self.mean + 0.5)
        squares = np.clip(squares, -MOST, MOST).reshape(n, h, w, planes, s, s)
        x = squares.transpose(0, 3, 1, 4, 2, 5).reshape(n, planes, h * s, w * s)
        drawn = np.clip(x + self.refinement(x), -MOST, MOST)
        return drawn.transpose(0, 2, 3, 1)[:, : shape[1], : shape[2]]


def shown(drawn: Array) -> Array:
    """What was drawn, as pixels: uint8."""
    return np.clip(np.floor((drawn + ACTIVATION) * HALF / ACTIVATION + 0.5), 0, 255).astype(
        np.uint8
    )


@dataclass(frozen=True)
class Part:
    """What codes pictures of so many planes."""

    pixels: PixelCoder
    code: CodeCoder | None = None

    def code_tiles(
        self,
        codes: Sequence[Stream],
        pixels: Sequence[Stream],
        tiles: Sequence[Array],
        step: int,
    ) -> list[Array]:
        """Code tiles, [n, h, w, planes] each, by the two streams of each.

        Args:
            step: 0: only what the code draws is kept; where there is none, the coarsest step.
        """
        if self.code is None:
            return self.pixels.code(pixels, tiles, None, step or max(STEPS))
        writing = isinstance(codes[0], Writing)
        z = [self.code.find(tile) if writing else self.code.empty(tile.shape) for tile in tiles]
        z = self.code.code(codes, z)
        drawn = [self.code.draw(code, tile.shape) for code, tile in zip(z, tiles, strict=True)]
        if step == 0:
            return [shown(picture) for picture in drawn]
        return self.pixels.code(pixels, tiles, drawn, step)


class ModelCoder:
    """Codes tiles with a model; see :class:`gantools_codec.container.Coder`.

    A tile's payload is the length of its code in bytes, the code, and its pixels. What the model
    has no planes for (the colours of a model of greys) is coded plane by plane; transparency is
    always kept exactly.

    Args:
        name: 8 bytes.
        parts: by the planes that they code, and whether that is for lossy qualities.
    """

    def __init__(self, name: bytes, parts: Mapping[tuple[int, bool], Part]) -> None:
        self.name, self.parts = name, dict(parts)

    @property
    def qualities(self) -> int:
        """How many lossy qualities there are."""
        return len(STEPS) - 1

    def encode(self, tiles: Sequence[Array], quality: int) -> list[bytes]:
        """Code tiles, uint8 [n, h, w, C] each, side by side: a payload for each."""
        codes, pixels = ([Writing() for _ in tiles] for _ in range(2))
        self._code(codes, pixels, tiles, quality)
        return [
            _joined(code.written(), rest.written())
            for code, rest in zip(codes, pixels, strict=True)
        ]

    def decode(
        self, payloads: Sequence[bytes], shapes: Sequence[Shape], quality: int
    ) -> list[Array]:
        """The other way.

        Raises:
            ValueError: a payload cannot be one of its shape.
        """
        split = [_split(payload) for payload in payloads]
        codes, pixels = ([Reading(part[i]) for part in split] for i in range(2))
        return self._code(codes, pixels, [np.zeros(shape, np.uint8) for shape in shapes], quality)

    def code_bytes(self, payload: bytes) -> int:
        """How many of a payload's bytes hold codes; the rest hold pixels.

        Raises:
            ValueError: it is no payload.
        """
        return len(_split(payload)[0])

    def _code(
        self,
        codes: Sequence[Stream],
        pixels: Sequence[Stream],
        tiles: Sequence[Array],
        quality: int,
    ) -> list[Array]:
        """Code tiles by the two streams of each; return them as a reader has them."""
        found = [np.zeros_like(tile) for tile in tiles]
        work: dict[tuple[int, bool], list[tuple[int, slice]]] = {}
        for i, tile in enumerate(tiles):
            for which, lossy in self._shares(tile.shape[3], quality > 0):
                work.setdefault((which.stop - which.start, lossy), []).append((i, which))
        for (planes, lossy), where in sorted(work.items(), reverse=True):
            part = self.parts.get((planes, lossy)) or self.parts[planes, not lossy]
            seen = part.code_tiles(
                [codes[i] for i, _ in where],
                [pixels[i] for i, _ in where],
                [tiles[i][..., which] for i, which in where],
                STEPS[quality] if lossy else STEPS[0],
            )
            for (i, which), tile in zip(where, seen, strict=True):
                found[i][..., which] = tile
        return found

    def _shares(self, channels: int, lossy: bool) -> list[tuple[slice, bool]]:
        """The channels of a picture that are coded together, and whether they may lose."""
        opaque = channels - 1 if channels in (2, 4) else channels
        together = opaque if any(planes == opaque for planes, _ in self.parts) else 1
        shares = [(slice(i, i + together), lossy) for i in range(0, opaque, together)]
        return shares + [(slice(opaque, opaque + 1), False)] * (channels - opaque)


def _joined(code: bytes, pixels: bytes) -> bytes:
    return varint(len(code)) + code + pixels


def _split(payload: bytes) -> tuple[bytes, bytes]:
    length = shift = 0
    for i, byte in enumerate(payload[:5]):
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            if length > len(payload) - i - 1:
                break
            return payload[i + 1 : i + 1 + length], payload[i + 1 + length :]
    raise ValueError("a payload begins with the length of its code")
