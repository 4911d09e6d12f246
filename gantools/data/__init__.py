"""Data: batches that resume, tables of files, splits, and sources that are known by a name.

What needs torch is imported when it is first used.
"""
# ruff: noqa: F401

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "MIXTURES": "gaussians",
    "Batches": "batches",
    "Drawn": "batches",
    "LabelledDigits": "digits",
    "Mixture": "gaussians",
    "Rows": "batches",
    "Source": "batches",
    "Split": "batches",
    "Table": "table",
    "cached": "caching",
    "find_table": "table",
    "held_out": "splits",
    "keep_arrays": "kept",
    "kept_arrays": "kept",
    "labelled_digits": "digits",
    "read_table": "table",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from gantools.data.batches import Batches, Drawn, Rows, Source, Split
    from gantools.data.caching import cached
    from gantools.data.digits import LabelledDigits, labelled_digits
    from gantools.data.gaussians import MIXTURES, Mixture
    from gantools.data.kept import keep_arrays, kept_arrays
    from gantools.data.splits import held_out
    from gantools.data.table import Table, find_table, read_table


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gantools.data' has no attribute {name!r}")
    return getattr(importlib.import_module(f"gantools.data.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
