"""Pictures of pictures: grids with their captions, and the strip of a training."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

MARGIN = 4  # pixels between pictures


def to_image(picture: Tensor, zoom: int = 1) -> Image.Image:
    """A picture [3, S, S] in [−1, 1] as an image, each pixel ``zoom`` pixels wide."""
    pixels = ((picture + 1) * 127.5).round().clamp(0, 255).byte()
    image = Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())
    return image.resize((zoom * image.width, zoom * image.height), Image.Resampling.NEAREST)


def grid(
    rows: Sequence[Tensor],
    zoom: int = 4,
    above: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> Image.Image:
    """Rows of pictures [C, 3, S, S] in [−1, 1], with words above the columns or beside the rows."""
    side = rows[0].shape[-1] * zoom
    step = side + MARGIN
    font = ImageFont.load_default(11)
    wide = max(8, side // 6)
    heads = ["\n".join(textwrap.wrap(text, wide)[:4]) for text in above]
    tails = ["\n".join(textwrap.wrap(text, 22)[:5]) for text in beside]
    top = 14 * max((head.count("\n") + 1 for head in heads), default=0) + MARGIN
    left = 140 if tails else MARGIN
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (left + columns * step, top + len(rows) * step), "#e8e8e8")
    pen = ImageDraw.Draw(sheet)
    for column, head in enumerate(heads):
        pen.multiline_text((left + column * step, 2), head, "black", font, spacing=2)
    for i, row in enumerate(rows):
        if i < len(tails):
            pen.multiline_text((MARGIN, top + i * step), tails[i], "black", font, spacing=2)
        for column, picture in enumerate(row):
            sheet.paste(to_image(picture, zoom), (left + column * step, top + i * step))
    return sheet


def strip(files: Sequence[Path], most: int = 12) -> Image.Image:
    """Snapshots of a training below each other, the first and the last among them, evenly."""
    chosen = torch.linspace(0, len(files) - 1, min(most, len(files))).round().long().unique()
    images = [Image.open(files[i]).convert("RGB") for i in chosen.tolist()]
    width, height = max(i.width for i in images), sum(i.height for i in images)
    sheet, y = Image.new("RGB", (width, height), "white"), 0
    for image in images:
        sheet.paste(image, (0, y))
        y += image.height
    return sheet
