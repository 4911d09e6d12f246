"""Mutated .gtc files must be refused or be read right: no crash, no hang, no memory, no garbage.

python benchmarks/codec_fuzz.py [--files 1000000] [--seed 0] [--mend 0.1] [--coder model] [--run RUN]

File number k of a seed is always the same: one of a few real files with 1 to 4 mutations. A share
of the files (``--mend``) has the CRCs of headers and payloads put right afterwards, so that the
model decodes them and only the checksum of the pixels stands between the user and garbage.

Files are read in a child process with limits on memory and on the time of a file; if it dies, the
file that it died of is counted and another child goes on behind it.
"""

from __future__ import annotations

import argparse
import io
import mmap
import os
import random
import resource
import signal
import struct
import sys
import time
import traceback
import zlib
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np
from gantools_codec import container
from gantools_codec.container import Coder, Reader, write

from gantools import UserError

KINDS = ("refused", "identical", "WRONG", "CRASH", "HANG")
PROGRESS = 20_000
"""Files between two lines that say how far it is."""
IMAGES = list[tuple[tuple[int, ...], bytes]]


class Zlib:
    """Codes by zlib: for the container alone, which is tried faster without a model."""

    name = b"zlib\0\0\0\0"
    qualities = 0

    def encode(self, tiles: Sequence[np.ndarray], quality: int) -> list[bytes]:
        return [zlib.compress(tile.tobytes()) for tile in tiles]

    def decode(
        self, payloads: Sequence[bytes], shapes: Sequence[tuple[int, ...]], quality: int
    ) -> list[np.ndarray]:
        return [self._one(*pair) for pair in zip(payloads, shapes, strict=True)]

    def _one(self, payload: bytes, shape: tuple[int, ...]) -> np.ndarray:
        size = int(np.prod(shape))
        try:
            pixels = zlib.decompressobj().decompress(payload, size)
        except zlib.error as error:
            raise ValueError(str(error)) from None
        if len(pixels) != size:
            raise ValueError("too few pixels")
        return np.frombuffer(pixels, np.uint8).reshape(shape)

    def code_bytes(self, payload: bytes) -> int:
        return 0


def corpus(coder: Coder) -> list[tuple[bytes, IMAGES]]:
    """Real files, small so that many can be read, and the images in them."""
    source = np.random.default_rng(0)

    def ramp(height: int, width: int, channels: int) -> np.ndarray:
        y, x = np.mgrid[:height, :width]
        return np.stack([x // 3 + y // 4 + c for c in range(channels)], 2).astype(np.uint8)

    def noise(*shape: int) -> np.ndarray:
        return source.integers(0, 256, shape, dtype=np.uint8)

    several = [ramp(12, 12, 3), 255 - ramp(12, 12, 3), ramp(12, 12, 3)]
    made = [
        [noise(1, 1, 1)],
        [ramp(16, 16, 1)],
        [ramp(12, 20, 3)],
        [ramp(12, 20, 4), noise(3, 3, 4)],
        several,
        [*several, noise(5, 5, 2), ramp(8, 8, 1), np.full((30, 2, 3), 9, np.uint8)],
    ]
    files, coded = [], 0
    for images in made:
        for quality in range(coder.qualities + 1):
            file = io.BytesIO()
            named = [(f"{i}.png", image) for i, image in enumerate(images)]
            write(file, named, coder, quality, side=12)
            reader = Reader(file, coder)
            found = [facts(image) for _, image in reader.images()]
            coded += sum(chunk.coded for chunk in reader.chunks)
            assert quality or found == [facts(image) for image in images], "not lossless"
            files.append((file.getvalue(), found))
            again = bytearray(file.getvalue())
            mend(again)
            assert again == file.getvalue(), "CRCs are not put right"
    assert coded >= 5, "hardly anything is coded by the model"
    return files


def facts(image: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    """All that is to be right of an image."""
    return image.shape, image.tobytes()


def mutated(files: list[tuple[bytes, IMAGES]], rng: random.Random) -> bytes:
    """Return a real file with 1 to 4 mutations."""
    data = bytearray(rng.choice(files)[0])
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(8)
        if kind == 0 and at < len(data):  # a bit
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(data):  # a byte
            data[at] = rng.randrange(256)
        elif kind == 2:  # several bytes, of values that lengths like
            data[at : at + rng.randrange(1, 9)] = rng.choice((b"\0", b"\xff", b"\x80", b"\x7f")) * 4
        elif kind == 3:  # the end is cut off
            del data[at:]
        elif kind == 4:  # a piece is cut out
            del data[at : at + rng.randrange(1, 20)]
        elif kind == 5:  # random bytes are put in
            data[at:at] = rng.randbytes(rng.randrange(1, 20))
        elif kind == 6:  # a piece is repeated elsewhere
            begin = rng.randrange(len(data) + 1)
            data[at:at] = data[begin : begin + rng.randrange(1, 60)]
        elif kind == 7:  # another file's end
            other = rng.choice(files)[0]
            data[at:] = other[rng.choice((min(at, len(other)), rng.randrange(len(other)))) :]
    return bytes(data)


def changed_inside(files: list[tuple[bytes, IMAGES]], rng: random.Random) -> bytes:
    """Return a real file with changes to what only the decoder looks at, and with right CRCs.

    A payload or a header's number (a shape, a side, the quality) is changed, then all CRCs are
    made again, but for those of the pixels.
    """
    data = bytearray(rng.choice(files)[0])
    reader = Reader(io.BytesIO(bytes(data)))
    coded = [chunk for chunk in reader.chunks if chunk.coded and chunk.length]
    if coded and rng.random() < 0.8:
        for _ in range(rng.choice((1, 1, 2, 8))):
            chunk = rng.choice(coded)
            at = chunk.offset + rng.randrange(chunk.length)
            data[at] = rng.choice((data[at] ^ 1 << rng.randrange(8), rng.randrange(256), 0, 255))
    else:
        heads = [5, *range(18, 24)]  # the quality; n, H, W, C and the side of the first entry
        at = rng.choice(heads)
        number = rng.choice(
            (data[at] + 1, max(data[at], 1) - 1, rng.getrandbits(rng.randrange(36)))
        )
        data[at : at + 1] = container.varint(number)
    mend(data)
    return bytes(data)


def mend(data: bytearray) -> None:
    """Put the CRCs of headers and of coded payloads right, as far as the file makes sense."""
    at, crc = 14, 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def seal(begin: int, start: int) -> int:
        """Write the CRC of what lies between ``begin`` and here."""
        nonlocal at
        sealed = crc32(data[begin:at], start)
        data[at : at + 4] = struct.pack("<I", sealed)
        at += 4
        return sealed

    try:
        crc = seal(0, 0)
        while True:
            begin = at
            n = number()
            if n == 0:
                number()
                seal(begin, crc)
                return
            height, width, channels, side = (number() for _ in range(4))
            length = number()
            at += length
            crc = seal(begin, crc)
            shape = (n, height, width, channels)
            entry = container.Entry(shape, max(side, 1), (), crc)
            for place in range(entry.tiles):
                begin, seed = at, entry.seed(place)
                length, coded = divmod(number(), 2)
                if coded:
                    payload = data[at + 8 : at + 8 + length]
                    sealed = crc32(payload, crc32(data[begin:at], seed))
                    data[at : at + 4] = struct.pack("<I", sealed)
                at += 4 + 4 * coded + length
    except (IndexError, OverflowError):  # it ends before it should
        return


def outcome(data: bytes, coder: Coder, right: list[IMAGES]) -> str:
    """Read a file: what came of it, one of KINDS."""
    found: IMAGES = []
    kind = "identical"
    try:
        for _, image in Reader(io.BytesIO(data), coder).images():
            found.append(facts(image))
    except UserError:
        kind = "refused"
    except BaseException:  # a PanicException of Rust is no Exception
        traceback.print_exc()
        return "CRASH"
    for images in right:
        if found == images or (kind == "refused" and found == images[: len(found)]):
            return kind
    return "WRONG"


class Fuzz:
    """Files first to last of a seed, in children that may die."""

    def __init__(self, coder: Coder, options: argparse.Namespace) -> None:
        self.coder, self.options = coder, options
        self.files = corpus(coder)
        self.right = [images for _, images in self.files]
        self.shared = mmap.mmap(-1, 8 * (1 + 2 * len(KINDS)))  # file under way, counts

    def file(self, k: int) -> tuple[bytes, bool]:
        """Return file number ``k``, and whether its CRCs were put right."""
        rng = random.Random((self.options.seed << 40) + k)
        inside = rng.random() < self.options.mend
        return (changed_inside if inside else mutated)(self.files, rng), inside

    def number(self, place: int, more: int = 0) -> int:
        """Add ``more`` to a shared number; return what it is then."""
        value = struct.unpack_from("<q", self.shared, 8 * place)[0] + more
        struct.pack_into("<q", self.shared, 8 * place, value)
        return value

    def count(self, kind: str, inside: bool, k: int) -> None:
        self.number(1 + KINDS.index(kind) + inside * len(KINDS), 1)
        if kind.isupper():
            print(f"{kind}: file {k} of seed {self.options.seed}", flush=True)

    def child(self) -> None:
        """Read files from the one under way to the last."""
        with open("/proc/self/statm") as file:
            held = int(file.read().split()[0]) * resource.getpagesize()
        most = held + self.options.memory * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for k in range(self.number(0), self.options.files):
            data, inside = self.file(k)
            signal.setitimer(signal.ITIMER_REAL, self.options.seconds)  # death, also within C
            kind = outcome(data, self.coder, self.right)
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.count(kind, inside, k)
            if self.number(0, 1) % PROGRESS == 0:
                print(f"{k + 1:,} of {self.options.files:,} files", flush=True)

    def play(self) -> bool:
        """Read all files; say whether none was read wrong."""
        began = time.monotonic()
        while (k := self.number(0)) < self.options.files:
            child = os.fork()
            if child == 0:
                try:
                    self.child()
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            _, status = os.waitpid(child, 0)
            if status:
                k = self.number(0)
                hung = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM
                self.count("HANG" if hung else "CRASH", self.file(k)[1], k)
                self.number(0, 1)
        seconds = time.monotonic() - began
        print(f"| {'CRCs':<10} | " + " | ".join(f"{kind:>9}" for kind in KINDS) + " |")
        print("|" + "-" * 12 + ("|" + "-" * 10 + ":") * len(KINDS) + "|")
        bad = 0
        for inside, said in enumerate(("as mutated", "put right")):
            counts = [self.number(1 + i + inside * len(KINDS)) for i in range(len(KINDS))]
            bad += sum(counts[2:])
            print(f"| {said} | " + " | ".join(f"{count:>9,}" for count in counts) + " |")
        print(
            f"{self.options.files:,} files of seed {self.options.seed} in {seconds:,.0f} s, with "
            f"{self.options.memory} MB of memory and {self.options.seconds:g} s for each"
        )
        return not bad


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mend", type=float, default=0.1, help="share whose CRCs are put right")
    parser.add_argument("--coder", choices=("model", "zlib"), default="model")
    parser.add_argument("--run", type=Path, help="a run; left out: the plugin's model")
    parser.add_argument("--memory", type=int, default=512, help="MB beyond those at the start")
    parser.add_argument("--seconds", type=float, default=5.0, help="for a file")
    options = parser.parse_args()
    coder: Coder = Zlib()
    if options.coder == "model":
        from gantools_codec.verbs import coder_of

        coder = coder_of(options.run)
    sys.exit(0 if Fuzz(coder, options).play() else 1)


if __name__ == "__main__":
    main()
