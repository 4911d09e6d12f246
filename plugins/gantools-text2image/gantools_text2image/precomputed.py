"""Embeddings of captions that another program made, read from a file."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gantools import UserError
from gantools.data.kept import TORN
from gantools_text2image.text import TextEncoder, checked


class Precomputed(TextEncoder):
    """Looks captions up.

    Args:
        file: .safetensors with a tensor ``embeddings`` [N, width] and, in its metadata,
            ``captions``, a JSON list of N strings; or .npz with arrays ``embeddings`` and
            ``captions`` (strings, no objects). A caption may be there twice with one embedding.

    Raises:
        UserError: the file cannot be read, or what is in it does not fit together.
    """

    embeddings: Tensor

    def __init__(self, file: str | Path) -> None:
        super().__init__()
        self.file = Path(file)
        embeddings, captions = _read(self.file)
        self.rows = _rows(self.file, embeddings, captions)
        self.width = embeddings.shape[1]
        self.register_buffer("embeddings", embeddings, persistent=False)

    def encode(self, captions: list[str]) -> Tensor:
        """Return float32 [B, width] as they are in the file.

        Raises:
            UserError: the file does not have a caption.
            ValueError: a caption is empty or blank.
        """
        captions = checked(captions)
        unknown = [caption for caption in dict.fromkeys(captions) if caption not in self.rows]
        if unknown:
            raise UserError(
                f"{self.file} has no embedding of {_short(unknown[0])}"
                f" ({len(unknown)} of {len(set(captions))} captions are not in it)"
            )
        return self.embeddings[[self.rows[caption] for caption in captions]]


def _read(file: Path) -> tuple[Tensor, list[Any]]:
    """Return what the file says: float32 embeddings and, unchecked, the captions."""
    if not file.is_file():
        raise UserError(f"There is no file {file} of embeddings for --text.")
    try:
        if file.suffix == ".npz":
            zipfile.ZipFile(file).close()  # np.load would take other kinds of files, too
            with np.load(file, allow_pickle=False) as arrays:
                captions = arrays["captions"].tolist()
                return torch.from_numpy(arrays["embeddings"].astype(np.float32)), captions
        with safe_open(file, "pt") as archive:
            captions = json.loads((archive.metadata() or {})["captions"])
            tensors = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
            return tensors["embeddings"].float(), captions
    except KeyError as error:
        raise UserError(
            f"{file} lacks 'embeddings' [N, d] or 'captions' [N]: write both into it."
        ) from error
    except (*TORN, SafetensorError) as error:
        raise UserError(f"{file} cannot be read: {error}") from error


def _rows(file: Path, embeddings: Tensor, captions: list[Any]) -> dict[str, int]:
    """Return the row of each caption; refuse what does not fit together."""
    if embeddings.ndim != 2 or 0 in embeddings.shape:
        shape = "x".join(map(str, embeddings.shape)) or "a single number"
        raise UserError(f"{file}: embeddings has to be a table [captions, width], not {shape}")
    if not isinstance(captions, list) or not all(isinstance(c, str) for c in captions):
        raise UserError(f"{file}: captions has to be a list of strings")
    if len(captions) != len(embeddings):
        raise UserError(
            f"{file} has {len(captions)} captions and {len(embeddings)} embeddings;"
            " there has to be one for each"
        )
    rows: dict[str, int] = {}
    for row, caption in enumerate(captions):
        if not embeddings[row].isfinite().all():
            raise UserError(f"{file}: the embedding of {_short(caption)} is not finite")
        first = rows.setdefault(caption, row)
        if not embeddings[first].equal(embeddings[row]):
            raise UserError(f"{file} has two different embeddings of {_short(caption)}")
    return rows


def _short(caption: str) -> str:
    """Return a caption as messages show it."""
    return repr(caption if len(caption) <= 60 else f"{caption[:59]}…")
