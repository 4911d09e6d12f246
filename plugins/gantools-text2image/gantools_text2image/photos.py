"""Images of any size and kind made square pictures, and some of them held out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from gantools import UserError
from gantools.data import Table, cached, held_out
from gantools_text2image.pictures import Pictures


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
        table: what there is; images that cannot be read are dropped from it.
        opened: opens the image of a name; an error of its leaves the image out.
        resolution: the side, pixels.
        seed: draws which first captions are held out, with all their pictures; one picture more
            changes little.
        source: what they are, for messages and reports.
        version: all that the pixels depend on but for the resolution.

    Raises:
        UserError: fewer than three pictures, or three captions.
    """
    names = list(table.texts)

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
    readable = set(made["numbers"].tolist())
    for number, name in enumerate(names):
        if number not in readable:
            table.drop(name, "unreadable")
    if len(readable) < 3:
        why = f" Left out: {table.first_left_out()}." if table.left_out else ""
        raise UserError(
            f"{source} has {len(readable)} usable pictures, and at least 3 are needed: 2 to train "
            f"on and 1 to judge by.{why}"
        )
    table.say_left_out(source)
    captions = list(table.texts.values())
    said = [first for first, *_ in captions]
    if len(different := set(said)) < 3:
        raise UserError(
            f"{source} has {len(different)} different captions, and at least 3 are needed: 2 to "
            "train on, each of which is wrong for the other's picture, and 1 to judge by."
        )
    apart = held_out(different, seed)
    return Pictures(
        images=made["images"],
        captions=captions,
        split=["held-out" if caption in apart else "train" for caption in said],
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
