"""Whole small trainings: every algorithm, what it leaves, and the verbs on it."""

from __future__ import annotations

import hashlib
import json
import sys

import numpy as np
import pytest
from sb3_contrib import TRPO
from stable_baselines3 import PPO, SAC

import gantools
from gantools.agents import demonstrate, load_demonstrations


@pytest.fixture(scope="module")
def ppo(small, tmp_path_factory):
    return gantools.run("gail", out=tmp_path_factory.mktemp("gail") / "ppo", progress=False, **small)


def assert_opens_without_gantools(run, kind, monkeypatch) -> None:
    """SB3 opens the exported policy by itself, and it acts as the one in the run does."""
    loaded = gantools.load(run.path)
    policy, env = loaded.game.policy.model, loaded.game.policy.world.observation_space
    with monkeypatch.context() as without:
        for name in [name for name in sys.modules if name.split(".")[0].startswith("gantools")]:
            without.setitem(sys.modules, name, None)
        with pytest.raises(ImportError):
            import gantools.agents  # noqa: F401
        exported = kind.load(run.path / "policy.zip", device="cpu")
    rng = np.random.default_rng(0)
    for obs in rng.normal(scale=1, size=(20, *env.shape)).astype(np.float32):
        ours, _ = policy.predict(obs, deterministic=True)
        theirs, _ = exported.predict(obs, deterministic=True)
        assert np.array_equal(ours, theirs)


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
    first, last = results["evaluation_seeds"]
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


def test_what_record_writes_can_be_learned_from(cli, ppo, small, tmp_path):
    demos = tmp_path / "mine.npz"
    done = cli("gail", "record", ppo.path, "--out", demos, "--episodes", 3, "--seed", 5)
    assert done.code == 0, done.err
    assert done.out.startswith(f"{demos}: 3 episodes, mean return ")
    kept = load_demonstrations(demos, "CartPole")
    assert len(kept.lengths) == 3
    assert f"{kept.returns.mean():.1f}" in done.out
    from gantools_gail.application import GAIL
    from gantools_gail.config import GAILConfig

    game, _ = GAIL(GAILConfig(**{**small, "demos": str(demos), "trajectories": 3})).build()
    assert len(game.expert.features) == min(50, kept.lengths[0]) + sum(
        min(50, int(length)) for length in kept.lengths[1:]
    )


def test_play_films_an_episode(cli, ppo, tmp_path):
    film = tmp_path / "film.gif"
    done = cli("gail", "play", ppo.path, "--out", film)
    assert done.code == 0, done.err
    assert done.out.strip() == str(film)
    assert film.read_bytes()[:3] == b"GIF"


@pytest.mark.parametrize("verb", ["play", "record"])
def test_verbs_leave_what_exists_and_refuse_what_is_no_run(cli, ppo, tmp_path, verb):
    mine = tmp_path / "mine.mp4"
    mine.write_text("mine")
    done = cli("gail", verb, ppo.path, "--out", mine)
    assert done.code == 2
    assert done.err == f"Error: {mine} exists already and is left as it is: choose another --out.\n"
    assert mine.read_text() == "mine"
    done = cli("gail", verb, tmp_path, "--out", tmp_path / "new.mp4")
    assert done.code == 2
    assert done.err.startswith(f"Error: {tmp_path} is not a run folder")
    done = cli("gail", verb, ppo.path, "--out", tmp_path / "new.mp4", "--checkpoint", "nonsense")
    assert done.code == 2
    assert "no checkpoint called 'nonsense'" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.mp4"]


def test_play_writes_mp4_or_gif_only(cli, ppo, tmp_path):
    done = cli("gail", "play", ppo.path, "--out", tmp_path / "film.avi")
    assert done.code == 2
    assert done.err.splitlines()[-1].endswith("a film's name ends in .mp4 or .gif.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("verb", "name"), [("play", "film.gif"), ("record", "demos.npz")])
def test_verbs_refuse_a_folder_that_is_not_there(cli, ppo, tmp_path, verb, name):
    done = cli("gail", verb, ppo.path, "--out", tmp_path / "nowhere" / name)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert "nowhere" in done.err.splitlines()[-1]


def test_verbs_refuse_a_run_of_another_application(cli, tmp_path):
    run = gantools.run("toy", steps=2, out=tmp_path / "run", progress=False)
    for verb in ("play", "record"):
        done = cli("gail", verb, run.path, "--out", tmp_path / "new.gif")
        assert done.code == 2
        assert "is a run of 'toy', not of 'gail'" in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_record_writes_npz_whatever_it_is_called_or_refuses(cli, ppo, tmp_path):
    done = cli("gail", "record", ppo.path, "--out", tmp_path / "demos.txt", "--episodes", 1)
    assert done.code == 2
    assert ".npz" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_resume_leaves_the_policy_as_it_is(ppo):
    def digest() -> str:
        return hashlib.sha256((ppo.path / "metrics.csv").read_bytes()).hexdigest()

    before = digest()
    gantools.resume(ppo.path, progress=False)
    assert digest() == before
