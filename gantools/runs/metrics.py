"""A run's figures: a plain table (CSV) and TensorBoard events, the same numbers in both."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from pathlib import Path

from gantools.files import aside


class Metrics:
    """Appends rows of figures to ``metrics.csv``; a resume drops the rows that it will repeat.

    The table holds nothing that differs between two runs of one seed (no times), so that two runs
    can be compared byte for byte.

    Args:
        table: the CSV file; columns are ``turn`` and then figures in order of appearance.
        events: folder of TensorBoard events; None writes none.
        turn: rows after this turn, which an interrupted run may have written, are dropped.
    """

    def __init__(self, table: Path, events: Path | None, turn: int = 0) -> None:
        self.table = table
        rows = [row for row in read(table) if row["turn"] <= turn]
        self.columns = list(dict.fromkeys(["turn", *(name for row in rows for name in row)]))
        self._rewrite(rows)
        self._writer = None
        if events is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(events, purge_step=turn + 1 if turn else None)

    def add(self, turn: int, figures: Mapping[str, float]) -> None:
        """Record the figures of one turn."""
        row = {"turn": turn, **{name: float(value) for name, value in figures.items()}}
        if new := [name for name in row if name not in self.columns]:
            self.columns += new
            self._rewrite(read(self.table))
        with self.table.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns, lineterminator="\n").writerow(row)
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, turn)

    def sync(self) -> None:
        """Put the table on the disk, as a checkpoint that goes on from it will be."""
        with self.table.open("rb") as file:
            os.fsync(file.fileno())

    def _rewrite(self, rows: list[dict[str, float]]) -> None:
        with (
            aside(self.table) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.DictWriter(file, self.columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def close(self) -> None:
        """Flush and close the events."""
        if self._writer is not None:
            self._writer.close()


def read(table: Path) -> list[dict[str, float]]:
    """Read a metrics table: one dict a row, without its empty cells; a torn last row is left out.

    ``turn`` is an int, all else float. A missing table is an empty one.
    """
    rows: list[dict[str, float]] = []
    if not table.exists():
        return rows
    text = table.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    for cells in csv.DictReader(whole.splitlines()):
        try:
            row = {k: float(v) for k, v in cells.items() if v not in ("", None)}
            row["turn"] = int(row["turn"])
        except (TypeError, ValueError, KeyError):
            continue
        rows.append(row)
    return rows


def series(rows: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    """The turns and finite values of one figure, for a curve."""
    points = [(row["turn"], row[name]) for row in rows if math.isfinite(row.get(name, math.nan))]
    return [turn for turn, _ in points], [value for _, value in points]
