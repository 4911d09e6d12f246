"""The Python interface: run, load, evaluate, resume, and nothing heavy before it is needed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

import pytest
import torch
from program import environment

import gantools
from gantools.engine.trainer import random_states
from gantools.runs.checkpoint import Checkpoints
from gantools.testing import differences


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return gantools.run(
        "toy",
        steps=20,
        lr=1e-3,
        evaluate_every=5,
        out=tmp_path_factory.mktemp("api") / "run",
        progress=False,
    )


def test_importing_gantools_imports_no_torch():
    script = "import gantools, sys; dir(gantools); print({'torch', 'numpy'} & sys.modules.keys())"
    said = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "set()"


@pytest.mark.parametrize("name", gantools.__all__)
def test_every_public_name_is_there(name):
    assert getattr(gantools, name) is not None
    assert name in dir(gantools)


def test_packages_are_there_without_an_import_of_their_own():
    script = (
        "import gantools; print(gantools.losses.hinge.discriminator is not None, "
        "gantools.nn.__name__, gantools.data.Batches.__name__, gantools.engine.Trainer.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "gantools.nn", "Batches", "Trainer"]
    for name in ("agents", "data", "engine", "losses", "metrics", "nn", "testing"):
        assert getattr(gantools, name).__name__ == f"gantools.{name}"
        assert name in dir(gantools)


def test_what_is_not_there_is_said_by_name():
    with pytest.raises(AttributeError, match="module 'gantools' has no attribute 'nothing'"):
        gantools.nothing  # noqa: B018


@pytest.mark.parametrize("module", ["gantools.engine", "gantools.agents", "gantools.losses"])
def test_every_name_that_a_module_offers_is_there(module):
    found = importlib.import_module(module)
    assert [name for name in found.__all__ if not hasattr(found, name)] == []


def test_a_run_is_trained_judged_and_reported(run):
    assert run.manifest["status"] == "finished"
    assert run.manifest["turn"] == 20
    assert run.report_file.is_file()
    assert json.loads(run.evaluation_file.read_text())["samples"] == 256
    assert Checkpoints(run.checkpoints).turns()[-1] == 20


def test_a_run_is_loaded_with_its_players_weights(run):
    loaded = gantools.load(run.path)
    again = gantools.load(str(run.path), checkpoint="best")
    assert loaded.turn == 20
    assert loaded.application.config.lr == 1e-3
    assert again.turn == Checkpoints(run.checkpoints).best()[0]
    results = gantools.evaluate(run.path)
    assert results == json.loads(run.evaluation_file.read_text())


@pytest.mark.parametrize("act", [gantools.load, gantools.evaluate, gantools.report])
def test_a_process_that_looks_at_a_run_keeps_its_random_states_and_threads(run, act):
    torch.manual_seed(123)
    torch.set_num_threads(2)
    before = random_states()
    act(run.path)
    try:
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert differences(before, random_states()) == []


def test_resuming_a_finished_run_is_harmless(run):
    before = gantools.load(run.path).game.generator.module.state_dict()
    metrics = run.metrics_file.read_bytes()
    resumed = gantools.resume(run.path, progress=False)
    assert resumed.manifest["status"] == "finished"
    assert run.metrics_file.read_bytes() == metrics
    after = gantools.load(run.path).game.generator.module.state_dict()
    assert all(before[name].equal(after[name]) for name in before)


def test_an_observer_stops_a_run_that_resume_finishes(tmp_path):
    class Impatient(gantools.Observer):
        turns = 0

        def turn_ended(self, trainer, figures):
            self.turns += 1
            trainer.should_stop = trainer.turn == 7

    observer = Impatient()
    options = {"steps": 12, "seed": 4, "log_every": 1, "progress": False}
    stopped = gantools.run("toy", out=tmp_path / "stopped", observers=[observer], **options)
    assert observer.turns == 7
    assert stopped.manifest["status"] == "interrupted"
    assert not stopped.report_file.exists()
    resumed = gantools.resume(stopped.path, progress=False)
    assert resumed.manifest["status"] == "finished"
    whole = gantools.run("toy", out=tmp_path / "whole", **options)
    assert whole.metrics_file.read_bytes() == resumed.metrics_file.read_bytes()


@pytest.mark.parametrize(
    ("application", "options", "message"),
    [
        ("toy", {"stepz": 3}, r"Unknown option 'stepz'. Did you mean 'steps'\?"),
        ("toy", {"frobnicate": 3}, r"Unknown option 'frobnicate'. Known: steps, "),
        ("toy", {"steps": "many"}, "'steps' must be a whole number, not 'many'"),
        ("toy", {"steps": 0}, "'steps' must be at least 1, not 0"),
        ("tox", {}, r"no application 'tox'. Did you mean 'toy'\?"),
        ("toy", {"solver": "none"}, "no solver 'none'. Known: alternating, simultaneous"),
    ],
)
def test_bad_options_raise_a_user_error_and_leave_nothing(tmp_path, application, options, message):
    with pytest.raises(gantools.UserError, match=message):
        gantools.run(application, out=tmp_path / "run", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "act", [gantools.load, gantools.evaluate, gantools.resume, gantools.report]
)
def test_what_is_no_run_raises_a_user_error(tmp_path, act):
    with pytest.raises(gantools.UserError, match="is not a run folder"):
        act(tmp_path)
