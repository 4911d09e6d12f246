"""The verb that applications with an agent share: ``gantools APP play``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gantools.verbs import Checkpoint, Out, RunFolder, group, load_run, writing

Seed = Annotated[int, typer.Option(help="Seed of the first episode.", min=0)]


def verbs(application: str, help: str) -> typer.Typer:
    """Make the group ``gantools APPLICATION`` with its verb ``play``; others may be added."""
    app = group(help)

    @app.command()
    def play(
        run: RunFolder,
        out: Out = Path("episode.mp4"),
        seed: Seed = 0,
        checkpoint: Checkpoint = "last",
    ) -> None:
        """Render an episode of a trained policy to .mp4 or .gif."""
        from gantools.agents import record

        with writing(out, (".mp4", ".gif")) as temporary:
            policy = load_run(run, application, checkpoint).game.policy
            record(policy.model, policy.world.env_id, temporary, seed=seed)
        print(out)

    return app
