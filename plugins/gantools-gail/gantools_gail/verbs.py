"""``gantools gail play`` and ``gantools gail record``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantools import UserError

if TYPE_CHECKING:
    from gantools.application import Trained

app = typer.Typer(
    help="Use trained imitators.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder of gail.")]
Out = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]
Seed = Annotated[int, typer.Option(help="Seed of the first episode.", min=0)]
Checkpoint = Annotated[str, typer.Option(help="Which checkpoint: last or best.")]


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
    from gantools.agents import record as record_film

    with _writing(out, (".mp4", ".gif")):
        trained = _load(run, checkpoint)
        record_film(trained.game.policy.model, trained.application.env_id, out, seed=seed)
    print(out)


@app.command()
def record(
    run: RunFolder,
    out: Out = Path("demonstrations.npz"),
    episodes: Annotated[int, typer.Option(help="How many episodes.", min=1)] = 10,
    seed: Seed = 0,
    checkpoint: Checkpoint = "last",
) -> None:
    """Let a trained policy play and keep its episodes as demonstrations (.npz)."""
    from gantools.agents import demonstrate

    with _writing(out, (".npz",)):
        trained = _load(run, checkpoint)
        policy, env_id = trained.game.policy.model, trained.application.env_id
        made = demonstrate(policy, env_id, episodes, seed=seed, source=str(run))
        made.save(out)
    print(f"{out}: {episodes} episodes, mean return {made.returns.mean():.1f}")


def _load(run: Path, checkpoint: str) -> Trained:
    from gantools import load

    trained = load(run, checkpoint=checkpoint)
    application = trained.run.manifest["application"]
    if application != "gail":
        raise UserError(f"{run} is a run of {application!r}, not of 'gail'.")
    return trained


@contextmanager
def _writing(out: Path, kinds: tuple[str, ...]) -> Iterator[None]:
    """Refuse, before any work, what cannot be written; say why writing failed."""
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
