"""``gantools gail play`` and ``gantools gail record``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gantools import UserError

app = typer.Typer(help="Use trained imitators.", no_args_is_help=True, rich_markup_mode=None)

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
    from gantools import load
    from gantools.agents import record as record_film

    _refuse(out)
    loaded = load(run, checkpoint=checkpoint)
    record_film(loaded.game.policy.model, loaded.application.env_id, out, seed=seed)
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
    from gantools import load
    from gantools.agents import demonstrate

    _refuse(out)
    loaded = load(run, checkpoint=checkpoint)
    made = demonstrate(
        loaded.game.policy.model, loaded.application.env_id, episodes, seed=seed, source=str(run)
    )
    made.save(out)
    print(f"{out}: {episodes} episodes, mean return {made.returns.mean():.1f}")


def _refuse(out: Path) -> None:
    if out.exists():
        raise UserError(f"{out} exists already and is left as it is: choose another --out.")
