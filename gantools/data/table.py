"""A table of files and what is said of them, as Hugging Face's folders have it.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from __future__ import annotations

import csv
import io
import json
import os
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gantools.errors import Note, UserError

TABLES = ("metadata.jsonl", "metadata.csv")

_Rows = tuple[list[str], list[tuple[int, dict[str, Any] | None]]]
"""The columns; and each row with its line's number, None where it is no JSON object."""


@dataclass
class Table:
    """What a source says of its samples, before one of them is opened."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    """Of each sample, by its name; none is empty."""
    rows: int = 0
    """How many rows the table has; several may be of one sample."""
    left_out: list[str] = field(default_factory=list)
    """What cannot be used, each with the reason: "a.png (no text)"."""

    def add(self, name: str, texts: Sequence[object]) -> None:
        """Take a sample's texts in, blanks made single; without one the row is left out."""
        said = [" ".join(text.split()) for text in texts if isinstance(text, str)]
        if not any(said):
            self.left_out.append(f"{name} (no text)")
            return
        known = self.texts.setdefault(name, [])
        known.extend(text for text in dict.fromkeys(said) if text and text not in known)

    def add_file(self, folder: Path, name: str, texts: Sequence[object]) -> None:
        """The same of a file, which has to be in the folder or below it."""
        path = Path(name)
        if path.is_absolute() or ".." in path.parts:
            self.left_out.append(f"{name} (outside the folder)")
        elif not os.path.isfile(folder / name):  # False for impossible names, too
            self.left_out.append(f"{name} (no such file)")
        else:
            self.add(name, texts)

    def drop(self, name: str, reason: str) -> None:
        """Leave a sample out after all: ``"unreadable"``."""
        del self.texts[name]
        self.left_out.append(f"{name} ({reason})")

    def first_left_out(self) -> str:
        """Return the first three that are left out: "a.png (no text), line 7 (no file_name), …"."""
        first = [textwrap.shorten(row, 80, placeholder="…") for row in self.left_out[:3]]
        return ", ".join([*first, "…"] if len(self.left_out) > 3 else first)

    def say_left_out(self, source: str) -> None:
        """Give a Note of how many rows are left out, and the first three, if any are."""
        if self.left_out:
            said = f"{source}: left out {len(self.left_out)} of {self.rows} rows: "
            warnings.warn(said + self.first_left_out(), Note, stacklevel=3)


def find_table(folder: Path, example: str) -> Path:
    """Return the folder's metadata.jsonl or metadata.csv.

    Args:
        folder: where it lies.
        example: a row, for the message: ``'{"file_name": "0001.png", "text": "a red heart"}'``.

    Raises:
        UserError: there is none, or both.
    """
    found = [folder / name for name in TABLES if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{folder} has both {TABLES[0]} and {TABLES[1]}; remove one of them.")
    raise UserError(
        f"{folder} has neither {TABLES[0]} nor {TABLES[1]}; write one with a row for each file: "
        f"{example}"
    )


def read_table(file: Path, columns: tuple[str, str] = ("file_name", "text")) -> Table:
    """Read a table, and look whether the files that it names are there.

    Rows that cannot be used (no text, no such file, outside the folder, a line that is not JSON)
    are left out with the reason; several rows of one file are several texts of it.

    Args:
        file: .jsonl, or .csv with the columns' names in its first line.
        columns: with the files' names, from the table's folder, and with the texts.

    Raises:
        UserError: it is not text in UTF-8, or a column is missing.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        there, rows = (_json_rows if file.suffix == ".jsonl" else _csv_rows)(text)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read: {error}. Save it as UTF-8 text.") from error
    missing = [column for column in columns if column not in there]
    if there and missing:
        raise UserError(
            f"{file} has no column {' and no column '.join(map(repr, missing))} (it has "
            f"{', '.join(there)}); name the columns {columns[0]!r} and {columns[1]!r}."
        )
    table = Table(rows=len(rows))
    for line, row in rows:
        name = row and row.get(columns[0])
        if row is None:
            table.left_out.append(f"line {line} (not a JSON object)")
        elif not isinstance(name, str) or not name.strip():
            table.left_out.append(f"line {line} (no {columns[0]})")
        else:
            table.add_file(file.parent, name, [row.get(columns[1])])
    return table


def _json_rows(text: str) -> _Rows:
    rows: list[tuple[int, dict[str, Any] | None]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        rows.append((number, row if isinstance(row, dict) else None))
    return list(dict.fromkeys(column for _, row in rows if row for column in row)), rows


def _csv_rows(text: str) -> _Rows:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[tuple[int, dict[str, Any] | None]] = [(reader.line_num, row) for row in reader]
    return list(reader.fieldnames or []), rows
