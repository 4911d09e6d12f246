"""Where pictures come from: the sources by name."""

from __future__ import annotations

from pathlib import Path

from gantools import UserError
from gantools_text2image.pictures import Pictures

SMALLEST, LARGEST = 32, 256
"""The sides of the pictures that can be asked for, in pixels."""


def load(source: str, resolution: int, seed: int = 0) -> Pictures:
    """Read the pictures of a source at a resolution.

    Args:
        source: ``"openmoji"``; a folder in Hugging Face's imagefolder convention; or
            ``"hf:NAME"`` or ``"hf:NAME:SPLIT"``, a data set of the Hugging Face hub.
        resolution: the side in pixels, 32 to 256.
        seed: draws which pictures of a folder or of the hub are held out. OpenMoji's split is
            the same for every seed, so that all runs can be compared.

    Raises:
        UserError: a resolution out of range, or a source that cannot be read.
    """
    if not SMALLEST <= resolution <= LARGEST:
        raise UserError(f"The resolution is {SMALLEST} to {LARGEST} pixels, not {resolution}.")
    # Each source needs packages that the others do not.
    if source == "openmoji":
        from gantools_text2image import openmoji

        return openmoji.load(resolution)
    if source.startswith("hf:"):
        from gantools_text2image import hub

        return hub.load(source.removeprefix("hf:"), resolution, seed)
    from gantools_text2image import folder

    return folder.load(Path(source).expanduser(), resolution, seed)
