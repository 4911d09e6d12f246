"""Users' pictures: files of 8-bit images in, exactly as stored, and out, without loss."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

from gantools import files
from gantools.errors import UserError
from gantools_codec.container import MOST

FORMATS = ("PNG", "WEBP", "JPEG", "BMP", "GIF", "TIFF", "PPM", "TGA")
NETPBM = (".ppm", ".pgm", ".pbm", ".pnm")
READ = (".png", ".webp", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".tga", *NETPBM)
"""The suffixes of what is read from a folder."""
WRITTEN = {
    ".png": ("PNG", (1, 2, 3, 4), MOST),
    ".webp": ("WEBP", (3, 4), 16_383),
    ".bmp": ("BMP", (1, 3), MOST),
    ".tif": ("TIFF", (1, 2, 3, 4), MOST),
    ".tiff": ("TIFF", (1, 2, 3, 4), MOST),
    ".ppm": ("PPM", (3,), MOST),
    ".pgm": ("PPM", (1,), MOST),
}
"""By suffix: the format, the numbers of channels that it keeps, and its longest side in pixels."""
LOSSY = (".jpg", ".jpeg", ".gif")
CHANNELS = ("grey", "grey with transparency", "RGB", "RGBA")
KEPT = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "PA": "RGBA", "RGB": "RGB", "RGBA": "RGBA"}
"""What Pillow calls pixels: in the file, and as they are kept."""

DEEP = {"I": "32-bit", "I;": "16-bit", "F": "floating-point"}


def read(path: Path) -> np.ndarray:
    """Read an image: uint8 [H, W, C]; C is 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA.

    Pixels are kept as they are stored, black and white as 0 and 255, a palette's by their colours,
    a JPEG's as they are decoded; they are not turned as EXIF would have it. Colour profiles and
    other metadata are left behind.

    Raises:
        UserError: it is no image, torn, too large, has several frames, or not 8 bits of grey or
            RGB; says what could be done.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images, which are checked, and of metadata
            with Image.open(path, formats=FORMATS) as image:
                return _pixels(path, image)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
    except Image.UnidentifiedImageError:
        raise UserError(
            f"{path} is not an image of a kind that is read (PNG, WebP, JPEG, BMP, GIF, TIFF, PPM, "
            "TGA), or its beginning is torn."
        ) from None
    except Image.DecompressionBombError:
        raise UserError(_too_large(path)) from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError) as error:
        # what Pillow's decoders raise of torn files
        said = str(error).rstrip(".")
        raise UserError(f"{path} is torn: {said}. Get another copy of it.") from None


def write(image: np.ndarray, path: Path, said: Path | None = None) -> None:
    """Write an image without loss, in the format that the name's suffix says.

    A .webp keeps no alpha that is opaque everywhere; else what :func:`read` gives is ``image``.

    Args:
        image: uint8 [H, W, C].
        path: what is there is replaced.
        said: what messages call it.

    Raises:
        UserError: the format cannot keep it.
        OSError: the file cannot be written.
    """
    check_suffix(path)
    suffix = path.suffix.lower()
    if not keeps(suffix, image.shape):
        height, width, channels = image.shape
        raise UserError(
            f"Cannot write {str(said or path)!r}: {suffix} does not keep {height} × {width} pixels "
            f"of {CHANNELS[channels - 1]}; choose a .png."
        )
    grey = image[:, :, 0] if image.shape[2] == 1 else image
    Image.fromarray(grey).save(path, WRITTEN[suffix][0], lossless=True, exact=True)


def check_suffix(path: Path) -> None:
    """Refuse a name whose format would lose pixels, or is not known.

    Raises:
        UserError: so it is.
    """
    suffix = path.suffix.lower()
    if suffix in LOSSY:
        raise UserError(
            f"Cannot write {str(path)!r}: {suffix} would lose pixels; choose a .png or .webp."
        )
    if suffix not in WRITTEN:
        raise UserError(f"Cannot write {str(path)!r}: its name must end in {', '.join(WRITTEN)}.")


def keeps(suffix: str, shape: tuple[int, ...]) -> bool:
    """Whether a suffix's format keeps an image of a shape (H, W, C) without loss."""
    _, channels, longest = WRITTEN.get(suffix.lower(), ("", (), 0))
    return shape[2] in channels and max(shape) <= longest


def find(folder: Path) -> list[Path]:
    """Return the images in a folder and below it, by their suffixes, sorted; no hidden ones.

    Raises:
        UserError: there is none.
    """
    return files.find(folder, READ)


def _pixels(path: Path, image: ImageFile.ImageFile) -> np.ndarray:
    """Decode an opened image."""
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":  # a telephone's JPEG and what goes with it
        raise UserError(
            f"{path} has {frames} frames: save those that you want as images of their own."
        )
    mode = KEPT.get(image.mode)
    if mode is None or _is_deep(image):
        said = "16-bit" if mode else DEEP.get(image.mode[:2], image.mode)
        raise UserError(
            f"{path} is {said}, and what can be coded is 8 bits of grey, RGB or RGBA: convert it "
            "first, for example to an 8-bit PNG."
        )
    if mode in ("L", "RGB") and image.has_transparency_data:
        mode = {"L": "LA", "RGB": "RGBA"}[mode]
    if image.width * image.height * len(mode) > MOST:
        raise UserError(_too_large(path))
    image.load()
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return pixels.reshape(image.height, image.width, len(mode))


def _is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether Pillow would cut 16 bits to 8, which it does without a word."""
    for tile in image.tile:
        args = tile.args if isinstance(tile.args, tuple) else (tile.args,)
        if re.search(";16[BLN]", str(args[0])):  # as in RGB;16B; a BMP's BGR;16 has 5 or 6 bits
            return True
        if tile.codec_name.startswith("ppm") and args[-1] > 255:
            return True
    return False


def _too_large(path: Path) -> str:
    return f"{path} is too large: {MOST:,} bytes of pixels can be coded; cut it into several."
