"""Data sets of the Hugging Face hub, by the optional package ``datasets``."""

from __future__ import annotations

from typing import Any

from PIL import Image

from gantools import UserError
from gantools.data import Table
from gantools_text2image import photos
from gantools_text2image.pictures import Pictures

TEXTS = ("text", "caption")
"""The columns that may have the captions, the first that is there."""


def load(name: str, resolution: int, seed: int) -> Pictures:
    """Read a data set with a column ``image`` and a column ``text`` or ``caption``.

    Args:
        name: the data set's, with or without a split: ``"owner/name"``, ``"owner/name:test"``; the
            split is "train" if none is said.
        resolution: the side of the pictures, pixels.
        seed: draws the tenth of the pictures that is held out.

    Raises:
        UserError: ``datasets`` is not installed, the data set cannot be read, a column is missing,
            or fewer than three pictures can be used.
    """
    name, _, split = name.partition(":")
    split = split or "train"
    if not name:
        raise UserError("'hf:' wants the name of a data set: 'hf:owner/name'.")
    data = _dataset(name, split)
    columns = list(data.column_names)
    texts = next((column for column in TEXTS if column in columns), None)
    if "image" not in columns or texts is None:
        wanted = "'image'" if "image" not in columns else "'text' or 'caption'"
        raise UserError(
            f"The data set {name!r} has no column {wanted} (it has {', '.join(columns)}); rename "
            "its columns, or save it as a folder with a metadata.jsonl."
        )
    table = Table(rows=len(data))
    for number, said in enumerate(data[texts]):
        table.add(str(number), said if isinstance(said, list) else [said])

    def opened(number: str) -> Image.Image:
        image = data[int(number)]["image"]
        if not isinstance(image, Image.Image):
            raise ValueError("no image")
        return image

    return photos.pictures(
        table,
        opened,
        resolution=resolution,
        seed=seed,
        source=f"the data set {name!r} ({split})",
        version="\0".join([name, split, str(data._fingerprint)]),
    )


def _dataset(name: str, split: str) -> Any:
    try:
        import datasets
    except ImportError as error:
        raise UserError(
            f"The data set {name!r} is read by the package datasets: "
            "pip install 'gantools-text2image[hub]'"
        ) from error
    try:
        return datasets.load_dataset(name, split=split)
    except Exception as error:  # whatever the network, the hub and its formats may raise
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
        raise UserError(
            f"The data set {name!r} (split {split!r}) cannot be read: {reason}. Check its name and "
            "the network, or give a folder."
        ) from error
