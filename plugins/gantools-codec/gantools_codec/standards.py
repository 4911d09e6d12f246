"""What the codecs that everyone has, and a linear code, need for the same images: real bytes."""

from __future__ import annotations

import importlib.util
import io
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from constriction import stream
from PIL import Image

from gantools_codec.sources import Pictures

WEBP_SIDE = 16_383
"""The longest side that WebP can store, in pixels."""
FURTHEST = 2_047
"""The greatest quantised coefficient of the linear code; what is beyond it is cut off."""


# -- lossless -----------------------------------------------------------------------------------


def png(image: np.ndarray) -> bytes:
    """Encode an image, uint8 [H, W, C], as PNG with Pillow's ``optimize``."""
    return _saved(image, format="PNG", optimize=True)


def webp(image: np.ndarray) -> bytes:
    """Encode an image, uint8 [H, W, C], as lossless WebP: method 6, quality 100, exact.

    Exact: the colours of transparent pixels are kept. Grey is stored as colour, WebP has no grey.
    """
    return _saved(image, format="WEBP", lossless=True, method=6, quality=100, exact=True)


def jxl(image: np.ndarray, effort: int = 7) -> bytes:
    """Encode an image, uint8 [H, W, C], as lossless JPEG XL, as a bare codestream.

    Raises:
        ImportError: pillow-jxl-plugin is not installed.
    """
    import pillow_jxl  # noqa: F401  (registers the format)

    return _saved(image, format="JXL", lossless=True, effort=effort, num_threads=1)


LOSSLESS: dict[str, Callable[[np.ndarray], bytes]] = {"png": png, "webp": webp, "jxl": jxl}
"""The lossless codecs by name."""


def decoded(data: bytes) -> np.ndarray:
    """Return the pixels, uint8 [H, W, C], of what a codec of this module wrote."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def lossless(images: Pictures) -> dict[str, float | int | None]:
    """Return the bits a sub-pixel of each lossless codec, every image a file of its own.

    Args:
        images: uint8 [H, W, C] each; at least one.

    Returns:
        ``images`` and ``subpixels``, over which the figures are taken, and by codec 8 × the bytes
        of all files / the sub-pixels of all images: ``png``, ``webp``, ``jxl`` (effort 7); and
        ``jxl_atlas``, the images in one grid in one file. None where a codec cannot: JPEG XL is
        not installed, a side is too long for WebP, an atlas of unequal images or of only one.
    """
    subpixels = sum(image.size for image in images)
    can = {
        "png": True,
        "webp": max(max(image.shape[:2]) for image in images) <= WEBP_SIDE,
        "jxl": has_jxl(),
    }
    bits: dict[str, float | int | None] = {"images": len(images), "subpixels": subpixels}
    for name, encode in LOSSLESS.items():
        size = sum(len(encode(image)) for image in images) if can[name] else None
        bits[name] = None if size is None else 8 * size / subpixels
    one_shape = len(images) > 1 and len({image.shape for image in images}) == 1
    together = jxl(atlas(np.asarray(images))) if can["jxl"] and one_shape else None
    bits["jxl_atlas"] = None if together is None else 8 * len(together) / subpixels
    return bits


def atlas(images: np.ndarray) -> np.ndarray:
    """Put images, uint8 [N, H, W, C], in one grid, row by row; places left over are zeros.

    It is as wide as fits into 256 pixels, the side of JPEG XL's groups: a little better than a
    square.
    """
    count, height, width, channels = images.shape
    columns = min(count, max(1, 256 // width))
    rows = -(-count // columns)
    grid = np.zeros((rows * columns, height, width, channels), np.uint8)
    grid[:count] = images
    grid = grid.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, channels)


def has_jxl() -> bool:
    """Whether JPEG XL can be measured: pillow-jxl-plugin is installed."""
    return importlib.util.find_spec("pillow_jxl") is not None


# -- lossy ----------------------------------------------------------------------------------------


class Psnr(NamedTuple):
    """Peak signal-to-noise ratio in dB, 10·log10(255² / mean squared error), in two ways."""

    pooled: float
    """Of the squared error averaged over all images: **the one that is compared**, as what a code
    at one step minimises; it is infinite only where all images are exact."""
    mean: float
    """The mean of the images' own; never less, and infinite as soon as one image is exact."""


class Point(NamedTuple):
    """What a lossy code needs, and what it keeps, at one setting."""

    setting: float
    """JPEG's and WebP's quality; the linear code's step."""
    images: int
    """How many the figures are taken over."""
    bytes: float
    """Of an image, on average, as it is on the disk."""
    payload: float
    """The same without the headers."""
    bpp: float
    """Bits a pixel (not a sub-pixel), of ``bytes``."""
    pooled: float
    mean: float
    """The PSNR in dB, see :class:`Psnr`."""


def psnr(images: Pictures, coded: Pictures) -> Psnr:
    """Return the PSNR of decoded images, uint8 [H, W, C] each, in dB."""
    errors = [
        np.square(np.subtract(x, y, dtype=np.float64)) for x, y in zip(images, coded, strict=True)
    ]
    pooled = sum(error.sum() for error in errors) / sum(error.size for error in errors)
    with np.errstate(divide="ignore"):
        own = 10 * np.log10(255**2 / np.array([error.mean() for error in errors]))
        return Psnr(float(10 * np.log10(255**2 / np.float64(pooled))), float(own.mean()))


def jpeg_curve(images: Pictures, qualities: Sequence[int]) -> list[Point]:
    """JPEG (baseline, colour at half resolution, optimised tables), each image a file.

    ``payload`` is the entropy-coded scan alone, without any table: less than a decoder needs.
    """
    return [_standard(images, q, jpeg_payload, format="JPEG", optimize=True) for q in qualities]


def webp_curve(images: Pictures, qualities: Sequence[int]) -> list[Point]:
    """Lossy WebP at method 6, each image a file.

    ``payload`` is without the 30 bytes of the RIFF, chunk and frame headers (RFC 9649).
    """
    return [
        _standard(images, q, lambda data: len(data) - 30, format="WEBP", method=6)
        for q in qualities
    ]


def jpeg_payload(data: bytes) -> int:
    """Return how many bytes of a baseline JPEG file are its scan, ITU-T T.81, annex B.

    Every segment before the scan is a marker of 2 bytes and its length, which counts itself.
    """
    at = 2  # after the mark of the start
    while data[at + 1] != 0xDA:  # the start of the scan
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return len(data) - at - 2  # without the mark of the end


class Components(NamedTuple):
    """The principal components of training images; D = H·W·C."""

    shape: tuple[int, int, int]
    mean: np.ndarray  # float64 [D], the mean image
    basis: np.ndarray  # float64 [D, D], a component a column, that of the greatest variance first
    train: np.ndarray  # float64 [N, D], the training images' coefficients


def components(train: np.ndarray) -> Components:
    """Find the principal components of whole images, uint8 [N, H, W, C]."""
    flat = train.reshape(len(train), -1).astype(np.float64)
    mean = flat.mean(0)
    flat -= mean
    _, basis = np.linalg.eigh(flat.T @ flat)
    basis = basis[:, ::-1]
    return Components(train.shape[1:], mean, basis, flat @ basis)


class LinearCode:
    """Principal components, quantised with one step and entropy-coded: a strong linear code.

    One step for all coefficients is reverse water-filling (Cover and Thomas 2006, theorem 10.3.3).
    A coefficient is distributed by a Laplace or a Gaussian law, whichever suits the training images
    better, and is left out where it does not pay there. Components and laws are the decoder's own:
    their size is **not** counted.

    Args:
        of: the components.
        step: the quantiser's, in grey levels.
    """

    def __init__(self, of: Components, step: float) -> None:
        self.of, self.step = of, step
        self.laws = {k: law for k, c in enumerate(of.train.T) if (law := self._law(c))}
        """Of each coefficient that is coded: its law, and how far beyond |q| steps it is decoded,
        the mean of the training images."""

    def encode(self, images: np.ndarray) -> bytes:
        """Encode images, uint8 [n, H, W, C], as one stream."""
        coefficients = (images.reshape(len(images), -1) - self.of.mean) @ self.of.basis
        coder = stream.stack.AnsCoder()
        for k, (law, _) in reversed(self.laws.items()):
            coder.encode_reverse(self._quantised(coefficients[:, k]), law)
        return coder.get_compressed().tobytes()

    def decode(self, data: bytes, count: int) -> np.ndarray:
        """Decode what :meth:`encode` wrote: uint8 [count, H, W, C]."""
        coder = stream.stack.AnsCoder(np.frombuffer(data, np.uint32))
        coefficients = np.zeros((count, len(self.of.mean)))
        for k, (law, beyond) in self.laws.items():
            q = coder.decode(law, count)
            coefficients[:, k] = self.step * (q + beyond * np.sign(q))
        pixels = coefficients @ self.of.basis.T + self.of.mean
        return pixels.round().clip(0, 255).astype(np.uint8).reshape(count, *self.of.shape)

    def _quantised(self, c: np.ndarray) -> np.ndarray:
        return np.rint(c / self.step).clip(-FURTHEST, FURTHEST).astype(np.int32)

    def _law(self, c: np.ndarray) -> tuple[Any, float] | None:
        """Choose for a coefficient's training values [N]; None if it does not pay."""
        q = self._quantised(c)
        if not q.any():
            return None
        model = stream.model
        laws = (
            model.QuantizedLaplace(-FURTHEST, FURTHEST, 0.0, np.abs(c).mean() / self.step),
            model.QuantizedGaussian(-FURTHEST, FURTHEST, 0.0, c.std() / self.step),
        )
        bits, law = min(((_bits(q, law), law) for law in laws), key=lambda pair: pair[0])
        beyond = float((np.abs(c / self.step) - np.abs(q))[q != 0].mean())
        error = c - self.step * (q + beyond * np.sign(q))
        saved = np.square(c).sum() - np.square(error).sum()
        worth = self.step**2 * math.log(2) / 6  # −dD/dR of D = step²/12 · 4^(−R): a bit's price
        return (law, beyond) if saved > worth * bits else None


def linear_curve(train: np.ndarray, test: np.ndarray, steps: Sequence[float]) -> list[Point]:
    """Code test images with a linear code of the training images, at every step.

    Args:
        train: uint8 [N, H, W, C].
        test: uint8 [n, H, W, C], all in one stream without a header.
        steps: of the quantiser, in grey levels.
    """
    of = components(train)
    points = []
    for step in steps:
        code = LinearCode(of, step)
        data = code.encode(test)
        points.append(_point(step, test, code.decode(data, len(test)), len(data), len(data)))
    return points


def _standard(images: Pictures, quality: int, payload: Callable[[bytes], int], **how: Any) -> Point:
    files = [_saved(image, quality=quality, **how) for image in images]
    pairs = zip(files, images, strict=True)  # WebP gives grey as three equal channels
    back = [decoded(data)[..., : image.shape[2]] for data, image in pairs]
    return _point(quality, images, back, sum(map(len, files)), sum(map(payload, files)))


def _point(
    setting: float,
    images: Pictures,
    back: Pictures,
    size: int,
    payload: int,
) -> Point:
    n = len(images)
    pixels = sum(math.prod(image.shape[:2]) for image in images)
    return Point(setting, n, size / n, payload / n, 8 * size / pixels, *psnr(images, back))


def _saved(image: np.ndarray, **how: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, **how)
    return file.getvalue()


def _bits(symbols: np.ndarray, law: Any) -> int:
    coder = stream.stack.AnsCoder()
    coder.encode_reverse(symbols, law)
    return int(coder.num_valid_bits())
