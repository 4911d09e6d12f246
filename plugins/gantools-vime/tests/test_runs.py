"""Whole small trainings: what is measured, what they leave, resuming, and what is refused."""

from __future__ import annotations

import csv
import json

import pytest
from program import assert_same_run

import gantools
from gantools import Observer, hookimpl


@pytest.fixture(scope="module")
def run(small, tmp_path_factory):
    options = {**small, "evaluate_every": 32}
    return gantools.run("vime", out=tmp_path_factory.mktemp("v") / "r", progress=False, **options)


def test_the_evaluation_says_what_was_measured(run):
    results = json.loads(run.evaluation_file.read_text())
    assert results["env"] == "gantools/SparseMountainCar-v0"
    assert (results["episodes"], results["env_steps"], results["seed"]) == (2, 64, 0)
    assert results["baselines"]["random_success_rate"] == 0
    assert {"return_mean", "train_seconds", "measured_on", "evaluation_seeds"} <= results.keys()
    assert gantools.evaluate(run.path) == results


def test_the_bonus_is_no_part_of_any_evaluation(small, tmp_path):
    options = {**small, "eta": 1e6, "evaluate_every": 64}
    run = gantools.run("vime", out=tmp_path / "run", progress=False, **options)
    *_, row = csv.DictReader(run.metrics_file.open())
    assert float(row["policy/bonus"]) > 1e5
    assert float(row["evaluation/return"]) == float(row["policy/task"]) == 0
    results = json.loads(run.evaluation_file.read_text())
    assert results["return_mean"] == results["success_rate"] == 0


def test_success_is_an_episode_with_a_positive_return():
    from gantools_vime.application import success_rate

    from gantools.agents import Episodes

    assert success_rate(Episodes([0.0, 3.0, -1.0, 0.5], [1] * 4, [1] * 4)) == 0.5


def test_the_report_shows_where_it_has_been_what_surprises_and_a_film(run):
    for name in ("visited.png", "bonus.png", "episode.mp4"):
        assert (run.samples / name).stat().st_size > 1000
    text = run.report_file.read_text()
    assert "Where the agent has been" in text
    assert "The bonus along an episode" in text
    assert "from stable_baselines3 import PPO" in text


class Stop(Observer):
    """Ends a training after two turns, as Ctrl-C would."""

    def turn_ended(self, trainer, figures):
        trainer.should_stop = trainer.turn >= 2


@pytest.mark.parametrize("bonus", ["vime", "l2", "rnd", "disagreement", "none"])
def test_resumed_it_ends_with_the_same_numbers_bit_for_bit(small, tmp_path, bonus):
    options = {**small, "steps": 128, "bonus": bonus, "checkpoint_every": 32, "progress": False}
    whole = gantools.run("vime", out=tmp_path / "whole", **options)
    stopped = tmp_path / "stopped"
    gantools.run("vime", out=stopped, observers=[Stop()], **options)
    gantools.resume(stopped, progress=False)
    assert_same_run(whole.path, stopped)


def test_play_films_an_episode(gantools_cli, run, tmp_path):
    film = tmp_path / "film.gif"
    done = gantools_cli("vime", "play", run.path, "--out", film)
    assert (done.code, done.out.strip()) == (0, str(film)), done.err
    assert film.read_bytes()[:3] == b"GIF"
    done = gantools_cli("vime", "play", run.path, "--out", film)
    assert done.code == 2
    assert done.err == f"Error: {film} exists already and is left as it is: choose another name.\n"
    toy = gantools.run("toy", steps=2, out=tmp_path / "toy", progress=False)
    done = gantools_cli("vime", "play", toy.path, "--out", tmp_path / "new.gif")
    assert done.err.endswith("is a run of 'toy', not of 'vime'.\n")


class Mine:
    """A third party's plugin with a bonus of its own."""

    @staticmethod
    @hookimpl
    def register_bonuses():
        return {"mine": "gantools_vime.bonuses:L2"}


def test_a_plugin_s_own_bonus_works_by_name(small, tmp_path):
    from gantools import Plugins

    plugins = Plugins({"mine": Mine})
    run = gantools.run(
        "vime", out=tmp_path / "run", progress=False, plugins=plugins, bonus="mine:width=3", **small
    )
    model = gantools.load(run.path, plugins=plugins).game.model
    assert model.model[0].out_features == 3


@pytest.mark.parametrize(
    "name", ["SparseMountainCar", "SparseCartPoleSwingup", "SparseHalfCheetah", "SwimmerGather"]
)
def test_the_sparse_tasks_are_known_by_their_bare_names(name):
    from gantools_vime.application import Exploration
    from gantools_vime.config import VIMEConfig

    assert Exploration(VIMEConfig(env=name)).env_id == f"gantools/{name}-v0"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--eta", "-1"], "eta"),
        (["--bonus", "vine"], "There is no bonus 'vine'. Did you mean 'vime'?"),
        (["--bonus", "vime:wide=3"], "sets wide, which it has not"),
        (["--bonus", "vime:width=-3"], "--bonus vime:width=-3 cannot be made"),
        (["--bonus", "vime:width=0"], "has a layer without units"),
        (["--bonus", "vime:prior_std=-1"], "must be positive"),
        (["--bonus", "none:3"], "takes no values"),
        (["--env", "gantools-vime-tests/Buttons-v0"], "has MultiBinary(2) actions; a bounded"),
        (["--env", "gantools-vime-tests/Words-v0"], "only those that Gymnasium can flatten"),
        (["--env", "SparseMountainCart"], "Unknown environment 'SparseMountainCart'"),
        (["--drawn", "0,2"], "has the features 0 to 1"),
        (["--drawn", "x"], "--drawn names two features, such as 0,1, not 'x'"),
        (["--algorithm", "trpo", "--epochs", "3"], "--epochs is for ppo"),
        (["--devices", "2"], "leave --devices at 1"),
        (["--solver", "simultaneous"], "take --solver alternating, or one move"),
    ],
)
def test_bad_input_is_one_sentence_and_leaves_nothing(gantools_cli, tmp_path, options, said):
    done = gantools_cli("run", "vime", "--steps", 32, "--out", tmp_path / "run", *options)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
    assert list(tmp_path.iterdir()) == []
