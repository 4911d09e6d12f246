"""Networks of whole numbers: the same output on every machine, at any batch size and thread count.

Numbers are integers held in float64, activations in units of 1/1024, weights in units of 1/4096.
Products and their sums stay below 2**53, so each of them is exact, and the order in which a library
adds them cannot matter. Only numpy is needed to run one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

ACTIVATION = 1 << 10
"""What stands for 1 in an input or output."""
WEIGHT = 1 << 12
"""What stands for 1 in a weight."""
MOST = float(1 << 20)
"""The greatest activation, 1024 in real numbers: beyond it they are cut off."""
MOST_WEIGHT = float((1 << 20) - 1)
"""The greatest weight, 256 in real numbers: 2**12 inputs of 2**20 times it are below 2**53."""
AT_ONCE = 1 << 16
"""Numbers that a convolution takes in at once: what it does with them stays in a cache."""
SLOPE = 1 / 8
"""Of the leaky ReLU, a power of two."""


class Network:
    """A sequence of layers on integers.

    Args:
        layers: ``["linear", name]``; ``["conv", name, side, stride, padding]``, padded with zeros;
            ``["relu"]``, leaky with :data:`SLOPE`; ``["unshuffle", side]``, squares of pixels to
            channels, and ``["shuffle", side]`` back, as torch does.
        weights: integers, ``name.weight`` [outputs, inputs · side²] and ``name.bias`` [outputs].
    """

    def __init__(self, layers: Sequence[Sequence[Any]], weights: Mapping[str, Array]) -> None:
        self.layers = [list(layer) for layer in layers]
        self.weights = {
            name: np.ascontiguousarray(value, np.float64) for name, value in weights.items()
        }

    def __call__(self, x: Array) -> Array:
        """[N, inputs] or [N, C, H, W] -> the same of the last layer; integers in float64."""
        for kind, *about in self.layers:
            if kind == "linear":
                x = self._affine(x, *about)
            elif kind == "conv":
                few = max(1, AT_ONCE // x[0].size)
                x = np.concatenate([self._conv(part, *about) for part in _parts(x, few)])
            elif kind == "unshuffle":
                x = _unshuffled(x, *about)
            elif kind == "shuffle":
                x = _shuffled(x, *about)
            else:
                x = np.maximum(x, np.floor(x * SLOPE))
        return x

    def _affine(self, x: Array, name: str) -> Array:
        total = x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]
        return np.clip(np.floor(total / WEIGHT), -MOST, MOST)

    def _conv(self, x: Array, name: str, side: int, stride: int, padding: int) -> Array:
        x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(2, 3))
        windows = windows[:, :, ::stride, ::stride].transpose(0, 2, 3, 1, 4, 5)
        n, h, w = windows.shape[:3]
        rows = windows.reshape(n * h * w, -1)
        return self._affine(rows, name).reshape(n, h, w, -1).transpose(0, 3, 1, 2)


def _parts(x: Array, few: int) -> list[Array]:
    """Parts of x of ``few`` rows; x itself if it has none."""
    return [x[i : i + few] for i in range(0, len(x), few)] or [x]


def _unshuffled(x: Array, side: int) -> Array:
    """[N, C, H, W] -> [N, C · side², H / side, W / side]."""
    n, c, h, w = x.shape
    squares = x.reshape(n, c, h // side, side, w // side, side).transpose(0, 1, 3, 5, 2, 4)
    return squares.reshape(n, c * side * side, h // side, w // side)


def _shuffled(x: Array, side: int) -> Array:
    """The other way."""
    n, c, h, w = x.shape
    squares = x.reshape(n, c // side**2, side, side, h, w).transpose(0, 1, 4, 2, 5, 3)
    return squares.reshape(n, c // side**2, h * side, w * side)
