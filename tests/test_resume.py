"""A run killed at any moment ends with the numbers of one that never was."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest
from program import assert_same_run, begin, gantools

from gantools.runs.checkpoint import Checkpoints

TOY = ["run", "toy", "--steps", 200, "--pause", 0.01, "--seed", 3]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never interrupted."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    done = gantools(*TOY, "--out", run)
    assert done.returncode == 0, done.stderr
    return run


def kill_when_running(process, run, moment: float) -> None:
    """Kill -9 ``moment`` seconds after the first checkpoint is there."""
    while not Checkpoints(run / "checkpoints").turns() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(moment)
    process.kill()
    process.wait()


@pytest.mark.parametrize("kills", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_killed_at_random_moments(whole, tmp_path, kills):
    run = tmp_path / "killed"
    kill_when_running(begin(*TOY, "--out", run), run, random.uniform(0, 2))
    for _ in range(kills - 1):
        process = begin("resume", run)
        time.sleep(random.uniform(0, 5))
        process.kill()
        process.wait()
    done = gantools("resume", run)
    assert done.returncode == 0, done.stderr
    assert_same_run(whole, run)


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_interrupted_it_saves_and_says_how_to_go_on(whole, tmp_path, number):
    run = tmp_path / "a run"
    process = begin(*TOY, "--out", run)
    while not Checkpoints(run / "checkpoints").turns():
        time.sleep(0.01)
    time.sleep(0.5)
    os.kill(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert f"gantools resume '{run}'" in said
    assert gantools("resume", run).returncode == 0
    assert_same_run(whole, run)


def test_a_torn_checkpoint_is_said_and_the_one_before_it_used(whole, tmp_path):
    run = tmp_path / "torn"
    kill_when_running(begin(*TOY, "--out", run), run, 1.5)
    checkpoints = Checkpoints(run / "checkpoints")
    *_, before, newest = checkpoints.turns()
    os.truncate(checkpoints.path(newest) / "state.safetensors", 100)
    done = gantools("resume", run)
    assert done.returncode == 0
    (said,) = [line for line in done.stderr.splitlines() if "torn" in line]
    assert "using the checkpoint before it" in said
    assert before < newest
    assert_same_run(whole, run)


def test_a_run_goes_back_when_its_loss_is_not_finite(tmp_path):
    stopped = gantools(*TOY, "--poison", 30, "--out", tmp_path / "stop")
    assert stopped.returncode == 2
    assert "turn 30: player 'discriminator': the term 'adversarial'" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    back = gantools(*TOY, "--poison", 30, "--out", tmp_path / "back", "--on-non-finite", "rollback")
    assert back.stderr.count("; going back") == 3  # this poison is at the turn, not in the numbers
    assert back.returncode == 2


def test_a_run_that_is_being_trained_is_left_alone(tmp_path):
    run = tmp_path / "busy"
    process = begin(*TOY, "--steps", 100_000, "--out", run)
    while not Checkpoints(run / "checkpoints").turns():
        time.sleep(0.01)
    second = gantools("resume", run)
    process.kill()
    assert second.returncode == 2
    assert "being trained by another process" in second.stderr
