"""Checkpoints: a state tree as safetensors and JSON, whole or not there at all.

A checkpoint is a folder ``turn-000000500`` that is written aside, flushed to the disk and renamed.
Loading executes no code: tensors and arrays are in ``*.safetensors``, everything else in ``*.json``
with the sizes and SHA-256 of the tensors, so that a torn or foreign file is recognised.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

FORMAT = "gantools-checkpoint-1"


class BrokenCheckpoint(Exception):
    """A checkpoint is torn, altered or not gantools' own; says which file and what is wrong."""


# -- a state tree in two files ----------------------------------------------------------------


def save_state(state: Mapping[str, Any], folder: Path, name: str) -> None:
    """Write a tree of dicts, lists, tuples, tensors, arrays and plain values to two files.

    Raises:
        TypeError: the tree holds something else.
        OSError: the disk is full, or the folder cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = _encode(state, name, tensors)
    content = save_tensors(tensors)
    digest = hashlib.sha256(content).hexdigest()
    about = {"format": FORMAT, "bytes": len(content), "sha256": digest, "state": tree}
    _write(folder / f"{name}.safetensors", content)
    _write(folder / f"{name}.json", json.dumps(about).encode())


def load_state(folder: Path, name: str) -> Any:
    """Read what :func:`save_state` wrote, tensors on the CPU.

    Raises:
        BrokenCheckpoint: a file is missing, torn, altered or foreign.
    """
    described, stored = folder / f"{name}.json", folder / f"{name}.safetensors"
    try:
        about = json.loads(described.read_bytes())
        content = stored.read_bytes()
    except OSError as error:
        raise BrokenCheckpoint(f"{error.filename}: {error.strerror}") from None
    except ValueError:
        raise BrokenCheckpoint(f"{described} is torn: it is not whole JSON") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise BrokenCheckpoint(f"{described} is not a gantools checkpoint ({FORMAT})")
    if len(content) != about["bytes"]:
        raise BrokenCheckpoint(f"{stored} is torn: {len(content)} of {about['bytes']} bytes")
    if hashlib.sha256(content).hexdigest() != about["sha256"]:
        raise BrokenCheckpoint(f"{stored} was altered: its SHA-256 is not the recorded one")
    try:
        return _decode(about["state"], load_tensors(content))
    except (SafetensorError, KeyError, TypeError) as error:
        raise BrokenCheckpoint(f"{stored} does not match its description: {error}") from None


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _encode(value: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, (Tensor, np.ndarray)):
        kind = "tensor" if isinstance(value, Tensor) else "array"
        tensor = (
            value if isinstance(value, Tensor) else torch.from_numpy(np.ascontiguousarray(value))
        )
        # Cloned: safetensors refuses tensors that share memory, as tied weights do.
        tensors[path] = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {f"${kind}": path}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {k: _encode(v, f"{path}/{k}", tensors) for k, v in value.items()}
        return {"$items": [[k, _encode(v, f"{path}/{k}", tensors)] for k, v in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [_encode(v, f"{path}/{i}", tensors) for i, v in enumerate(value)]
        return items if isinstance(value, list) else {"$tuple": items}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"cannot keep {type(value).__name__} in a checkpoint (at {path})")


def _decode(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_decode(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((kind, content),) = value.items()
        if kind == "$tensor":
            return tensors[content]
        if kind == "$array":
            return tensors[content].numpy()
        if kind == "$tuple":
            return tuple(_decode(item, tensors) for item in content)
        if kind == "$items":
            return {key: _decode(item, tensors) for key, item in content}
    return {key: _decode(item, tensors) for key, item in value.items()}


# -- the checkpoints of a run -----------------------------------------------------------------


class Checkpoints:
    """The checkpoints in a folder: the newest ``keep`` of them, and the best.

    Args:
        folder: made when the first checkpoint is saved.
        keep: how many of the newest to keep.
    """

    def __init__(self, folder: Path, keep: int = 3) -> None:
        self.folder = folder
        self.keep = keep

    def path(self, turn: int) -> Path:
        """Where the checkpoint of a turn is, or would be."""
        return self.folder / f"turn-{turn:09d}"

    def turns(self) -> list[int]:
        """The turns of which there is a checkpoint, oldest first."""
        return sorted(int(path.name[5:]) for path in self.folder.glob("turn-" + "[0-9]" * 9))

    def score(self, turn: int) -> float | None:
        """The score that a checkpoint was saved with, or None."""
        try:
            return float(json.loads((self.path(turn) / "score.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def best(self) -> tuple[int, float] | None:
        """Turn and score of the best checkpoint, the earliest of equals; None if none has one."""
        scores = [(turn, score) for turn in self.turns() if (score := self.score(turn)) is not None]
        return max(scores, key=lambda scored: scored[1], default=None)

    def begin(self, turn: int) -> Path:
        """Make the folder aside into which every process writes its part of a checkpoint."""
        aside = self.folder / f".writing-{turn:09d}"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        return aside

    def commit(self, turn: int, score: float | None = None) -> Path:
        """Put a written checkpoint in its place; drop those that are neither new nor best."""
        path, aside = self.path(turn), self.folder / f".writing-{turn:09d}"
        if score is not None and math.isfinite(score):
            _write(aside / "score.json", json.dumps(score).encode())
        _sync(aside)
        if path.exists():  # an older history of this run had it; it is about to be replaced
            shutil.rmtree(path)
        os.replace(aside, path)
        _sync(self.folder)
        best = self.best()
        kept = {*self.turns()[-self.keep :], best[0] if best else turn}
        for old in set(self.turns()) - kept:
            shutil.rmtree(self.path(old))
        return path

    def discard(self, turn: int) -> None:
        """Remove what :meth:`begin` made, when writing failed."""
        shutil.rmtree(self.folder / f".writing-{turn:09d}", ignore_errors=True)

    def forget_after(self, turn: int) -> None:
        """Drop checkpoints of a future that a resume from ``turn`` will write anew."""
        for later in self.turns():
            if later > turn:
                shutil.rmtree(self.path(later))


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
