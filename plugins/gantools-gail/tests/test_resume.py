"""A GAIL training killed with kill -9 ends with the numbers of one that was never killed."""

from __future__ import annotations

import random
import time
from pathlib import Path
from subprocess import Popen

import pytest
from program import assert_same_run, begin

import gantools
from gantools.runs.checkpoint import Checkpoints


def options(**values: object) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]


def kill(process: Popen[str], run: Path, turn: int) -> bool:
    """Kill -9 at a random moment soon after a turn; False if the process ended before."""
    table = run / "metrics.csv"
    while process.poll() is None and rows(table) < turn:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.1))
    killed = process.poll() is None
    process.kill()
    process.communicate()
    return killed


def rows(table: Path) -> int:
    """How many turns the table has, -1 if there is none yet."""
    return table.read_bytes().count(b"\n") - 1 if table.exists() else -1


def test_killed_on_cart_pole(tmp_path):
    settings = {
        "env": "CartPole-v1",
        "steps": 64 * 24,
        "environments": 2,
        "rollout": 32,
        "discriminator_moves": 5,
        "batch": 64,
        "clone_steps": 20,
        "checkpoint_every": 5,
        "evaluate_every": 12,
        "episodes": 1,
        "seed": 3,
    }
    whole = gantools.run("gail", out=tmp_path / "whole", progress=False, **settings)
    run = tmp_path / "killed"
    assert kill(begin("run", "gail", *options(**settings), "--out", run), run, random.randrange(20))
    assert Checkpoints(run / "checkpoints").turns()[-1] < 24
    gantools.resume(run, progress=False)
    assert_same_run(whole.path, run)


@pytest.mark.slow
def test_killed_at_ten_random_moments_on_hopper(tmp_path):
    settings = {
        "env": "Hopper",
        "environments": 4,
        "rollout": 32,
        "steps": 10_000,
        "checkpoint_every": 5,
        "evaluate_every": 20,
        "episodes": 1,
    }
    whole = gantools.run("gail", out=tmp_path / "whole", progress=False, **settings)
    for i in range(10):  # each in a tenth of its own: the beginning, the middle and the end
        run = tmp_path / f"killed-{i}"
        turn = random.randrange(7 * i, 7 * i + 7)
        assert kill(begin("run", "gail", *options(**settings), "--out", run), run, turn)
        newest = Checkpoints(run / "checkpoints").turns()[-1:]
        print(f"kill {i}: after turn {turn} of 79, newest checkpoint {newest}")
        gantools.resume(run, progress=False)
        assert_same_run(whole.path, run)
