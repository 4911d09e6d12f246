"""Standard codecs and the linear code: real bytes that decode, counted as the format says."""

import io
import math

import numpy as np
import pytest
from gantools_codec import standards
from gantools_codec.standards import (
    LOSSLESS,
    LinearCode,
    atlas,
    components,
    decoded,
    jpeg_curve,
    jpeg_payload,
    linear_curve,
    lossless,
    psnr,
    webp_curve,
)
from PIL import Image

RANDOM = np.random.default_rng(0)
NOISE = {c: RANDOM.integers(0, 256, (9, 7, c), dtype=np.uint8) for c in (1, 2, 3, 4)}
with_jxl = pytest.mark.skipif(not standards.has_jxl(), reason="pillow-jxl-plugin is not installed")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("codec", ["png", "webp", pytest.param("jxl", marks=with_jxl)])
def test_lossless_is_exact_under_transparent_pixels_too(codec, channels):
    image = NOISE[channels]
    back = decoded(LOSSLESS[codec](image))
    if codec == "webp" and channels < 3:  # which has no grey
        back = np.delete(back, (1, 2), axis=2)
    np.testing.assert_array_equal(back[..., :channels], image)
    assert np.all(back[..., channels:] == 255)


def test_bits_a_subpixel_are_of_all_files_over_all_subpixels():
    images = [NOISE[1], NOISE[3]]
    bits = lossless(images)
    size = 0
    for image, mode in zip(images, ("L", "RGB"), strict=True):
        file = io.BytesIO()
        Image.frombytes(mode, (7, 9), image.tobytes()).save(file, "PNG", optimize=True)
        size += len(file.getvalue())
    assert bits["images"] == 2
    assert bits["subpixels"] == 63 + 189
    assert bits["png"] == pytest.approx(8 * size / 252)
    assert bits["jxl_atlas"] is None  # of unequal images


def test_what_a_codec_cannot_is_none(monkeypatch):
    monkeypatch.setattr(standards, "has_jxl", lambda: False)
    monkeypatch.setattr(standards, "WEBP_SIDE", 8)
    bits = lossless([NOISE[3], NOISE[3]])
    assert bits["png"] > 8
    assert bits["webp"] is bits["jxl"] is bits["jxl_atlas"] is None


@with_jxl
def test_an_atlas_pays_one_header():
    flat = np.full((100, 8, 8, 1), 7, np.uint8)
    bits = lossless(flat)
    assert bits["jxl_atlas"] < bits["jxl"] / 50


def test_an_atlas_is_filled_row_by_row():
    parts = RANDOM.integers(0, 256, (5, 2, 100, 3), dtype=np.uint8)  # two fit into 256 pixels
    grid = atlas(parts)
    assert grid.shape == (6, 200, 3)
    for number, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]):
        place = grid[2 * row : 2 * row + 2, 100 * column : 100 * column + 100]
        np.testing.assert_array_equal(place, parts[number])
    assert not grid[4:, 100:].any()
    assert atlas(parts[:1]).shape == (2, 100, 3)
    assert atlas(np.ones((3, 2, 300, 1), np.uint8)).shape == (6, 300, 1)


def test_psnr_of_known_errors():
    zeros = np.zeros((2, 4, 4, 1), np.uint8)
    errors = np.stack([np.full((4, 4, 1), 1, np.uint8), np.full((4, 4, 1), 3, np.uint8)])
    kept = psnr(zeros, errors)
    assert kept.pooled == pytest.approx(20 * math.log10(255) - 10 * math.log10(5))
    assert kept.mean == pytest.approx(20 * math.log10(255) - 10 * math.log10(3))
    assert psnr(errors, zeros) == kept  # uint8 does not wrap
    one_exact = psnr(zeros, np.stack([zeros[0], errors[0]]))
    assert one_exact.mean == math.inf
    assert one_exact.pooled == pytest.approx(20 * math.log10(255) + 10 * math.log10(2))


def test_psnr_weighs_images_by_their_size():
    images = [np.zeros((3, 1, 1), np.uint8), np.zeros((1, 1, 1), np.uint8)]
    coded = [images[0], images[1] + 2]
    assert psnr(images, coded).pooled == pytest.approx(20 * math.log10(255))


def test_the_scan_of_a_jpeg():
    parts = [b"\xff\xd8", b"\xff\xe0\x00\x04ab", b"\xff\xda\x00\x03c", b"scan!", b"\xff\xd9"]
    assert jpeg_payload(b"".join(parts)) == len(b"scan!")


def test_lossy_standards_are_counted_with_and_without_headers():
    smooth = np.linspace(0, 255, 32 * 32 * 3).reshape(1, 32, 32, 3).astype(np.uint8)
    low, high = jpeg_curve(smooth, [10, 90])
    assert low.images == 1
    assert low.bpp == pytest.approx(8 * low.bytes / 1024)
    assert low.bytes < high.bytes
    assert low.pooled < high.pooled
    assert low.bytes - low.payload > 200  # the tables
    file = io.BytesIO()
    Image.fromarray(smooth[0]).save(file, "WEBP", quality=50, method=6)
    (point,) = webp_curve(smooth, [50])
    assert point.bytes == len(file.getvalue())
    stored = int.from_bytes(file.getvalue()[16:20], "little")  # the chunk's length
    assert point.payload in (stored - 10, stored - 9)  # without the frame's header; padded to even


def constant(values):
    """Grey 4 × 4 images of one grey each: a single component, of 4 × the grey's deviation."""
    return np.tile(np.rint(values).clip(0, 255).astype(np.uint8)[:, None, None, None], (1, 4, 4, 1))


def test_the_linear_code_of_a_gaussian_needs_its_entropy():
    greys = 128 + 25 * RANDOM.standard_normal((2, 4000))
    train, test = constant(greys[0]), constant(greys[1])
    code = LinearCode(components(train), step=10)
    assert list(code.laws) == [0]
    bits = 8 * len(code.encode(test)) / len(test)
    assert bits == pytest.approx(math.log2(math.sqrt(2 * math.pi * math.e) * 4 * 25 / 10), abs=0.05)


def test_a_laplace_is_coded_as_one():
    greys = 128 + RANDOM.laplace(scale=10, size=(2, 4000))
    train, test = constant(greys[0]), constant(greys[1])
    code = LinearCode(components(train), step=5)
    bits = 8 * len(code.encode(test)) / len(test)
    assert bits == pytest.approx(math.log2(2 * math.e * 4 * 10 / 5), abs=0.05)


def test_half_the_step_is_six_decibels_and_a_bit_a_coefficient():
    noise = (128 + 30 * RANDOM.standard_normal((2, 1000, 2, 4, 1))).clip(0, 255).astype(np.uint8)
    coarse, fine = linear_curve(noise[0], noise[1], [16, 8])
    assert fine.bytes - coarse.bytes == pytest.approx(1, abs=0.05)  # 8 coefficients, a bit each
    assert fine.pooled - coarse.pooled == pytest.approx(20 * math.log10(2), abs=0.2)
    assert coarse.pooled == pytest.approx(10 * math.log10(255**2 / (16**2 / 12)), abs=0.1)
    assert coarse.images == 1000


def test_a_coefficient_that_does_not_pay_is_left_out():
    scale = np.array([40, 1])  # the second is far below the step
    images = (128 + scale * RANDOM.standard_normal((2, 1000, 2))).clip(0, 255)
    images = images.astype(np.uint8).reshape(2, 1000, 1, 2, 1)
    code = LinearCode(components(images[0]), step=12)
    assert list(code.laws) == [0]
    back = code.decode(code.encode(images[1]), 1000)
    error = np.subtract(images[1], back, dtype=float)
    assert np.square(error[:, :, 0]).mean() == pytest.approx(12**2 / 12, rel=0.1)
    assert np.ptp(images[1][:, :, 1]) > 4
    assert np.ptp(back[:, :, 1]) <= 1


def test_decoding_needs_only_the_bytes_and_the_training_images():
    noise = RANDOM.integers(0, 256, (60, 3, 5, 3), dtype=np.uint8)
    data = LinearCode(components(noise[:50]), 3).encode(noise[50:])
    back = LinearCode(components(noise[:50]), 3).decode(data, 10)
    assert back.shape == (10, 3, 5, 3)
    assert back.dtype == np.uint8
    assert np.abs(back.astype(int) - noise[50:]).max() <= 3 * math.sqrt(45) / 2 + 0.5
