"""What an application's verbs share: a group for them, runs to load, files to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from gantools.errors import UserError
from gantools.files import FULL, aside

if TYPE_CHECKING:
    from gantools.application import Trained

M = TypeVar("M")

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder of the application.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]
AnyOut = Annotated[
    Path | None,
    typer.Option("--out", "-o", help="File to write; left out: a name that is not taken yet."),
]
"""For what :func:`unused` then names."""
Checkpoint = Annotated[str, typer.Option(help="Which checkpoint: last or best.")]


ModelOf = Annotated[
    Path | None, typer.Option("--run", metavar="RUN", help="A run; left out: the plugin's model.")
]
"""For verbs of a plugin that ships a model."""


def group(help: str) -> typer.Typer:
    """Make the empty group ``gantools APPLICATION``; its verbs are added by ``@app.command()``."""
    app = typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False)

    @app.callback()
    def _group() -> None:
        pass

    return app


def load_run(
    run: Path, application: str, checkpoint: str = "last", device: str | None = "cpu"
) -> Trained:
    """Load a run that has to be of ``application``; of another, nothing is built.

    Args:
        run: its folder.
        application: by its name.
        checkpoint: ``last`` or ``best``.
        device: ``cpu``, ``cuda``, …; None is what the run was trained on, which may not be here.

    Raises:
        UserError: it is of another, it is no run, or has no such checkpoint.
    """
    from gantools.runs.folder import Run

    found = Run.open(run).manifest["application"]
    if found != application:
        raise UserError(f"{run} is a run of {found!r}, not of {application!r}.")
    from gantools.api import load

    return load(run, checkpoint=checkpoint, device=device)


def model_of(run: Path | None, application: str, load: Callable[[Path], M], shipped: Path) -> M:
    """Load what a verb works with: a run's model, or the one that comes with the plugin.

    Args:
        run: its folder: what it exported, or, of one that is not finished, its last checkpoint's
            ``Application.model``. None stands for the plugin's.
        application: by its name.
        load: reads the folder of an exported model.
        shipped: the folder of the plugin's.

    Raises:
        UserError: it is no run of the application, or has no whole model or checkpoint; or the
            plugin comes without a model.
    """
    if run is None:
        if not shipped.exists():
            raise UserError(
                f"This gantools-{application} comes without a model: train one with `gantools run "
                f"{application}`, and give the run's folder with --run."
            )
        return load(shipped)
    if (run / "model.json").is_file():
        return load(run)
    model: M = load_run(run, application).model
    return model


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[[float], None]]:
    """Show a bar on a terminal, and nothing where it is piped; give what moves it on.

    Args:
        what: is done, such as "compress".
        total: of how many things; None: nobody knows.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Left())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as shown:
        task = shown.add_task(what, total=total)
        yield lambda more: shown.advance(task, more)


def unused(path: Path) -> Path:
    """The path, or the first of film-2.mp4, film-3.mp4, … that is not there yet: for a verb that
    was not told where to write."""
    names = (path.with_stem(f"{path.stem}-{i}") for i in count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())


@contextmanager
def writing(out: Path, kinds: tuple[str, ...]) -> Iterator[Path]:
    """Give a file to write to that becomes ``out`` if the body ends well; else there is nothing.

    What cannot be written is refused before any work.

    Args:
        out: the file; it must not exist.
        kinds: the suffixes that its name may have, such as ``.npz``.

    Raises:
        UserError: it cannot be written; says why. Other files' errors are left as they are.
    """
    if out.suffix not in kinds:
        raise UserError(f"Cannot write {str(out)!r}: its name must end in {' or '.join(kinds)}.")
    if out.exists():
        raise UserError(f"{out} exists already and is left as it is: choose another name.")
    if not out.parent.is_dir():
        raise UserError(f"Cannot write {out}: there is no folder {out.parent}.")
    ours = {str(out)}
    try:
        with aside(out) as temporary:
            ours.add(str(temporary))
            temporary.touch()  # may it be made?
            temporary.unlink()
            yield temporary
    except OSError as error:
        full = error.filename is None and error.errno in FULL  # as write() says it, without a name
        if not full and str(error.filename) not in ours:
            raise
        raise UserError(f"Cannot write {out}: {error.strerror or error}.") from None
