"""What a run keeps of its inputs: arrays by name and a few facts, in one .npz file."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gantools.errors import UserError
from gantools.files import aside

Arrays = np.ndarray | Sequence[np.ndarray]
"""One array, or several of different shapes."""
TORN = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What NumPy and zipfile raise of a torn .npy or .npz file."""


def keep_arrays(path: Path, facts: Mapping[str, str | float | bool], **arrays: Any) -> None:
    """Write arrays, lists of arrays, and facts, into a file that is whole or not there.

    Args:
        path: ends in ``.npz``.
        facts: by names that no array has.
        arrays: each an array, a tensor on the CPU, or a list of these, whatever their shapes; of
            one dimension or more.
    """
    flat = {name: np.array(fact) for name, fact in facts.items()}
    for name, array in arrays.items():
        if hasattr(array, "shape"):
            flat[name] = array
        else:
            flat |= {f"{name}-{number:07d}": one for number, one in enumerate(array)}
    with aside(path) as temporary:
        np.savez(temporary, **flat)  # type: ignore[arg-type]


def kept_arrays(path: Path, *names: str) -> tuple[dict[str, Any], list[Arrays]]:
    """Read what :func:`keep_arrays` wrote: the facts, and the array or the list of each name.

    Raises:
        UserError: the file is torn, or not there.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            flat = dict(file)
    except TORN as error:
        said = str(error).rstrip(".") or "it ends too early"
        raise UserError(f"What the run kept in {path} is torn ({said}): begin a new run.") from None

    def of(name: str) -> Arrays:
        if name in flat:
            return flat[name]
        return [flat[each] for each in sorted(flat) if each.startswith(f"{name}-")]

    facts = {name: array.item() for name, array in flat.items() if not array.ndim}
    return facts, [of(name) for name in names]
