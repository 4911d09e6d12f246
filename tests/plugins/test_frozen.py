"""A wheel that was built for version 1 of the hooks, and uses all of them, must go on working.

Never build the wheel anew to mend a failure here: mend gantools, or make a version 2 of the hooks.
"""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from program import PROGRAM, environment

WHEEL = next((Path(__file__).parent.parent / "fixtures").glob("gantools_frozen-1.0-*.whl"))


@pytest.fixture(scope="module")
def gantools(tmp_path_factory):
    """The program in an environment where the wheel is installed."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(WHEEL) as wheel:  # a wheel of pure Python is installed by unpacking it
        wheel.extractall(site)
    env = environment(GANTOOLS_CACHE=str(site / "cache"), GANTOOLS_STRICT_PLUGINS="1")
    env["PYTHONPATH"] = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])

    def call(*arguments: object) -> str:
        command = [*PROGRAM, *map(str, arguments)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=env, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_it_runs_resumes_and_hears_everything(gantools, tmp_path):
    run = tmp_path / "run"
    gantools("run", "frozen", "--out", run, "--penalty", "frozen-norm", "--quiet")
    assert (run / "heard.txt").read_text().splitlines() == [
        "run_began",
        "checkpoint_saved 0 True",
        *(line for turn in range(1, 21) for line in heard(turn)),
        "run_ended finished",
    ]
    assert (run / "maker.txt").is_file()
    assert "It still works." in (run / "report.html").read_text()
    assert '"distance"' in gantools("evaluate", run, "--json")
    assert gantools("resume", run, "--quiet")


def heard(turn: int) -> list[str]:
    """What is heard of a turn."""
    figures = ["critic/adversarial", "critic/gradient_norm", "critic/penalty", "critic/progress"]
    lines = [f"turn_ended {turn} {[*figures, 'maker/loss']}"]
    if turn % 5 == 0:
        lines += [f"figures_recorded {turn} True", f"checkpoint_saved {turn} True"]
    return lines


def test_its_parts_commands_and_options_are_there(gantools):
    assert "frozen" in gantools("plugins", "list")
    assert "It still works." in gantools("thaw")
    assert "thaw" in gantools("--help")
    for part in ("hinge", "norm", "turns", "mean", "line"):
        assert f"frozen-{part}" in gantools("parts")
    assert "--width" in gantools("run", "frozen", "--help")
    gantools("plugins", "check", "frozen")
