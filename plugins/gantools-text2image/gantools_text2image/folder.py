"""A folder of pictures with a table of captions, as Hugging Face's imagefolder has it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any

from PIL import Image

from gantools import UserError
from gantools.errors import did_you_mean
from gantools_text2image import photos
from gantools_text2image.photos import Table
from gantools_text2image.pictures import Pictures

TABLES = ("metadata.jsonl", "metadata.csv")
COLUMNS = ("file_name", "text")

Rows = tuple[list[str], list[tuple[int, dict[str, Any] | None]]]
"""The columns; and each row with its line's number, None where it is no JSON object."""


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
    file = _table_file(folder)
    table = read_table(file)
    stamps = [str(folder.resolve()), hashlib.sha256(file.read_bytes()).hexdigest()]
    for name in table.captions:
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


def read_table(file: Path) -> Table:
    """Read metadata.jsonl or metadata.csv, and look whether the files it names are there.

    Raises:
        UserError: it is not text in UTF-8, or a column is missing.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        columns, rows = (_json_rows if file.suffix == ".jsonl" else _csv_rows)(text)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file} cannot be read: {error}. Save it as UTF-8 text.") from error
    missing = [column for column in COLUMNS if column not in columns]
    if columns and missing:
        raise UserError(
            f"{file} has no column {' and no column '.join(map(repr, missing))} (it has "
            f"{', '.join(columns)}); name the columns 'file_name' and 'text'."
        )
    table = Table(rows=len(rows))
    for line, row in rows:
        if row is None:
            table.left_out.append(f"line {line} (not a JSON object)")
            continue
        name = row.get("file_name")
        if not isinstance(name, str) or not name.strip():
            table.left_out.append(f"line {line} (no file_name)")
        elif _leaves(name):
            table.left_out.append(f"{name} (outside the folder)")
        elif not os.path.isfile(file.parent / name):  # False for impossible names, too
            table.left_out.append(f"{name} (no such file)")
        else:
            table.add(name, [row.get("text")])
    return table


def _table_file(folder: Path) -> Path:
    found = [folder / name for name in TABLES if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(f"{folder} has both {TABLES[0]} and {TABLES[1]}; remove one of them.")
    raise UserError(
        f"{folder} has neither {TABLES[0]} nor {TABLES[1]}; write one with a row for each picture: "
        '{"file_name": "0001.png", "text": "a red heart"}'
    )


def _json_rows(text: str) -> Rows:
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


def _csv_rows(text: str) -> Rows:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[tuple[int, dict[str, Any] | None]] = [(reader.line_num, row) for row in reader]
    return list(reader.fieldnames or []), rows


def _leaves(name: str) -> bool:
    path = Path(name)
    return path.is_absolute() or ".." in path.parts
