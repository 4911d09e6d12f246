"""Verbs that applications with an agent share: ``gantools APP play``, and what others need."""

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
Seed = Annotated[int, typer.Option(help="Seed of the first episode.", min=0)]
Checkpoint = Annotated[str, typer.Option(help="Which checkpoint: last or best.")]


def verbs(application: str, help: str) -> typer.Typer:
    """Make the group ``gantools APPLICATION`` with its verb ``play``; others may be added."""
    app = typer.Typer(help=help, no_args_is_help=True, rich_markup_mode=None, add_completion=False)

    @app.callback()
    def _group() -> None:
        pass

    @app.command()
    def play(
        run: RunFolder,
        out: Out = Path("episode.mp4"),
        seed: Seed = 0,
        checkpoint: Checkpoint = "last",
    ) -> None:
        """Render an episode of a trained policy to .mp4 or .gif."""
        from gantools.agents import record

        with writing(out, (".mp4", ".gif")):
            policy = load_run(run, application, checkpoint).game.policy
            record(policy.model, policy.world.env_id, out, seed=seed)
        print(out)

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
