"""Every hook there is. A plugin implements any of them with ``@gantools.hookimpl``.

A plugin is a distribution with an entry point in the group ``gantools`` whose value is a *light*
module: one that imports the standard library and ``gantools`` only. All hooks may be left out, and
arguments that are not needed may be left out too. What a lifecycle hook raises is reported once;
the plugin's lifecycle hooks are then switched off for the run, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from gantools.application import Section, Spec
    from gantools.runs.folder import Run

hookspec = pluggy.HookspecMarker("gantools")
hookimpl = pluggy.HookimplMarker("gantools")


@hookspec
def register_applications() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Return the applications that this plugin adds. Called when one of them is looked for."""


@hookspec
def run_began(run: Run) -> None:
    """A training begins or is resumed. Called on the first process, before the first turn."""


@hookspec
def figures_recorded(run: Run, turn: int, figures: Mapping[str, float]) -> None:
    """Figures were written to the metrics table. Called on the first process."""


@hookspec
def evaluated(run: Run, results: Mapping[str, Any]) -> None:
    """The run was evaluated on held-out data. Called on the first process."""


@hookspec
def checkpoint_saved(run: Run, turn: int, path: Path) -> None:
    """A checkpoint is whole and in its place. Called on the first process."""


@hookspec
def report_sections(run: Run) -> Sequence[Section]:  # type: ignore[empty-body]
    """Return further sections for the run's report."""


@hookspec
def run_ended(run: Run, status: str) -> None:
    """A training ended: ``finished``, ``interrupted`` or ``failed``. On the first process."""
