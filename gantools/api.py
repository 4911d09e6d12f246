"""Applications from Python: the same five things that the command line does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gantools.application import Trained
from gantools.config import make
from gantools.engine import Observer
from gantools.plugins import Plugins
from gantools.runs import session
from gantools.runs.folder import Run


def run(
    application: str,
    *,
    out: str | Path | None = None,
    progress: bool = True,
    observers: Sequence[Observer] = (),
    plugins: Plugins | None = None,
    **options: Any,
) -> Run:
    """Train an application and judge it: ``gantools.run("gail", env="Hopper", seed=1)``.

    Args:
        application: its name, as ``gantools apps`` lists it.
        out: the run folder; None makes one under ``runs/``.
        progress: show progress on the standard error stream.
        observers: hear of every turn.
        plugins: a host of plugins of your own; None stands for what is installed.
        options: the application's options, with underscores.

    Returns:
        The run, with ``evaluation.json`` and ``report.html`` in its folder if it was finished.

    Raises:
        UserError: bad input; the message names it and the cure.
    """
    plugins = _loaded(plugins)
    spec = plugins.application(application)
    folder = None if out is None else Path(out)
    say = _say if progress else _silent
    say("preparing data and players")
    made = session.start(
        spec,
        make(spec.config, options),
        plugins,
        out=folder,
        command=" ".join(sys.argv),
        progress=progress,
        observers=observers,
    )
    return _finish(made, plugins, say)


def resume(
    path: str | Path,
    *,
    progress: bool = True,
    observers: Sequence[Observer] = (),
    plugins: Plugins | None = None,
) -> Run:
    """Go on with an interrupted run, to the numbers that it would have had uninterrupted.

    Raises:
        UserError: the folder is not a run, or it is being trained right now.
    """
    plugins = _loaded(plugins)
    say = _say if progress else _silent
    say("preparing data and players")
    made = session.resume(Path(path), plugins, progress=progress, observers=observers)
    return _finish(made, plugins, say)


def load(
    path: str | Path,
    *,
    checkpoint: str = "last",
    device: str | None = None,
    plugins: Plugins | None = None,
) -> Trained:
    """Load a trained run: its application and its game with the players' weights.

    The process's random states and torch's threads are afterwards what they were before.

    Args:
        checkpoint: ``last`` or ``best``.
        device: ``cpu``, ``cuda``, …; None is what the run was configured for.

    Raises:
        UserError: the folder is not a run, or has no whole checkpoint.
    """
    return session.load(Path(path), plugins or Plugins(), which=checkpoint, device=device)


def evaluate(
    path: str | Path,
    *,
    checkpoint: str = "last",
    device: str | None = None,
    plugins: Plugins | None = None,
) -> dict[str, Any]:
    """Judge a run on data that it has not seen; the results are also written into its folder.

    The evaluation is seeded, and runs with the threads that the run was configured for; random
    states and threads are put back afterwards.

    Args:
        checkpoint: ``last`` or ``best``; only the last one's results are written.
        device: ``cpu``, ``cuda``, …; None is what the run was configured for.

    Raises:
        UserError: the folder is not a run, or has no whole checkpoint.
    """
    plugins = _loaded(plugins)
    trained = session.load(Path(path), plugins, which=checkpoint, device=device)
    return session.evaluate(trained, plugins)


def report(path: str | Path, *, plugins: Plugins | None = None) -> Path:
    """Write a run's report, one HTML file that needs no network, and return its path."""
    from gantools.runs.report import write_report

    plugins = _loaded(plugins)
    return write_report(session.load(Path(path), plugins), plugins)


def _loaded(plugins: Plugins | None) -> Plugins:
    """The plugins, or those that are installed, all imported: lifecycle hooks are to be heard."""
    plugins = plugins or Plugins()
    plugins.load_all()
    return plugins


def _finish(made: Run, plugins: Plugins, say: Callable[[str], None]) -> Run:
    """Judge a finished run, export its players and write its report."""
    if made.manifest["status"] == "finished" and not _is_follower():
        from gantools.runs.report import write_report

        trained = session.load(made.path, plugins)
        with session.full_disk_is_said(made.path):
            trained.application.export(trained)
        say("judging it on held-out data")
        session.evaluate(trained, plugins)
        say("writing the report")
        write_report(trained, plugins)
    return made


def _say(stage: str) -> None:
    from gantools.runs.progress import say

    if not _is_follower():
        say(stage)


def _silent(stage: str) -> None:
    """Say nothing."""


def _is_follower() -> bool:
    import torch.distributed

    return torch.distributed.is_initialized() and torch.distributed.get_rank() > 0
