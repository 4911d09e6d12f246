"""A folder of pictures with a table of captions, as Hugging Face's imagefolder has it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from gantools import UserError
from gantools.data import find_table, read_table
from gantools.errors import did_you_mean
from gantools_text2image import photos
from gantools_text2image.pictures import Pictures

EXAMPLE = '{"file_name": "0001.png", "text": "a red heart"}'


def load(folder: Path, resolution: int, seed: int) -> Pictures:
    """Read the pictures that the folder's metadata.jsonl or metadata.csv names.

    The table has the columns ``file_name`` (in the folder or below it) and ``text``; several rows
    of one file are several captions of it. Rows that cannot be used (no text, no such file, an
    image that cannot be read, a line that is not JSON) are left out, and a Note says which.
    https://huggingface.co/docs/datasets/image_dataset#imagefolder

    Args:
        folder: where the table lies.
        resolution: the side of the pictures, pixels.
        seed: draws the tenth of the files that is held out.

    Raises:
        UserError: no folder; not one table but none or two; a column is missing; fewer than three
            pictures that can be used.
    """
    if not folder.is_dir():
        hint = did_you_mean(str(folder), ["openmoji"])
        raise UserError(
            f"There is no folder {str(folder)!r}.{hint} Pictures come from 'openmoji', a folder "
            "or 'hf:NAME'."
        )
    file = find_table(folder, EXAMPLE)
    table = read_table(file)
    stamps = [str(folder.resolve()), hashlib.sha256(file.read_bytes()).hexdigest()]
    for name in table.texts:
        stat = (folder / name).stat()
        stamps.append(f"{stat.st_size} {stat.st_mtime_ns}")
    return photos.pictures(
        table,
        lambda name: Image.open(folder / name),
        resolution=resolution,
        seed=seed,
        source=f"the folder {str(folder)!r}",
        version="\0".join(stamps),
    )
