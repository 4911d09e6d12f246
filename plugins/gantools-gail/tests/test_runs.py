"""Whole small trainings: every algorithm, what it leaves, and the verbs on it."""

from __future__ import annotations

import errno
import importlib
import json
import sys

import numpy as np
import pytest
from gantools_gail.application import BUILT_IN
from sb3_contrib import TRPO
from stable_baselines3 import PPO, SAC

import gantools
from gantools.agents import demonstrate, load_demonstrations


@pytest.fixture(scope="module")
def ppo(small, tmp_path_factory):
    return gantools.run(
        "gail", out=tmp_path_factory.mktemp("gail") / "ppo", progress=False, **small
    )


def assert_opens_without_gantools(run, kind, monkeypatch) -> None:
    """SB3 opens the exported policy by itself, and it acts as the one in the run does."""
    loaded = gantools.load(run.path)
    policy, env = loaded.game.policy.model, loaded.game.policy.world.observation_space
    with monkeypatch.context() as without:
        for name in [name for name in sys.modules if name.split(".")[0].startswith("gantools")]:
            without.setitem(sys.modules, name, None)
        with pytest.raises(ImportError):
            importlib.import_module("gantools.agents")
        exported = kind.load(run.path / "policy.zip", device="cpu")
    seen = np.random.default_rng(0).normal(size=(50, *env.shape)).astype(np.float32)
    ours, _ = policy.predict(seen, deterministic=True)
    theirs, _ = exported.predict(seen, deterministic=True)
    assert np.array_equal(ours, theirs)
    assert len(np.unique(ours)) > 1


def test_ppo_takes_two_turns_and_exports_what_sb3_opens(ppo, monkeypatch):
    assert ppo.manifest["turn"] == 2
    assert_opens_without_gantools(ppo, PPO, monkeypatch)


def test_trpo_takes_two_turns_and_exports_what_sb3_contrib_opens(small, tmp_path, monkeypatch):
    run = gantools.run("gail", out=tmp_path / "run", algorithm="trpo", progress=False, **small)
    assert run.manifest["turn"] == 2
    assert_opens_without_gantools(run, TRPO, monkeypatch)


def test_sac_takes_two_turns_and_exports_what_sb3_opens(small, tmp_path, monkeypatch):
    def swing(obs: np.ndarray) -> np.ndarray:
        return np.array([2.0 if obs[2] > 0 else -2.0], np.float32)

    demos = tmp_path / "pendulum.npz"
    demonstrate(swing, "Pendulum-v1", 2).save(demos)
    options = {**small, "env": "Pendulum-v1", "rollout": 4, "steps": 16, "episodes": 1}
    with pytest.raises(gantools.UserError, match="--clone-steps is for ppo and trpo"):
        gantools.run("gail", algorithm="sac", demos=str(demos), **options)
    del options["clone_steps"]
    run = gantools.run(
        "gail", out=tmp_path / "run", algorithm="sac", demos=str(demos), progress=False, **options
    )
    assert run.manifest["turn"] == 2
    assert_opens_without_gantools(run, SAC, monkeypatch)


def test_the_evaluation_says_what_was_measured(ppo):
    results = json.loads(ppo.evaluation_file.read_text())
    assert results.keys() >= {
        "env",
        "episodes",
        "return_mean",
        "return_std",
        "expert_return_mean",
        "fraction_of_expert",
        "env_steps",
        "train_seconds",
        "env_steps_per_second",
        "seed",
    }
    assert results["env"] == "CartPole-v1"
    assert results["env_steps"] == 64
    assert results["seed"] == 0
    seconds = results["train_seconds"]
    assert results["env_steps_per_second"] == pytest.approx(64 / seconds)
    fraction = results["return_mean"] / results["expert_return_mean"]
    assert results["fraction_of_expert"] == pytest.approx(fraction)
    first, last = map(int, results["evaluation_seeds"].split(" to "))
    assert last - first + 1 == results["episodes"] == 2


def test_a_run_leaves_a_report_with_a_film(ppo):
    assert (ppo.samples / "episode.mp4").stat().st_size > 1000
    text = ppo.report_file.read_text()
    assert "data:video/mp4" in text
    assert "from stable_baselines3 import PPO" in text


def test_evaluating_again_gives_the_same_numbers(ppo):
    assert gantools.evaluate(ppo.path) == json.loads(ppo.evaluation_file.read_text())


def test_a_single_pair_is_enough_to_begin(small, tmp_path):
    options = {**small, "trajectories": 1, "pairs": 1, "steps": 32, "episodes": 1}
    run = gantools.run("gail", out=tmp_path / "run", progress=False, **options)
    assert run.manifest["status"] == "finished"


# -- verbs ----------------------------------------------------------------------------------------


def test_what_record_writes_can_be_learned_from(gantools_cli, ppo, small, tmp_path):
    demos = tmp_path / "mine.npz"
    done = gantools_cli("gail", "record", ppo.path, "--out", demos, "--episodes", 3, "--seed", 5)
    assert done.code == 0, done.err
    assert done.out.startswith(f"{demos}: 3 episodes, mean return ")
    kept = load_demonstrations(demos, "CartPole")
    assert len(kept.lengths) == 3
    assert f"{kept.returns.mean():.1f}" in done.out
    from gantools_gail.application import GAIL
    from gantools_gail.config import GAILConfig

    from gantools import Setting

    game, _ = GAIL(GAILConfig(**{**small, "demos": str(demos), "trajectories": 3})).build(Setting())
    assert len(game.expert.features) == sum(min(50, int(length)) for length in kept.lengths)


def test_play_films_an_episode(gantools_cli, ppo, tmp_path):
    film = tmp_path / "film.gif"
    done = gantools_cli("gail", "play", ppo.path, "--out", film)
    assert done.code == 0, done.err
    assert done.out.strip() == str(film)
    assert film.read_bytes()[:3] == b"GIF"


@pytest.mark.parametrize(("verb", "kind"), [("play", ".mp4"), ("record", ".npz")])
def test_verbs_leave_what_exists_and_refuse_what_is_no_run(gantools_cli, ppo, tmp_path, verb, kind):
    mine, new = tmp_path / f"mine{kind}", tmp_path / f"new{kind}"
    mine.write_text("mine")
    done = gantools_cli("gail", verb, ppo.path, "--out", mine)
    assert done.code == 2
    assert done.err == f"Error: {mine} exists already and is left as it is: choose another name.\n"
    done = gantools_cli("gail", verb, tmp_path, "--out", new)
    assert done.code == 2
    assert done.err.startswith(f"Error: {tmp_path} is not a run folder")
    done = gantools_cli("gail", verb, ppo.path, "--out", new, "--checkpoint", "nonsense")
    assert done.code == 2
    assert "no checkpoint called 'nonsense'" in done.err
    assert mine.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [mine]


@pytest.mark.parametrize(("verb", "kind"), [("play", ".mp4 or .gif"), ("record", ".npz")])
def test_verbs_refuse_names_that_they_cannot_write(gantools_cli, ppo, tmp_path, verb, kind):
    for name, why in (
        ("new.txt", f"its name must end in {kind}."),
        (f"nowhere/new{kind[-4:]}", f"there is no folder {tmp_path / 'nowhere'}."),
    ):
        done = gantools_cli("gail", verb, ppo.path, "--out", tmp_path / name)
        assert done.code == 2
        assert done.err.startswith("Error: Cannot write ")
        assert done.err.endswith(why + "\n")
    assert list(tmp_path.iterdir()) == []


def test_verbs_refuse_a_run_of_another_application(gantools_cli, tmp_path):
    run = gantools.run("toy", steps=2, out=tmp_path / "run", progress=False)
    for verb, name in (("play", "new.gif"), ("record", "new.npz")):
        done = gantools_cli("gail", verb, run.path, "--out", tmp_path / name)
        assert done.code == 2
        assert done.err.endswith("is a run of 'toy', not of 'gail'.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_recording_that_the_disk_has_no_room_for_leaves_nothing(
    gantools_cli, ppo, tmp_path, monkeypatch
):
    def full(file, **columns) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    done = gantools_cli(
        "gail", "record", ppo.path, "--out", tmp_path / "demos.npz", "--episodes", 1
    )
    assert done.code == 2
    assert done.err.endswith(
        "Cannot write %s: No space left on device.\n" % (tmp_path / "demos.npz")
    )
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_the_disk_has_no_room_for_is_said(small, tmp_path, monkeypatch):
    def full(model, path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PPO, "save", full)
    options = {**small, "steps": 32, "clone_steps": 0}
    with pytest.raises(gantools.UserError, match="No space left for"):
        gantools.run("gail", out=tmp_path / "run", progress=False, **options)


def test_a_run_stands_by_itself_when_its_demonstrations_have_gone(small, tmp_path, monkeypatch):
    demos = tmp_path / "mine.npz"
    demos.write_bytes((BUILT_IN / "CartPole-v1.npz").read_bytes())
    run = gantools.run(
        "gail", out=tmp_path / "run", progress=False, **{**small, "demos": str(demos)}
    )
    demos.unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert gantools.evaluate(run.path)["seed"] == gantools.load(run.path).application.config.seed
