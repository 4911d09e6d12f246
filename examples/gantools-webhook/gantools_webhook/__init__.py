"""Posts what happens in a training to the address in GANTOOLS_WEBHOOK. A light module.

Nothing is posted where the variable is not set.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gantools import hookimpl

if TYPE_CHECKING:
    from gantools.runs.folder import Run

ADDRESS = "GANTOOLS_WEBHOOK"
"""The environment variable that says where to post."""

GRACE = 0.25
"""Seconds that the end of a training, or of an evaluation, waits for what is still to be posted."""


@hookimpl
def run_began(run: Run) -> None:
    """Say what is being trained, for how many turns."""
    _post("run_began", run, seed=run.manifest["seed"], turns=run.manifest["turns"])


@hookimpl
def figures_recorded(run: Run, turn: int, figures: Mapping[str, float]) -> None:
    """Pass on a row of the metrics table."""
    _post("figures_recorded", run, turn=turn, figures=figures)


@hookimpl
def checkpoint_saved(run: Run, turn: int) -> None:
    """Say that the run can be taken up from this turn."""
    _post("checkpoint_saved", run, turn=turn)


@hookimpl
def run_ended(run: Run, status: str) -> None:
    """Say how the training ended, and give what is waiting a moment to leave."""
    ended = {name: run.manifest[name] for name in ("turn", "train_seconds")}
    _post("run_ended", run, wait=GRACE, status=status, **ended)


@hookimpl
def evaluated(run: Run, results: Mapping[str, Any]) -> None:
    """Pass on what the evaluation found, and give what is waiting a moment to leave."""
    _post("evaluated", run, wait=GRACE, results=results)


def _post(event: str, run: Run, wait: float = 0.0, **said: Any) -> None:
    address = os.environ.get(ADDRESS, "").strip()
    if not address:
        return
    from gantools_webhook.sender import sender

    about = {"application": run.manifest["application"], "run": run.path.resolve().name}
    sender(address).post({"event": event, **about, **said})
    if wait:
        sender(address).flush(wait)
