"""What the tests share: a cache of their own, and a coder without a model."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Sequence

import numpy as np
import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GANTOOLS_CACHE", tempfile.mkdtemp(prefix="gantools-"))


class Zlib:
    """Codes by zlib; a lossy quality q keeps the upper 2q bits of every byte. Counts what it does."""

    qualities = 3

    def __init__(self, name: bytes = b"stand-in") -> None:
        self.name = name
        self.batches: list[int] = []

    def encode(self, tiles: Sequence[np.ndarray], quality: int) -> list[bytes]:
        self.batches.append(sum(tile.nbytes for tile in tiles))
        mask = np.uint8(256 - (1 << (8 - 2 * quality))) if quality else np.uint8(255)
        return [zlib.compress((tile & mask).tobytes()) for tile in tiles]

    def decode(
        self, payloads: Sequence[bytes], shapes: Sequence[tuple[int, ...]], quality: int
    ) -> list[np.ndarray]:
        self.batches.append(sum(int(np.prod(shape)) for shape in shapes))
        tiles = []
        for payload, shape in zip(payloads, shapes, strict=True):
            unpacker, size = zlib.decompressobj(), int(np.prod(shape))
            try:
                pixels = unpacker.decompress(payload, size)
            except zlib.error as error:
                raise ValueError("no such payload") from error
            if len(pixels) != size:
                raise ValueError("too few pixels")
            tiles.append(np.frombuffer(pixels, np.uint8).reshape(shape))
        return tiles

    def code_bytes(self, payload: bytes) -> int:
        return 2  # zlib's own header


@pytest.fixture
def coder() -> Zlib:
    return Zlib()


@pytest.fixture
def other_coder() -> Zlib:
    return Zlib(b"another!")
