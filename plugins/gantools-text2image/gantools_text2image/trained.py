"""The drawer of a run: from what it exported, or, of one that is not finished, a checkpoint."""

from __future__ import annotations

from pathlib import Path

from gantools.verbs import load_run
from gantools_text2image.drawer import Drawer


def drawer_of(run: Path) -> Drawer:
    """Load what draws for a run.

    Raises:
        UserError: it is no run of text2image, or has no whole checkpoint.
    """
    if (run / "model.json").is_file():
        return Drawer.load(run)
    trained = load_run(run, "text2image")
    return trained.application.drawer(trained.game)
