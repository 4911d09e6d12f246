"""Whether a model codes to the same bytes however it is computed: eight ways, each a fresh process.

python benchmarks/codec_exact.py [--run RUN] [--images 64]

Threads of the linear algebra, one image at a time or all at once, and the processor's instructions
that oneDNN and OpenBLAS may use; the pictures are real ones from ../shared where that is there,
else made. Ends with code 1 if one way gives other bytes, or does not decode what another coded.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

CIFAR = Path(__file__).parents[2] / "shared" / "data" / "images" / "cifar10_lossless_train.npz"
PLAIN = {"ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Prescott", "DNNL_VERBOSE": "0"}


def pictures(count: int) -> np.ndarray:
    if CIFAR.exists():
        with np.load(CIFAR) as arrays:
            return arrays["train"][-count:]
    drawn = np.random.default_rng(0)
    base = drawn.integers(0, 200, (count, 1, 1, 3)) + np.arange(32)[:, None, None]
    return (base + drawn.integers(0, 20, (count, 32, 32, 3))).astype(np.uint8)


def one_way(run: Path | None, count: int, together: bool) -> None:
    """Code and decode all qualities, and print the digests."""
    from gantools_codec.model import coder_of

    coder, x = coder_of(run), pictures(count)
    digest = hashlib.sha256()
    for quality in range(coder.qualities + 1):
        tiles = [tile[None] for tile in x]
        shapes = [tile.shape for tile in tiles]
        if together:
            payloads = coder.encode(tiles, quality)
            seen = coder.decode(payloads, shapes, quality)
        else:
            payloads = [coder.encode([tile], quality)[0] for tile in tiles]
            pairs = zip(payloads, shapes, strict=True)
            seen = [coder.decode([payload], [shape], quality)[0] for payload, shape in pairs]
        for payload, pixels in zip(payloads, seen, strict=True):
            digest.update(payload)
            digest.update(pixels.tobytes())
        if quality == 0:
            assert all(map(np.array_equal, seen, tiles))
    print(digest.hexdigest())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--one-way", choices=["together", "alone"])
    asked = parser.parse_args()
    if asked.one_way:
        return one_way(asked.run, asked.images, asked.one_way == "together")
    digests = set()
    for threads, way, plain in itertools.product((1, 2), ("together", "alone"), (False, True)):
        counts = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL")}
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--one-way", way],
            env={**os.environ, **counts, **(PLAIN if plain else {})},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
        kind = "oldest instructions" if plain else "all instructions"
        print(f"{threads} threads, {way}, {kind}: {done.stdout[:16]}", flush=True)
    print("the same bytes" if len(digests) == 1 else "DIFFERENT BYTES")
    sys.exit(len(digests) != 1)


if __name__ == "__main__":
    main()
