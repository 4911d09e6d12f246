"""What is known of a sub-pixel before it is coded: its causal neighbours, and where it is.

Pixels of several tiles lie in one flat canvas, each image with a margin all round, so that nobody
sees what lies beside it by chance, and are coded in waves:
wave t has the pixels of column t − 4r in row r, whose neighbours above reach 3 columns further.
So many pixels are coded side by side, of every row, image and tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gantools_codec.integers import ACTIVATION, Array
from gantools_codec.mixtures import SPREAD

RADIUS = 3
"""How far the neighbours reach: three rows up, three columns to each side."""
ABOVE = [(y, x) for y in range(-RADIUS, 0) for x in range(-RADIUS, RADIUS + 1)]
BEFORE = [(0, x) for x in range(-RADIUS, 0)]
Y, X = np.array([*ABOVE, *BEFORE]).T
"""Rows and columns of the 24 neighbours, relative to the pixel."""
WEST, NORTH, NORTH_WEST = ([*ABOVE, *BEFORE].index(place) for place in ((0, -1), (-1, 0), (-1, -1)))
UNIT = ACTIVATION // SPREAD
"""What a difference of 1 between pixel values is as a network's input."""
PLACE = 5
"""Numbers that say where a pixel is."""

Shape = tuple[int, int, int]
"""n images, their height and width."""


class Pixels(NamedTuple):
    """Some pixels of a canvas, B of them."""

    tile: Array
    at: Array
    """Where in the canvas."""
    row: Array
    column: Array
    height: Array
    width: Array


class Canvas:
    """Pixels of tiles that are coded side by side.

    Args:
        shapes: of every tile.
        planes: numbers of a pixel.
    """

    def __init__(self, shapes: Sequence[Shape], planes: int) -> None:
        self.shapes = list(shapes)
        sizes = [(n * (h + RADIUS) + RADIUS) * (w + 2 * RADIUS) for n, h, w in shapes]
        self._starts = np.cumsum([0, *sizes])
        self.values = np.zeros((int(self._starts[-1]) + RADIUS, planes))

    def tile(self, i: int) -> Array:
        """A view of the pixels of a tile, [n, h, w, planes]."""
        n, h, w = self.shapes[i]
        part = self.values[self._starts[i] :][: n * (h + RADIUS) * (w + 2 * RADIUS)]
        padded = part.reshape(n, h + RADIUS, w + 2 * RADIUS, -1)
        return padded[:, RADIUS:, RADIUS : RADIUS + w]

    def pixels(self, tile: Array, image: Array, row: Array, column: Array) -> Pixels:
        """These pixels, [B] each."""
        _, height, width = np.array(self.shapes).T[:, tile]
        padded = width + 2 * RADIUS
        line = image * (height + RADIUS) + row + RADIUS
        at = self._starts[tile] + line * padded + column + RADIUS
        return Pixels(tile, at, row, column, height, width)

    def waves(self) -> Iterator[Pixels]:
        """All pixels, in the order in which they are coded."""
        slope = RADIUS + 1
        last = max((w + slope * (h - 1) for _, h, w in self.shapes), default=0)
        lines = []
        for tile, (n, h, _) in enumerate(self.shapes):
            image, row = np.divmod(np.arange(n * h), h)
            lines.append(np.stack([np.full(n * h, tile), image, row]))
        tile, image, row = np.concatenate(lines, 1) if lines else np.zeros((3, 0), int)
        widths = np.array([w for _, _, w in self.shapes])[tile]
        for wave in range(last):
            column = wave - slope * row
            on = (column >= 0) & (column < widths)
            if on.any():
                yield self.pixels(tile[on], image[on], row[on], column[on])


class Context(NamedTuple):
    """What is known before a pixel is coded."""

    differences: Array
    """Of its neighbours from the reference, [B, 24 · planes], 0 where there is none; 1 is 32."""
    place: Array
    """Rows above, columns on either side (up to 3), and where in the image, [B, 5]."""
    reference: Array
    """A guess at its values, [B, planes], 0 to 255."""


def context(canvas: Canvas, pixels: Pixels) -> Context:
    """Look around pixels.

    The reference is the median of west, north, and west + north − north-west, as in LOCO-I
    (Weinberger et al. 2000, eq. 1); on the edge what there is of them; 128 in the corner.
    """
    row, column, width = (v[:, None] for v in (pixels.row, pixels.column, pixels.width))
    there = (row + Y >= 0) & (column + X >= 0) & (column + X < width)
    around = canvas.values[pixels.at[:, None] + Y * (width + 2 * RADIUS) + X]
    w, n, nw = around[:, WEST], around[:, NORTH], around[:, NORTH_WEST]
    median = np.maximum(np.minimum(w, n), np.minimum(np.maximum(w, n), w + n - nw))
    has_w, has_n = there[:, WEST, None], there[:, NORTH, None]
    edge = np.where(has_w, w, np.where(has_n, n, 128.0))
    reference = np.where(has_w & has_n, median, edge)
    differences = (around - reference[:, None]) * there[:, :, None] * UNIT
    near = (pixels.row, pixels.column, pixels.width - 1 - pixels.column)
    place = [np.minimum(v, RADIUS) * (ACTIVATION // 4) for v in near]
    place += [
        v * ACTIVATION // of - ACTIVATION // 2
        for v, of in ((pixels.row, pixels.height), (pixels.column, pixels.width))
    ]
    return Context(
        differences.reshape(len(differences), -1), np.stack(place, 1).astype(np.float64), reference
    )


def look(canvas: Canvas, pixels: Pixels, radius: int) -> Array:
    """The values in the square about pixels, all round: [B, (2 radius + 1)² · planes]."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, -1)
    padded = (pixels.width + 2 * RADIUS)[:, None]
    return canvas.values[pixels.at[:, None] + y * padded + x].reshape(len(pixels.at), -1)
