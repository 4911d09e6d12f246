"""``gantools gail play`` and ``gantools gail record``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gantools.agents.play import Seed, verbs
from gantools.verbs import Checkpoint, Out, RunFolder, load_run, writing

app = verbs("gail", help="Use trained imitators.")


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

    with writing(out, (".npz",)) as temporary:
        policy = load_run(run, "gail", checkpoint).game.policy
        env_id = policy.world.env_id
        made = demonstrate(policy.model, env_id, episodes, seed=seed, source=str(run))
        made.save(temporary)
    print(f"{out}: {episodes} episodes, mean return {made.returns.mean():.1f}")
