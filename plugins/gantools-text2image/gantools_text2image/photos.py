"""Images of any size and kind made square pictures, and some of them held out."""

from __future__ import annotations

import hashlib
import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gantools import Note, UserError
from gantools.data import cached
from gantools_text2image.pictures import Pictures

HELD_OUT = 0.1
"""The share of pictures that are held out."""


@dataclass
class Table:
    """What a source says of its pictures, before one of them is opened."""

    captions: dict[str, list[str]] = field(default_factory=dict)
    """Of each picture, by its name; none is empty."""
    rows: int = 0
    """How many rows the table has; several may be of one picture."""
    left_out: list[str] = field(default_factory=list)
    """The rows that cannot be used, each with the reason: "a.png (no text)"."""

    def add(self, name: str, texts: Sequence[object]) -> None:
        """Take a picture's captions in, blanks made single; without one the row is left out."""
        said = [" ".join(text.split()) for text in texts if isinstance(text, str)]
        if not any(said):
            self.left_out.append(f"{name} (no text)")
            return
        known = self.captions.setdefault(name, [])
        known.extend(text for text in dict.fromkeys(said) if text and text not in known)


def pictures(
    table: Table,
    opened: Callable[[str], Image.Image],
    *,
    resolution: int,
    seed: int,
    source: str,
    version: str,
) -> Pictures:
    """Open every image of a table, make it square, and hold a tenth of them out.

    A Note says how many rows were left out, and the first three.

    Args:
        table: what there is.
        opened: opens the image of a name; an error of its leaves the image out.
        resolution: the side, pixels.
        seed: draws which first captions are held out, with all their pictures; one picture more
            changes little.
        source: what they are, for messages and reports.
        version: all that the pixels depend on but for the resolution.

    Raises:
        UserError: fewer than three pictures, or three captions.
    """
    names = list(table.captions)

    def make() -> dict[str, Tensor]:
        read: dict[int, Tensor] = {}
        for number, name in enumerate(names):
            try:
                with opened(name) as image:
                    read[number] = square(image, resolution)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
                continue  # Pillow's ways to say that a file is broken
        empty = torch.empty(0, 3, resolution, resolution, dtype=torch.uint8)
        images = torch.stack(list(read.values())) if read else empty
        return {"images": images, "numbers": torch.tensor(list(read), dtype=torch.long)}

    # What is read is kept; the unreadable ones with it, so that they are told of each time.
    digest = hashlib.sha256(f"{version}\0{resolution}".encode()).hexdigest()[:24]
    made = cached(f"text2image-photos-{digest}", make)
    usable = [names[number] for number in made["numbers"].tolist()]
    broken = [f"{name} (unreadable)" for name in names if name not in set(usable)]
    left_out = [*table.left_out, *broken]
    first = ", ".join(textwrap.shorten(row, 80, placeholder="…") for row in left_out[:3])
    first += ", …" if len(left_out) > 3 else ""
    if len(usable) < 3:
        why = f" Left out: {first}." if left_out else ""
        raise UserError(
            f"{source} has {len(usable)} usable pictures, and at least 3 are needed: 2 to train on "
            f"and 1 to judge by.{why}"
        )
    if left_out:
        said = f"{source}: left out {len(left_out)} of {table.rows} rows: {first}"
        warnings.warn(said, Note, stacklevel=2)
    said = [table.captions[name][0] for name in usable]
    if len(different := sorted(set(said))) < 3:
        raise UserError(
            f"{source} has {len(different)} different captions, and at least 3 are needed: 2 to "
            "train on, each of which is wrong for the other's picture, and 1 to judge by."
        )
    held_out = _held_out(different, seed)
    return Pictures(
        images=made["images"],
        captions=[table.captions[name] for name in usable],
        split=["held-out" if caption in held_out else "train" for caption in said],
        source=source,
    )


def square(image: Image.Image, resolution: int) -> Tensor:
    """Return an image as uint8 [3, S, S]: upright, on white, its middle square, resized smoothly.

    Upright by its EXIF orientation; transparent parts become white; resized by Lanczos' filter,
    which takes the mean over what it shrinks.
    """
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):  # 16 bits, which Pillow would clip
        upright = Image.fromarray((np.asarray(upright) / 257).clip(0, 255).astype(np.uint8))
    colours = upright.convert("RGBA")
    paper = Image.new("RGBA", colours.size, "white")
    flat = Image.alpha_composite(paper, colours).convert("RGB")
    side = min(flat.size)
    left, top = (flat.width - side) // 2, (flat.height - side) // 2
    middle = flat.crop((left, top, left + side, top + side))
    small = middle.resize((resolution, resolution), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def _held_out(captions: Sequence[str], seed: int) -> set[str]:
    def drawn(caption: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{caption}".encode()).digest()

    return set(sorted(captions, key=drawn)[: max(1, round(HELD_OUT * len(captions)))])
