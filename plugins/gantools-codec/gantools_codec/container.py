r"""The .gtc format: images as a model codes them, many in one file; writing it and reading it.

Both stream: they hold a few megabytes of pixels and the entry at hand, never the file. Byte by
byte (a varint is LEB128: seven bits a byte, the lowest first, the top bit says that more follow;
a CRC-32 is zlib's, four bytes, the lowest first)::

    header   89 47 54 43          "\x89GTC"
             01                   the version
             quality              varint; 0 is lossless
             model                8 bytes: the first of the SHA-256 of the model's weights
             CRC-32               of the header
    entry    n H W C              varints: n images of H × W pixels with C channels; n ≥ 1
             side                 varint: the tiles have at most side × side pixels
             names                varint, how many bytes; then n names in UTF-8 with a zero byte
                                  between two. No bytes: the images have no names
             CRC-32               goes on from that of the header or entry before, so it is of all
                                  headers so far
      chunk  2 · length + kind    varint; kind 0: the pixels as they are, 1: coded by the model
             CRC-32               of the varint above and the payload
             CRC-32               kind 1 only: of the decoded pixels, in the order n, h, w, C
             payload              length bytes
    end      00                   no entry
             images               varint: how many the file has
             CRC-32               goes on from that of the entry before

An entry is followed by a chunk for each of its tiles, in raster order, which has that place of all
n images. A chunk's two CRCs go on from its entry's CRC and four bytes with the tile's number, so
that a chunk is only right in its place. A chunk that the model would not make smaller is kept
as it is: no file is larger than its pixels and its headers. Numbers are refused, before memory is
taken, where the file could not hold what they declare or an entry has more than ``MOST`` bytes of
pixels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, islice
from typing import BinaryIO, Protocol, TypeVar
from zlib import crc32

import numpy as np

from gantools.errors import UserError

MAGIC, VERSION = b"\x89GTC", 1
MOST = 2**28
"""The most bytes of pixels of an entry, so of an image."""
TILE = 2**16
"""The most pixels of a chunk, over all of its images."""
SIDE = 256
"""The side of a photograph's tiles, in pixels."""
AT_ONCE = 2**22
"""How many bytes of pixels are coded side by side; a single chunk has at most 2**18."""

Shape = tuple[int, int, int, int]
Done = Callable[[float], None]
T = TypeVar("T")


class Coder(Protocol):
    """What codes pixels; deterministic: the same bytes and pixels on every machine."""

    name: bytes
    """8 bytes: the first of the SHA-256 of the model's weights."""

    @property
    def qualities(self) -> int:
        """How many lossy qualities there are: 1 to this, greater is better; 0 is lossless."""

    def encode(self, tiles: Sequence[np.ndarray], quality: int) -> list[bytes]:
        """Code tiles, uint8 [n, h, w, C] each, side by side: a payload for each."""

    def decode(
        self, payloads: Sequence[bytes], shapes: Sequence[Shape], quality: int
    ) -> list[np.ndarray]:
        """Decode payloads to tiles of these shapes, uint8.

        Raises:
            ValueError: a payload cannot be one of its shape.
        """

    def code_bytes(self, payload: bytes) -> int:
        """Return how many of a payload's bytes hold the learned code; the rest hold pixels."""


class NotGtc(UserError):
    """It is no .gtc file at all."""


class OtherVersion(UserError):
    """It is of a version of the format that is not known here."""


class OtherModel(UserError):
    """It was coded by another model than the one at hand."""


class Damaged(UserError):
    """It is not as it was written."""


class Truncated(Damaged):
    """It ends before its end."""


@dataclass(frozen=True)
class Entry:
    """Images of one shape that are coded together."""

    shape: Shape
    """(n, H, W, C)."""
    side: int
    """Of its tiles, in pixels; those at the right and lower edges may be smaller."""
    names: tuple[str, ...]
    """Of its n images; all empty: there are none in the file."""
    crc: int
    """Of all headers up to this entry's."""

    @property
    def tiles(self) -> int:
        """How many there are."""
        _, height, width, _ = self.shape
        return math.ceil(height / self.side) * math.ceil(width / self.side)

    def place(self, number: int) -> tuple[slice, slice]:
        """Return the rows and columns of tile ``number``, in raster order from 0."""
        _, height, width, _ = self.shape
        row, column = divmod(number, math.ceil(width / self.side))
        top, left = row * self.side, column * self.side
        return (
            slice(top, min(top + self.side, height)),
            slice(left, min(left + self.side, width)),
        )

    def seed(self, number: int) -> int:
        """Return what the CRCs of tile ``number`` go on from."""
        return crc32(number.to_bytes(4, "little"), self.crc)


@dataclass(frozen=True)
class Chunk:
    """A tile of an entry, as it lies in a file."""

    entry: Entry
    number: int
    """Of its tile in the entry, from 0."""
    coded: bool
    """By the model; else its payload is the pixels."""
    offset: int
    """Of its payload in the file, in bytes."""
    length: int
    """Of its payload, in bytes."""
    seed: int
    """What the payload's CRC goes on from."""
    crc: int
    """Of its payload."""
    pixels_crc: int
    """Of its pixels; with an uncoded one the same as ``crc``."""

    @property
    def shape(self) -> Shape:
        """Of its pixels: (n, h, w, C)."""
        rows, columns = self.entry.place(self.number)
        n, _, _, channels = self.entry.shape
        return n, rows.stop - rows.start, columns.stop - columns.start, channels


def write(
    file: BinaryIO,
    images: Iterable[tuple[str, np.ndarray]],
    coder: Coder,
    quality: int = 0,
    side: int = SIDE,
    done: Done = lambda images: None,
) -> int:
    """Write images in their order; small ones of one shape that follow each other share an entry.

    Args:
        file: where to; it is written from front to back.
        images: names, which may be empty, and pixels, uint8 [H, W, C], C from 1 to 4.
        coder: the model.
        quality: 0 is lossless; 1 to ``coder.qualities``.
        side: of a photograph's tiles, 1 to 256 pixels; a thin one's are longer.
        done: told how many more images are written; parts of one, too.

    Returns:
        How many images there were.

    Raises:
        UserError: there is no such quality, or an image has more than ``MOST`` bytes of pixels.
    """
    if not 0 <= quality <= coder.qualities:
        raise UserError(f"Quality {quality} is not there: 0 is lossless, 1 to {coder.qualities}.")
    head = MAGIC + bytes([VERSION]) + varint(quality) + coder.name
    crc, count = crc32(head), 0
    file.write(head + _four(crc))
    tiles = _tiles(images, side, crc)
    for batch in _batches(tiles, lambda tile: tile[-1].nbytes):
        pixels = [tile for *_, tile in batch]
        payloads = coder.encode(pixels, quality)
        if quality > 0:
            pixels = coder.decode(payloads, [tile.shape for tile in pixels], quality)
        for (entry, head, number, tile), payload, seen in zip(batch, payloads, pixels, strict=True):
            if number == 0:
                file.write(head + _four(entry.crc))
                count, crc = count + len(tile), entry.crc
            file.write(_chunk(entry.seed(number), tile, payload, seen))
            done(len(tile) / entry.tiles)
    end = b"\0" + varint(count)
    file.write(end + _four(crc32(end, crc)))
    return count


class Reader:
    """Reads a file: its images one after another, or any chunk by itself.

    Args:
        file: it must be seekable.
        coder: the model; None if nothing is to be decoded.

    Raises:
        NotGtc: it is none.
        OtherVersion: of the format.
        OtherModel: than ``coder``.
        Damaged: its header is.
    """

    version: int
    quality: int
    model: bytes
    """8 bytes of the SHA-256 of the weights of the model that it needs."""
    size: int
    """Of the file, in bytes."""

    def __init__(self, file: BinaryIO, coder: Coder | None = None) -> None:
        self._file, self._coder = file, coder
        self._said = str(getattr(file, "name", "The file"))
        self.size = file.seek(0, os.SEEK_END)
        cursor = _Cursor(file, self.size, self._said)
        file.seek(0)
        begin = file.read(len(MAGIC))
        if not begin or not MAGIC.startswith(begin):
            raise NotGtc(f"{self._said} is not a .gtc file: gantools codec compress writes them.")
        cursor.take(len(MAGIC))
        self.version = cursor.take(1)[0]
        if self.version != VERSION:
            raise OtherVersion(
                f"{self._said} is of version {self.version} of the format, and this gantools-codec "
                f"reads version {VERSION}: install the one that wrote it."
            )
        self.quality = cursor.varint()
        self.model = cursor.take(8)
        cursor.check()
        self._begin, self._crc = cursor.at, cursor.crc
        if coder is not None and coder.name != self.model:
            raise OtherModel(
                f"{self._said} needs the model {self.model.hex()}, and the one at hand is "
                f"{coder.name.hex()}: name the run of that model with --run, or install the "
                "gantools-codec that came with it."
            )
        if coder is not None and self.quality > coder.qualities:
            raise Damaged(f"{self._said} is damaged: the model has no quality {self.quality}.")

    @cached_property
    def chunks(self) -> list[Chunk]:
        """All chunks, found without reading a payload.

        Raises:
            Damaged: the file is, as far as can be seen without them.
        """
        return list(self._walk())

    def payload(self, chunk: Chunk) -> bytes:
        """Read a chunk's payload.

        Raises:
            Damaged: it is.
        """
        self._file.seek(chunk.offset)
        payload = self._file.read(chunk.length)
        if crc32(payload, chunk.seed) != chunk.crc:
            raise _damaged(self._said)
        return payload

    def chunk(self, i: int) -> np.ndarray:
        """Decode chunk ``i`` of :attr:`chunks` alone: uint8 [n, h, w, C].

        Raises:
            Damaged: it is.
        """
        return self._decode([self.chunks[i]])[0]

    def images(self, done: Done = lambda images: None) -> Iterator[tuple[str, np.ndarray]]:
        """Decode all images in their order: names and pixels, uint8 [H, W, C].

        Args:
            done: told how many more images are decoded; parts of one, too.

        Raises:
            Damaged: the file is; what came before is right.
        """
        for batch in _batches(self._walk(), lambda chunk: math.prod(chunk.shape)):
            for chunk, tile in zip(batch, self._decode(batch), strict=True):
                entry = chunk.entry
                if chunk.number == 0:
                    pixels = np.empty(entry.shape, np.uint8)
                rows, columns = entry.place(chunk.number)
                pixels[:, rows, columns] = tile
                done(len(pixels) / entry.tiles)
                if chunk.number == entry.tiles - 1:
                    yield from zip(entry.names, pixels, strict=True)

    def _decode(self, chunks: Sequence[Chunk]) -> list[np.ndarray]:
        """Decode chunks side by side."""
        assert self._coder is not None, "a reader without a coder decodes nothing"
        payloads = [self.payload(chunk) for chunk in chunks]
        coded = [pair for pair in zip(payloads, chunks, strict=True) if pair[1].coded]
        decoded: list[np.ndarray] = []
        if coded:
            shapes = [chunk.shape for _, chunk in coded]
            try:
                decoded = self._coder.decode([one for one, _ in coded], shapes, self.quality)
            except ValueError:
                raise _damaged(self._said) from None
        in_order, tiles = iter(decoded), []
        for payload, chunk in zip(payloads, chunks, strict=True):
            if chunk.coded:
                tile = next(in_order)
                if crc32(tile.tobytes(), chunk.entry.seed(chunk.number)) != chunk.pixels_crc:
                    raise _damaged(self._said)
            else:
                tile = np.frombuffer(payload, np.uint8).reshape(chunk.shape)
            tiles.append(tile)
        return tiles

    def _walk(self) -> Iterator[Chunk]:
        """Go through the file from header to header, past the payloads."""
        cursor = _Cursor(self._file, self.size, self._said, self._begin, self._crc)
        images = 0
        while n := cursor.varint():
            height, width, channels, side = (cursor.varint() for _ in range(4))
            block = cursor.take(cursor.varint())
            cursor.check()
            shape = (n, height, width, channels)
            if not (
                1 <= channels <= 4
                and 1 <= math.prod(shape) <= MOST
                and side >= 1
                and n * min(side, height) * min(side, width) <= TILE
            ):
                raise Damaged(
                    f"{self._said} is damaged: it cannot have {n} images of {height} × {width} "
                    f"pixels with {channels} channels in tiles of {side}."
                )
            entry = Entry(shape, side, self._names(block, n), cursor.crc)
            if 5 * entry.tiles > self.size - cursor.at:  # the least bytes of a chunk
                raise _truncated(self._said)
            for number in range(entry.tiles):
                chunk = self._chunk(entry, number, cursor.at)
                cursor.at = chunk.offset + chunk.length
                yield chunk
            images += n
        if cursor.varint() != images:
            raise _damaged(self._said)
        cursor.check()
        if cursor.at != self.size:
            raise Damaged(f"{self._said} is damaged: something follows its end.")

    def _chunk(self, entry: Entry, number: int, at: int) -> Chunk:
        """Read what is before the payload of tile ``number``, at ``at``."""
        cursor = _Cursor(self._file, self.size, self._said, at, entry.seed(number))
        length, coded = divmod(cursor.varint(), 2)
        seed = cursor.crc
        crc = pixels_crc = int.from_bytes(cursor.take(4), "little")
        if coded:
            pixels_crc = int.from_bytes(cursor.take(4), "little")
        chunk = Chunk(entry, number, bool(coded), cursor.at, length, seed, crc, pixels_crc)
        raw = math.prod(chunk.shape)
        if length >= raw if coded else length != raw:
            raise _damaged(self._said)
        if length > self.size - cursor.at:
            raise _truncated(self._said)
        return chunk

    def _names(self, block: bytes, n: int) -> tuple[str, ...]:
        """Take names apart."""
        try:
            names = block.decode().split("\0") if block else [""] * n
        except UnicodeDecodeError:
            names = []
        if len(names) != n:
            raise _damaged(self._said)
        return tuple(names)


@dataclass
class _Cursor:
    """Reads headers; all that it reads goes into its CRC."""

    file: BinaryIO
    size: int
    said: str
    at: int = 0
    crc: int = 0

    def take(self, length: int) -> bytes:
        """Read bytes, if the file has so many."""
        if length > self.size - self.at:
            raise _truncated(self.said)
        self.file.seek(self.at)
        taken = self.file.read(length)
        self.at += length
        self.crc = crc32(taken, self.crc)
        return taken

    def varint(self) -> int:
        """Read a number below 2**35."""
        number = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            number |= (byte & 127) << shift
            if byte < 128:
                return number
        raise _damaged(self.said)

    def check(self) -> None:
        """Read a CRC, which is to be that of what was read; the next one goes on from it."""
        crc = self.crc
        if int.from_bytes(self.take(4), "little") != crc:
            raise _damaged(self.said)
        self.crc = crc


def _tiles(
    images: Iterable[tuple[str, np.ndarray]], side: int, crc: int
) -> Iterator[tuple[Entry, bytes, int, np.ndarray]]:
    """Give the tiles of all images: entry, its header, the tile's number, its pixels [n, h, w, C].

    Args:
        images: names and pixels.
        side: of a photograph's tiles.
        crc: of the header.
    """
    for (height, width, channels), same in groupby(_checked(images), lambda named: named[1].shape):
        edge = min(max(height, width), side * side // min(height, width, side))
        while some := list(islice(same, max(1, TILE // (height * width)))):
            names = [name.replace("\0", "") for name, _ in some]
            block = "\0".join(names).encode(errors="replace") if any(names) else b""
            shape = (len(some), height, width, channels)
            head = b"".join(varint(x) for x in (*shape, edge, len(block))) + block
            crc = crc32(head, crc)
            entry = Entry(shape, edge, tuple(names), crc)
            stack = np.stack([image for _, image in some])
            for number in range(entry.tiles):
                rows, columns = entry.place(number)
                yield entry, head, number, np.ascontiguousarray(stack[:, rows, columns])


def _checked(images: Iterable[tuple[str, np.ndarray]]) -> Iterator[tuple[str, np.ndarray]]:
    for name, image in images:
        if image.dtype != np.uint8 or image.ndim != 3 or not 1 <= image.shape[2] <= 4:
            raise ValueError(f"images are uint8 [H, W, 1..4], not {image.dtype} {image.shape}")
        if not 1 <= image.nbytes <= MOST:
            height, width, _ = image.shape
            raise UserError(
                f"{name or 'An image'} has {height:,} × {width:,} pixels, {image.nbytes:,} bytes; "
                f"1 to {MOST:,} can be coded: cut it into several."
            )
        yield name, image


def _chunk(seed: int, tile: np.ndarray, payload: bytes, seen: np.ndarray) -> bytes:
    """Return a chunk's bytes.

    Args:
        seed: what its CRCs go on from.
        tile: its pixels.
        payload: what the model makes of them.
        seen: what the model makes of the payload.
    """
    raw = tile.tobytes()
    if len(payload) + 4 >= len(raw):
        head = varint(2 * len(raw))
        return head + _four(crc32(raw, crc32(head, seed))) + raw
    head = varint(2 * len(payload) + 1)
    crcs = crc32(payload, crc32(head, seed)), crc32(seen.tobytes(), seed)
    return head + _four(crcs[0]) + _four(crcs[1]) + payload


def _batches(items: Iterable[T], size: Callable[[T], int]) -> Iterator[list[T]]:
    """Give items in lists of at most ``AT_ONCE`` bytes, or of one item."""
    batch: list[T] = []
    total = 0
    for item in items:
        if batch and total + size(item) > AT_ONCE:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += size(item)
    if batch:
        yield batch


def varint(number: int) -> bytes:
    """A number from 0 in LEB128."""
    bytes_ = bytearray()
    while number > 127:
        bytes_.append(number & 127 | 128)
        number >>= 7
    bytes_.append(number)
    return bytes(bytes_)


def _four(crc: int) -> bytes:
    return crc.to_bytes(4, "little")


def _damaged(said: str) -> Damaged:
    return Damaged(f"{said} is damaged: its bytes are not those written; get another copy of it.")


def _truncated(said: str) -> Truncated:
    return Truncated(f"{said} is cut off before its end, or damaged: get another copy of it.")
