"""What the watcher saw in a run: ``troubles.json``, which the report shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gantools.engine.watcher import Trouble
from gantools.runs.folder import Run, write_aside

FILE = "troubles.json"


def read(run: Run) -> list[dict[str, Any]] | None:
    """The troubles as dicts (see :class:`Trouble`), oldest first; None if nobody watched.

    Those that the run went back from say so under ``then``.
    """
    try:
        return json.loads((run.path / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def keep(run: Run, troubles: Sequence[Trouble]) -> None:
    """Write the troubles down, in the place of all that the run did not go back from."""
    undone = [trouble for trouble in read(run) or () if "then" in trouble]
    _write(run, undone + [asdict(trouble) for trouble in troubles])


def keep_undone(run: Run, trouble: Trouble, turn: int) -> None:
    """Write down a trouble that the run has gone back from to ``turn``."""
    _write(run, [*(read(run) or ()), {**asdict(trouble), "then": f"went back to turn {turn:,}"}])


def _write(run: Run, troubles: list[dict[str, Any]]) -> None:
    troubles.sort(key=lambda trouble: trouble["turn"])
    write_aside(run.path / FILE, json.dumps(troubles, indent=2) + "\n")
