"""Pictures and films of tensors: grids with their captions, strips, .mp4 and .gif.

Pillow, and PyAV for .mp4, are imported when they are used: a plugin that shows pictures names them
among its own requirements.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from gantools.errors import UserError
from gantools.files import aside

if TYPE_CHECKING:
    from PIL import Image

MARGIN = 4  # pixels between pictures
LONGEST = 16_384
"""Pixels of an .mp4's sides at most, as H.264's encoder takes them."""


def to_image(picture: Tensor, zoom: int = 1) -> Image.Image:
    """A picture [3, H, W], or a grey one [1, H, W], in [−1, 1] as an image.

    Args:
        picture: what is beyond [−1, 1] is cut.
        zoom: the width of each of its pixels, in pixels.
    """
    from PIL import Image

    levels = ((picture.detach().cpu().float() + 1) * 127.5).round().clamp(0, 255).byte()
    pixels = levels.squeeze(0) if len(levels) == 1 else levels.permute(1, 2, 0)
    image = Image.fromarray(pixels.contiguous().numpy())
    return image.resize((zoom * image.width, zoom * image.height), Image.Resampling.NEAREST)


def grid(
    rows: Sequence[Tensor],
    zoom: int = 4,
    above: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> Image.Image:
    """Rows of pictures of one size in a sheet, with words above the columns or beside the rows.

    Args:
        rows: [C, 3, H, W] or [C, 1, H, W] each, in [−1, 1]; some may be shorter than others.
        zoom: the width of a picture's pixel, in pixels.
        above: for the columns from the left, in five lines at most.
        beside: for the rows from the top, in as many lines as fit, five at most.
    """
    from PIL import Image, ImageDraw, ImageFont

    height, width = (side * zoom for side in rows[0].shape[-2:])
    font = ImageFont.load_default(11)
    heads = [_lines(text, max(8, width // 6), 5) for text in above]
    tails = [_lines(text, 22, max(1, min(5, height // 14))) for text in beside]
    top = 14 * max((head.count("\n") + 1 for head in heads), default=0) + MARGIN
    left = 140 if tails else MARGIN
    columns = max(len(row) for row in rows)
    size = (left + columns * (width + MARGIN), top + len(rows) * (height + MARGIN))
    sheet = Image.new("RGB", size, "#e8e8e8")
    pen = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        place = (left + column * (width + MARGIN), 2)
        pen.multiline_text(place, head, "black", font, spacing=2)
    for i, row in enumerate(rows):
        y = top + i * (height + MARGIN)
        if i < len(tails):
            pen.multiline_text((MARGIN, y), tails[i], "black", font, spacing=2)
        for column, picture in enumerate(row):
            sheet.paste(to_image(picture, zoom), (left + column * (width + MARGIN), y))
    return sheet


def _lines(text: str, width: int, most: int) -> str:
    return "\n".join(textwrap.wrap(text, width, max_lines=most, placeholder=" …"))


def strip(files: Sequence[Path], most: int = 12) -> Image.Image:
    """Snapshots of a training below each other, the first and the last among them, evenly.

    Args:
        files: images, at least one, from the first to the last.
        most: how many are shown.
    """
    from PIL import Image

    chosen = torch.linspace(0, len(files) - 1, min(most, len(files))).round().long().unique()
    images = [Image.open(files[i]).convert("RGB") for i in chosen.tolist()]
    width, height = max(i.width for i in images), sum(i.height for i in images)
    sheet, y = Image.new("RGB", (width, height), "white"), 0
    for image in images:
        sheet.paste(image, (0, y))
        y += image.height
    return sheet


Add = Callable[[np.ndarray], None]


def write_video(path: Path, frames: Iterable[np.ndarray], fps: float | Fraction) -> None:
    """Write pictures, taken one by one, as a film; what :func:`video` says goes for it too.

    Args:
        path: where to; the suffix, .mp4 or .gif, says what.
        frames: uint8 [H, W, 3], all of one size, at least one.
        fps: how many of them a second.
    """
    with video(path, fps) as add:
        for frame in frames:
            add(frame)


@contextmanager
def video(path: Path, fps: float | Fraction) -> Iterator[Add]:
    """Give a function that adds a picture, uint8 [H, W, 3], to a film; it is whole or not there.

    An .mp4 is H.264, its sides are cut to an even number of pixels, and it is written as it comes.
    A .gif is an endless loop, each picture in its own 256 colours, and is kept in memory till then.

    Args:
        path: where to; the suffix, .mp4 or .gif, says what.
        fps: pictures a second.

    Raises:
        UserError: another suffix, or pictures too small or too large for it.
        ValueError: no picture was added.
        OSError: it cannot be written.
    """
    kinds = {".mp4": _mp4, ".gif": _gif}
    if path.suffix not in kinds:
        raise UserError(f"Cannot write {str(path)!r}: a film's name ends in {' or '.join(kinds)}.")
    rate = Fraction(fps).limit_denominator(1001)
    with aside(path) as temporary, kinds[path.suffix](temporary, rate) as add:
        yield add


@contextmanager
def _mp4(path: Path, rate: Fraction) -> Iterator[Add]:
    import av

    with av.open(path, "w") as container:
        stream = container.add_stream("h264", rate=rate, options={"crf": "20"})
        stream.pix_fmt = "yuv420p"

        def add(frame: np.ndarray) -> None:
            height, width = frame.shape[0] // 2 * 2, frame.shape[1] // 2 * 2
            if not stream.codec_context.is_open:
                if not (2 <= height <= LONGEST and 2 <= width <= LONGEST):
                    raise UserError(
                        f"{frame.shape[1]:,} × {frame.shape[0]:,} pixels cannot be an .mp4, whose "
                        f"sides have 2 to {LONGEST:,}: make them smaller or larger, or a .gif."
                    )
                stream.height, stream.width = height, width
            cut = np.ascontiguousarray(frame[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(cut)))

        yield add
        if not stream.codec_context.is_open:
            raise ValueError("a film needs at least one picture")
        container.mux(stream.encode())


@contextmanager
def _gif(path: Path, rate: Fraction) -> Iterator[Add]:
    from PIL import Image

    pictures: list[Image.Image] = []
    yield lambda frame: pictures.append(Image.fromarray(frame).quantize())
    if not pictures:
        raise ValueError("a film needs at least one picture")
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=float(1000 / rate), loop=0
    )
