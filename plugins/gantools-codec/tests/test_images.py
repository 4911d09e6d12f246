"""Pictures in and out: the pixels that are stored, or one sentence."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from gantools_codec import images
from gantools_codec.images import check_suffix, find, read, write
from PIL import Image

from gantools import UserError

RNG = np.random.default_rng(0)


def noise(channels, height=5, width=7):
    pixels = RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)
    if channels in (2, 4):
        pixels[0, :, -1] = 0  # transparent pixels have colours, too
    return pixels


def refused(path) -> str:
    with pytest.raises(UserError) as error:
        read(path)
    said = str(error.value)
    assert str(path) in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize("suffix", images.WRITTEN)
def test_what_is_written_is_read(tmp_path, suffix):
    _, kept, _ = images.WRITTEN[suffix]
    path = tmp_path / f"o{suffix}"
    for channels in (1, 2, 3, 4):
        for shape in ((5, 7), (1, 1), (1, 300), (300, 1)):
            pixels = noise(channels, *shape)
            if channels in kept:
                write(pixels, path)
                found = read(path)
                assert found.dtype == np.uint8
                assert found.shape == pixels.shape
                assert (found == pixels).all()
            else:
                with pytest.raises(UserError, match=rf"{suffix} does not keep .* choose a \.png"):
                    write(pixels, path)


def test_suffixes_that_lose_pixels_are_refused(tmp_path):
    for name in ("a.jpg", "a.JPEG", "a.gif"):
        with pytest.raises(UserError, match=r"would lose pixels; choose a \.png or \.webp"):
            write(noise(3), tmp_path / name)
    for name in ("a", "a.xyz", ".png"):
        with pytest.raises(UserError, match=r"its name must end in \.png, \.webp"):
            check_suffix(tmp_path / name)
    check_suffix(tmp_path / "A.PNG")
    with pytest.raises(UserError, match="does not keep 1 × 20000 pixels"):
        write(noise(3, 1, 20_000), tmp_path / "a.webp")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["png", "bmp", "tiff", "pbm"])
def test_black_and_white(tmp_path, kind):
    black = noise(1)[:, :, 0] > 127
    Image.fromarray(black).save(tmp_path / f"a.{kind}")
    found = read(tmp_path / f"a.{kind}")
    assert found.shape == (5, 7, 1)
    assert (found[:, :, 0] == 255 * black).all()


@pytest.mark.parametrize("kind", ["png", "gif", "bmp", "tiff"])
def test_a_palette_becomes_its_colours(tmp_path, kind):
    colours, index = noise(3, 1, 200)[0], RNG.integers(0, 200, (9, 9), dtype=np.uint8)
    picture = Image.fromarray(index)
    picture.putpalette(colours.tobytes())
    picture.save(tmp_path / f"a.{kind}")
    found = read(tmp_path / f"a.{kind}")
    assert (found == colours[index]).all()
    assert found.shape == (9, 9, 3)


def test_a_palette_with_transparency(tmp_path):
    colours, index = noise(4, 1, 16)[0], RNG.integers(0, 16, (9, 9), dtype=np.uint8)
    picture = Image.fromarray(index)
    picture.putpalette(colours[:, :3].tobytes())
    picture.save(tmp_path / "a.png", transparency=colours[:, 3].tobytes())
    assert (read(tmp_path / "a.png") == colours[index]).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_transparent_colour_becomes_alpha(tmp_path, channels):
    pixels = noise(channels)
    key = pixels[2, 3]
    picture = Image.fromarray(pixels.squeeze(2) if channels == 1 else pixels)
    told = int(key[0]) if channels == 1 else tuple(map(int, key))
    picture.save(tmp_path / "a.png", transparency=told)
    found = read(tmp_path / "a.png")
    assert (found[..., :-1] == pixels).all()
    assert (found[..., -1] == np.where((pixels == key).all(2), 0, 255)).all()


def test_a_jpeg_is_what_it_decodes_to_and_is_not_turned(tmp_path):
    exif = Image.Exif()
    exif[274] = 6  # a quarter turn
    Image.fromarray(noise(3, 20, 30)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        assert (read(tmp_path / "a.jpg") == np.asarray(image)).all()
    assert read(tmp_path / "a.jpg").shape == (20, 30, 3)


def test_a_telephones_jpeg_of_several_pictures_is_its_first(tmp_path):
    first, second = (Image.fromarray(noise(3, 16, 16)) for _ in range(2))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    first.save(tmp_path / "b.jpg")
    assert (read(tmp_path / "a.jpg") == read(tmp_path / "b.jpg")).all()


@pytest.mark.parametrize("kind", ["gif", "webp", "png", "tiff"])
def test_several_frames_are_refused(tmp_path, kind):
    first, second = (Image.fromarray(noise(3)) for _ in range(2))
    first.save(tmp_path / f"a.{kind}", save_all=True, append_images=[second])
    assert "has 2 frames: save those that you want" in refused(tmp_path / f"a.{kind}")
    first.save(tmp_path / f"b.{kind}")
    assert read(tmp_path / f"b.{kind}").shape == (5, 7, 3)


def png16(colour, channels):
    """A PNG of one pixel of 16 bits, which Pillow would cut to 8 for colours."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 16, colour, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" + b"\1\2" * channels))
        + chunk(b"IEND", b"")
    )


def tiff16():
    """A TIFF of one RGB pixel of 16 bits."""
    entries = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 140), (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 6), (284, 3, 1, 1)]  # fmt: skip
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries) + struct.pack("<I", 0)
    return head + body + struct.pack("<3H", 16, 16, 16) + b"\1\2\3\4\5\6"


@pytest.mark.parametrize(
    "data",
    [
        *(png16(colour, channels) for colour, channels in ((0, 1), (4, 2), (2, 3), (6, 4))),
        b"P6 1 1 65535\n\1\2\3\4\5\6",
        tiff16(),
    ],
)
def test_16_bits_are_refused(tmp_path, data):
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with Image.open(path) as image:
        image.load()  # it is an image
    said = refused(path)
    assert "is 16-bit, and what can be coded is 8 bits" in said
    assert "convert it first" in said


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("I;16", "is 16-bit"),
        ("I", "is 32-bit"),
        ("F", "is floating-point"),
        ("CMYK", "is CMYK"),
        ("LAB", "is LAB"),
        ("YCbCr", "is YCbCr"),
    ],
)
def test_other_pixels_are_refused(tmp_path, mode, said):
    Image.new(mode, (4, 4)).save(tmp_path / "a.tiff")
    assert said in refused(tmp_path / "a.tiff")


def test_what_is_no_image_is_refused(tmp_path):
    path = tmp_path / "a.png"
    assert refused(path) == f"Cannot read {path}: No such file or directory."
    assert refused(tmp_path) == f"Cannot read {tmp_path}: Is a directory."
    for content in (b"", b"words", b"%PDF-1.4", b"<svg xmlns='http://www.w3.org/2000/svg'/>"):
        path.write_bytes(content)
        assert "is not an image of a kind that is read" in refused(path)


@pytest.mark.parametrize("kind", ["png", "webp", "jpeg", "bmp", "gif", "tiff", "ppm", "tga"])
def test_a_torn_image_is_refused_wherever_it_ends(tmp_path, kind):
    data = io.BytesIO()
    Image.fromarray(noise(3, 8, 8)).save(data, kind)
    whole, path = data.getvalue(), tmp_path / f"a.{kind}"
    path.write_bytes(whole)
    kept = read(path)
    for length in range(0, len(whole), 5):
        path.write_bytes(whole[:length])
        try:
            found = read(path)
        except UserError as error:
            assert "is torn" in str(error) or "not an image" in str(error)  # noqa: PT017
        else:  # formats end with what holds no pixels
            assert (found == kept).all()
            assert length > len(whole) - 30
    assert length > 0


def test_an_image_that_is_too_large_is_refused_unread(tmp_path):
    for side in (12_000, 20_000):  # 432 MB; what Pillow itself refuses
        (tmp_path / "a.ppm").write_bytes(b"P6 %d %d 255\n" % (side, side))
        assert "is too large: 268,435,456 bytes of pixels" in refused(tmp_path / "a.ppm")


def test_the_images_of_a_folder(tmp_path):
    for name in ("b.PNG", "a.jpg", "c/b.webp", "notes.txt", ".hidden.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find(tmp_path)]
    assert found == ["a.jpg", "b.PNG", "c/b.webp"]
