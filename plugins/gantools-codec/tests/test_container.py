"""The .gtc format: exact, never larger than the pixels and headers, never silently wrong."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from itertools import pairwise
from zlib import crc32

import numpy as np
import pytest
from gantools_codec import container
from gantools_codec.container import (
    AT_ONCE,
    Damaged,
    NotGtc,
    OtherModel,
    OtherVersion,
    Reader,
    Truncated,
    write,
)

from gantools import UserError

RNG = np.random.default_rng(0)


def noise(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)


def ramp(height, width, channels=3):
    y, x = np.mgrid[:height, :width]
    return np.stack([x + 3 * y + c for c in range(channels)], 2).astype(np.uint8)


def one_colour(height, width, channels=3):
    return np.full((height, width, channels), 77, np.uint8)


def written(images, coder, quality=0, **options):
    file = io.BytesIO()
    count = write(file, [(f"{i}.png", image) for i, image in enumerate(images)], coder, quality, **options)  # fmt: skip
    assert count == len(images)
    return file.getvalue()


def read(data, coder):
    return list(Reader(io.BytesIO(data), coder).images())


def same(found, images):
    names = [name for name, _ in found]
    assert names == [f"{i}.png" for i in range(len(images))]
    for (_, one), other in zip(found, images, strict=True):
        assert one.dtype == np.uint8
        assert one.shape == other.shape
        assert (one == other).all()


def test_a_file_byte_by_byte(coder):
    """One grey pixel, and what the module's docstring says of it."""
    file = io.BytesIO()
    write(file, [("a", np.array([[[200]]], np.uint8))], coder)
    head = b"\x89GTC" + b"\x01" + b"\x00" + b"stand-in"
    entry = bytes([1, 1, 1, 1, 1, 1]) + b"a"
    seed = crc32(struct.pack("<I", 0), crc32(head + entry))
    chunk = bytes([2 * 1 + 0])
    end = bytes([0, 1])

    def crc(data, start=0):
        return struct.pack("<I", crc32(data, start))

    assert file.getvalue() == (
        head + crc(head)
        + entry + crc(head + entry)
        + chunk + crc(chunk + b"\xc8", seed) + b"\xc8"
        + end + crc(head + entry + end)
    )  # fmt: skip
    assert len(file.getvalue()) <= 42


def test_a_coded_chunk_byte_by_byte(coder):
    image = one_colour(10, 30, 1)
    file = io.BytesIO()
    write(file, [("", image)], coder)
    (payload,) = coder.encode([image[None]], 0)
    head = b"\x89GTC\x01\x00stand-in"
    entry = bytes([1, 10, 30, 1, 30, 0])  # one image, its shape, its side, no names
    seed = crc32(bytes(4), crc32(head + entry))
    chunk = bytes([2 * len(payload) + 1])
    crcs = struct.pack("<II", crc32(chunk + payload, seed), crc32(image.tobytes(), seed))
    assert chunk + crcs + payload in file.getvalue()
    assert Reader(io.BytesIO(file.getvalue())).chunks[0].entry.names == ("",)


SHAPES = [(1, 1), (1, 5000), (5000, 1), (1, 70_000), (7, 13), (256, 256), (257, 300), (255, 600)]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [noise, ramp, one_colour])
def test_every_shape_comes_back_and_never_grows(coder, kind, channels):
    for height, width in SHAPES:
        image = kind(height, width, channels)
        data = written([image], coder)
        same(read(data, coder), [image])
        tiles = len(Reader(io.BytesIO(data)).chunks)
        assert tiles == -(-height * width // 2**16) or min(height, width) > 255
        headers = 18 + (11 + 6 + 4) + 6  # file, entry with its name, end
        assert len(data) <= image.nbytes + headers + 8 * tiles
        if kind is one_colour and image.nbytes > 400:
            assert len(data) < image.nbytes


@pytest.mark.parametrize("side", [1, 5, 64, 256])
def test_tiles_of_any_side(coder, side):
    images = [ramp(9, 20), noise(20, 9), ramp(11, 11)]
    data = written(images, coder, side=side)
    same(read(data, coder), images)
    for chunk in Reader(io.BytesIO(data)).chunks:
        assert chunk.shape[1] * chunk.shape[2] <= side * side


def mixed():
    images = [ramp(8, 8), noise(8, 8), one_colour(8, 8), ramp(8, 8, 1), noise(300, 40)]
    return [*images, ramp(280, 300, 4), ramp(8, 8), one_colour(1, 1, 2), noise(8, 8)]


def test_many_images_of_mixed_shapes_in_their_order(coder):
    images = mixed()
    data = written(images, coder)
    same(read(data, coder), images)
    entries = [
        chunk.entry.shape[0] for chunk in Reader(io.BytesIO(data)).chunks if chunk.number == 0
    ]
    assert entries == [3, 1, 1, 1, 1, 1, 1]


def test_small_images_share_entries_of_64k_pixels(coder):
    images = [ramp(32, 32)] * 130
    data = written(images, coder)
    assert [chunk.shape for chunk in Reader(io.BytesIO(data)).chunks] == [
        (64, 32, 32, 3),
        (64, 32, 32, 3),
        (2, 32, 32, 3),
    ]
    same(read(data, coder), images)


def test_chunks_alone_are_what_they_are_in_order(coder):
    images = mixed()
    reader = Reader(io.BytesIO(written(images, coder, side=64)), coder)
    assert len(reader.chunks) > 20
    for i in RNG.permutation(len(reader.chunks)):
        chunk = reader.chunks[i]
        rows, columns = chunk.entry.place(chunk.number)
        tile = reader.chunk(i)
        assert tile.shape == chunk.shape
        for name, part in zip(chunk.entry.names, tile, strict=True):
            assert (part == images[int(name.removesuffix(".png"))][rows, columns]).all()


def test_lossy_files_give_what_the_coder_gives(coder):
    image = noise(40, 40)
    for quality, mask in ((1, 0b11000000), (2, 0b11110000), (3, 0b11111100)):
        data = written([image], coder, quality)
        assert Reader(io.BytesIO(data)).quality == quality
        same(read(data, coder), [image & mask])
    with pytest.raises(UserError, match="Quality 4 is not there: 0 is lossless, 1 to 3"):
        written([image], coder, 4)


def test_names_are_kept(coder):
    names = ["a b/ü.png", "", "no\0zero", "\udcff.png", "日本.webp"]
    file = io.BytesIO()
    write(file, [(name, ramp(4, 4)) for name in names], coder)
    found = [name for name, _ in Reader(file, coder).images()]
    assert found == ["a b/ü.png", "", "nozero", "?.png", "日本.webp"]


def test_a_file_without_images_is_a_file(coder):
    data = written([], coder)
    assert read(data, coder) == []
    assert len(data) == 18 + 6


def test_what_is_no_image_is_refused(coder):
    for wrong in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 5), np.uint8), np.zeros((4, 4, 3))):
        with pytest.raises(ValueError, match="uint8"):
            written([wrong], coder)
    huge = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (2**15, 2**13 + 1, 1))
    with pytest.raises(UserError, match=r"0\.png has 32,768 × 8,193 pixels"):
        written([huge], coder)


def test_progress_adds_up(coder):
    images, parts = mixed(), []
    data = written(images, coder, side=64, done=parts.append)
    assert sum(parts) == pytest.approx(len(images))
    assert len(parts) > 20
    parts.clear()
    list(Reader(io.BytesIO(data), coder).images(parts.append))
    assert sum(parts) == pytest.approx(len(images))


def test_memory_is_bounded(coder, tmp_path):
    """64 images of 1 MB come and go; no more is held than one batch and its copies."""
    image = ramp(600, 600)

    def named():
        for i in range(64):
            yield f"{i}.png", image ^ np.uint8(i)

    tracemalloc.start()
    with (tmp_path / "o.gtc").open("wb") as file:
        write(file, named(), coder)
    _, writing = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    with (tmp_path / "o.gtc").open("rb") as file:
        for i, (_, found) in enumerate(Reader(file, coder).images()):
            assert (found == image ^ np.uint8(i)).all()
    _, reading = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert max(coder.batches) <= AT_ONCE
    assert max(writing, reading) < 4 * AT_ONCE < 64 * image.nbytes


# -- damage


@pytest.fixture
def small(coder):
    """A file with every kind of thing in it, and its images."""
    images = [ramp(6, 9, 1), ramp(6, 9, 1), noise(2, 2), one_colour(20, 20, 4)]
    return written(images, coder, side=12), images


def outcome(data, images, coder):
    """ "refused" or "identical"; anything else is an error, and so are wrong images before one."""
    found = []
    try:
        reader = Reader(io.BytesIO(data), coder)
        for pair in reader.images():
            found.append(pair)
    except (NotGtc, OtherVersion, OtherModel, Damaged):
        same(found, images[: len(found)])
        return "refused"
    same(found, images)
    return "identical"


def test_truncation_at_every_byte_is_noticed(small, coder):
    data, images = small
    assert outcome(data, images, coder) == "identical"
    for length in range(len(data)):
        assert outcome(data[:length], images, coder) == "refused"
        if length >= 1:
            with pytest.raises(Truncated):
                read(data[:length], coder)


def test_every_flipped_bit_is_noticed(small, coder):
    data, images = small
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        assert outcome(bytes(flipped), images, coder) == "refused", bit


def test_every_lost_or_doubled_byte_is_noticed(small, coder):
    data, images = small
    for at in range(len(data)):
        for wrong in (data[:at] + data[at + 1 :], data[: at + 1] + data[at:]):
            assert wrong == data or outcome(wrong, images, coder) == "refused"
    assert outcome(data + b"\0", images, coder) == "refused"


def test_chunks_and_entries_are_right_only_in_their_place(coder):
    """Two tiles of one shape, exchanged with their CRCs; an entry left out, and doubled."""
    image = np.concatenate([noise(12, 12), noise(12, 12)])
    data = written([image], coder, side=12)
    first, second = Reader(io.BytesIO(data)).chunks
    assert first.length == second.length
    a, b = (data[c.offset - 6 : c.offset + c.length] for c in (first, second))
    assert a + b in data
    assert outcome(data.replace(a + b, b + a), [image], coder) == "refused"

    images = [noise(3, 3, 1), noise(3, 3, 3), noise(3, 3, 1)]
    data = written(images, coder)
    ends = [18, *(c.offset + c.length for c in Reader(io.BytesIO(data)).chunks)]
    parts = [data[i:j] for i, j in pairwise(ends)]
    begin, end = data[:18], data[ends[-1] :]
    for order in ((0, 2), (2, 1, 0), (0, 1, 1, 2), (0, 1)):
        wrong = begin + b"".join(parts[i] for i in order) + end
        assert outcome(wrong, images, coder) == "refused"


def test_two_files_do_not_mix(coder):
    one, other = [noise(5, 5)], [noise(5, 5)]
    a, b = written(one, coder), written(other, coder)
    assert len(a) == len(b)
    for at in range(len(a)):
        spliced = a[:at] + b[at:]
        if spliced not in (a, b):
            assert outcome(spliced, one, coder) == "refused"


def test_a_payload_that_decodes_to_other_pixels_is_noticed(coder):
    """As a model would on a machine that computes differently: right CRCs, wrong pixels."""
    data = written([one_colour(20, 20)], coder)

    class Off(type(coder)):
        def decode(self, payloads, shapes, quality):
            tiles = super().decode(payloads, shapes, quality)
            return [tile ^ np.uint8(tile[0, 0, 0, 0] == 77) for tile in tiles]

    with pytest.raises(Damaged):
        read(data, Off())


def declared(*numbers, names=b"", chunk=b""):
    """A file whose one entry declares what it likes, with right CRCs."""
    head = b"\x89GTC\x01\x00stand-in"
    entry = b"".join(container.varint(x) for x in (*numbers, len(names))) + names
    crcs = (struct.pack("<I", crc32(x)) for x in (head, head + entry))
    return head + next(crcs) + entry + next(crcs) + chunk


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ((1, 2**30, 2**30, 3, 256), b""),
        ((1, 2**14, 2**14, 2, 256), b""),
        ((1, 2**14, 2**14, 1, 256), b""),  # allowed, if the file had so many tiles
        ((1, 2**14, 2**14, 1, 1), b""),
        ((2**34, 1, 1, 1, 1), b""),
        ((2**16 + 1, 1, 1, 1, 1), b""),
        ((1, 300, 300, 3, 300), b""),
        ((1, 4, 4, 0, 4), b""),
        ((1, 4, 4, 5, 4), b""),
        ((1, 0, 4, 1, 4), b""),
        ((1, 4, 4, 1, 0), b""),
        ((2, 4, 4, 1, 4), b"one"),
        ((1, 4, 4, 1, 4), b"\xff"),
    ],
)
def test_impossible_declarations_are_refused_quickly(coder, numbers, names):
    data = declared(*numbers, names=names, chunk=bytes(40))
    tracemalloc.start()
    began = time.perf_counter()
    assert outcome(data, [], coder) == "refused"
    assert time.perf_counter() - began < 0.5
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()
    assert not coder.batches


def test_impossible_lengths_are_refused(coder):
    for length, kind in ((17, 0), (15, 0), (16, 1), (2**33, 1), (2**33, 0)):
        chunk = container.varint(2 * length + kind) + bytes(2**8)
        assert outcome(declared(1, 4, 4, 1, 4, chunk=chunk), [], coder) == "refused"
    endless = declared(1, 4, 4, 1, 4, chunk=b"\xff" * 40)
    assert outcome(endless, [], coder) == "refused"


def test_errors_say_what_could_be_done(coder, other_coder, small, tmp_path):
    data, _ = small
    file = tmp_path / "a.gtc"

    def said(data, kind, coder=coder):
        file.write_bytes(data)
        with pytest.raises(kind) as error, file.open("rb") as opened:
            list(Reader(opened, coder).images())
        message = str(error.value)
        assert message.startswith(str(file))
        assert message.count(". ") == 0
        return message

    assert "is not a .gtc file" in said(b"", NotGtc)
    assert "is not a .gtc file" in said(b"\x89PNG\r\n\x1a\n", NotGtc)
    assert "of version 2 of the format" in said(data[:4] + b"\2" + data[5:], OtherVersion)
    message = said(data, OtherModel, other_coder)
    assert f"needs the model {b'stand-in'.hex()}, and the one at hand is" in message
    assert "--run" in message
    assert "get another copy" in said(data[:-9], Truncated)
    assert "get another copy" in said(data[:60] + b"!!" + data[62:], Damaged)
    assert "something follows its end" in said(data + b"\0", Damaged)


def test_a_quality_that_the_model_does_not_have(coder):
    head = b"\x89GTC\x01\x04stand-in"
    end = b"\0\0"
    data = head + struct.pack("<I", crc32(head)) + end + struct.pack("<I", crc32(head + end))
    assert list(Reader(io.BytesIO(data)).chunks) == []
    with pytest.raises(Damaged, match="no quality 4"):
        Reader(io.BytesIO(data), coder)
