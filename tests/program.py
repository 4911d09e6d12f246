"""Running the real ``gantools`` program on the tests' own application."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gantools.runs.checkpoint import Checkpoints, load_state

TOY = Path(__file__).parent / "toy"
PROGRAM = [sys.executable, "-m", "gantools.cli.main"]


def environment(**extra: str) -> dict[str, str]:
    path = os.pathsep.join([str(TOY), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **extra}


def script(path: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a script that starts further processes to its end and capture what it says.

    A process group that a test opened within this process leaves its port and rank in the
    environment; the script's processes meet at one of their own.
    """
    meeting = {"MASTER_ADDR", "MASTER_PORT", "RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE"}
    kept = {name: value for name, value in os.environ.items() if name not in meeting}
    return subprocess.run(
        [sys.executable, path, *map(str, arguments)],
        env={**kept, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def gantools(*arguments: object, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end and capture what it says."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(**extra), timeout=300, check=False
    )


def begin(*arguments: object) -> subprocess.Popen[str]:
    """Start the program and go on."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )


def last_state(run: Path) -> tuple[dict, dict]:
    """The newest checkpoint's state of the trainer and of the process, times left out."""
    checkpoints = Checkpoints(run / "checkpoints")
    path = checkpoints.path(checkpoints.turns()[-1])
    return load_state(path, "state")["trainer"], load_state(path, "process-0")


def assert_same_run(one: Path, other: Path) -> None:
    """Assert that two runs ended with the same numbers, bit for bit."""
    assert (one / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()
    assert Checkpoints(one / "checkpoints").best() == Checkpoints(other / "checkpoints").best()
    from gantools.testing import differences

    assert differences(last_state(one), last_state(other)) == []
