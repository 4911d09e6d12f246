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


def kill(process: Popen[str], run: Path, since: int, moment: float) -> bool:
    """Kill -9 ``moment`` seconds after training began or went on; False if it ended before."""
    table = run / "metrics.csv"
    while process.poll() is None and (not table.exists() or table.stat().st_ino == since):
        time.sleep(0.01)
    time.sleep(moment)
    killed = process.poll() is None
    process.kill()
    process.communicate()
    return killed


def table_of(run: Path) -> int:
    """Which file the table of metrics is: a resume writes a new one."""
    return (run / "metrics.csv").stat().st_ino


def test_killed_twice_on_cart_pole(tmp_path):
    settings = {
        "env": "CartPole-v1",
        "steps": 64 * 80,
        "environments": 2,
        "rollout": 32,
        "discriminator_moves": 5,
        "batch": 64,
        "clone_steps": 20,
        "checkpoint_every": 5,
        "evaluate_every": 40,
        "episodes": 1,
        "seed": 3,
    }
    whole = gantools.run("gail", out=tmp_path / "whole", progress=False, **settings)
    seconds = whole.manifest["train_seconds"]
    run = tmp_path / "killed"
    process = begin("run", "gail", *options(**settings), "--out", run)
    assert kill(process, run, 0, random.uniform(0, 0.4) * seconds)
    assert kill(begin("resume", run), run, table_of(run), random.uniform(0, 0.4) * seconds)
    turn = Checkpoints(run / "checkpoints").turns()[-1]
    assert turn < 80
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
    seconds = whole.manifest["train_seconds"]
    for i in range(10):
        run = tmp_path / f"killed-{i}"
        process = begin("run", "gail", *options(**settings), "--out", run)
        # Each in a tenth of its own, so that beginning, middle and end are all there.
        moment = random.uniform(i, i + 1) / 10 * 0.9 * seconds
        killed = kill(process, run, 0, moment)
        turns = Checkpoints(run / "checkpoints").turns()
        print(f"kill {i}: after {moment:.2f} s, newest checkpoint at {turns[-1:]}, {killed=}")
        gantools.resume(run, progress=False)
        assert_same_run(whole.path, run)
