"""Pictures with captions: what every source gives, and how they are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gantools import UserError


@dataclass(frozen=True)
class Pictures:
    """Pictures and what is said of them."""

    images: Tensor
    """uint8 [N, 3, S, S], on white."""
    captions: list[list[str]]
    """Of each picture, at least one; the first is its name."""
    split: list[str]
    """Of each: "train", "held-out" (unseen names) or "composition" (unseen combination)."""
    source: str
    """What they are, for reports: "OpenMoji 17.0.0, CC BY-SA 4.0"."""
    tones: Tensor | None = None
    """int64 [N], skin tone 0 (light) to 4 (dark), −1 without one; None: no such thing here."""
    placed: bool = False
    """Whether training may place them anew (drawings on white, not photographs)."""

    def __len__(self) -> int:
        return len(self.images)

    def only(self, split: str) -> Pictures:
        """Return the pictures of one split, in their order; it may be empty."""
        rows = [row for row, its in enumerate(self.split) if its == split]
        index = torch.tensor(rows, dtype=torch.long)
        return replace(
            self,
            images=self.images[index],
            captions=[self.captions[row] for row in rows],
            split=[split] * len(rows),
            tones=None if self.tones is None else self.tones[index],
        )


def write(pictures: Pictures, folder: Path) -> None:
    """Keep pictures in a folder that is made for them; :func:`read` gives them back."""
    folder.mkdir()
    tensors = {name: getattr(pictures, name) for name in ("images", "tones")}
    save_file({k: v for k, v in tensors.items() if v is not None}, folder / "pictures.safetensors")
    names = ("captions", "split", "source", "placed")
    said = json.dumps({name: getattr(pictures, name) for name in names})
    (folder / "pictures.json").write_text(said, encoding="utf-8")


def read(folder: Path) -> Pictures:
    """Read what :func:`write` kept.

    Raises:
        UserError: it is not whole.
    """
    try:
        said = json.loads((folder / "pictures.json").read_text(encoding="utf-8"))
        return Pictures(**load_file(folder / "pictures.safetensors"), **said)
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise UserError(f"The pictures that the run kept in {folder} are torn: {error}") from None
