"""What an application's verbs share: a group for them, runs to load, files to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantools.errors import UserError

if TYPE_CHECKING:
    from gantools.application import Trained

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder of the application.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]
Checkpoint = Annotated[str, typer.Option(help="Which checkpoint: last or best.")]


def group(help: str) -> typer.Typer:
    """Make the empty group ``gantools APPLICATION``; its verbs are added by ``@app.command()``."""
    app = typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False)

    @app.callback()
    def _group() -> None:
        pass

    return app


def load_run(run: Path, application: str, checkpoint: str = "last") -> Trained:
    """Load a run that has to be of ``application``.

    Raises:
        UserError: it is of another, it is no run, or has no such checkpoint.
    """
    from gantools.api import load

    trained = load(run, checkpoint=checkpoint)
    found = trained.run.manifest["application"]
    if found != application:
        raise UserError(f"{run} is a run of {found!r}, not of {application!r}.")
    return trained


@contextmanager
def writing(out: Path, kinds: tuple[str, ...]) -> Iterator[None]:
    """Refuse, before any work, what cannot be written; say why writing failed.

    Args:
        out: the file; it must not exist.
        kinds: the suffixes that its name may have, such as ``.npz``.

    Raises:
        UserError: it cannot be written; says why.
    """
    if out.suffix not in kinds:
        raise UserError(f"Cannot write {str(out)!r}: its name must end in {' or '.join(kinds)}.")
    if out.exists():
        raise UserError(f"{out} exists already and is left as it is: choose another --out.")
    if not out.parent.is_dir():
        raise UserError(f"Cannot write {out}: there is no folder {out.parent}.")
    try:
        yield
    except OSError as error:
        raise UserError(f"Cannot write {out}: {error.strerror}.") from None
