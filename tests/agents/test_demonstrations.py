"""Demonstrations: reading, checking, subsampling, and what is said of bad ones."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import torch
from torch.testing import assert_close

from gantools.agents.demonstrations import demonstrate, load
from gantools.agents.sb3 import OnPolicyAgent
from gantools.agents.worlds import World
from gantools.errors import UserError

COUNTING = "counting:Counting-v0"
LENGTHS = [6, 4, 5]


@pytest.fixture
def columns():
    """Three episodes of Pendulum-like steps, numbered in the first column."""
    steps = sum(LENGTHS)
    obs = np.arange(steps, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    return {
        "obs": obs,
        "act": np.linspace(-3, 3, steps)[:, None],
        "next_obs": obs + 1,
        "ep_len": np.array(LENGTHS),
        "ep_ret": np.array([1.0, 2.0, 3.0]),
        "terminated": np.array([True, False, True]),
    }


@pytest.fixture
def npz(columns, tmp_path):
    """Write columns, with changes, to a .npz."""

    def write(**changes):
        path = tmp_path / "expert.npz"
        kept = {k: v for k, v in {**columns, **changes}.items() if v is not None}
        np.savez(path, **kept)
        return path

    return write


def test_npz_is_read_clipped_and_typed(npz):
    demos = load(npz(), "Pendulum")
    assert len(demos) == 15
    assert demos.env_id == "Pendulum-v1"
    assert demos.obs.dtype == demos.action.dtype == demos.next_obs.dtype == torch.float32
    assert demos.action.abs().max() == 2
    assert demos.terminated.nonzero().flatten().tolist() == [5, 14]
    assert demos.ended.tolist() == [True, False, True]
    assert demos.returns.tolist() == [1, 2, 3]
    assert demos.deterministic is None
    assert "expert.npz" in demos.source


def test_saving_and_hdf5_give_the_same_back(npz, columns, tmp_path):
    demos = load(npz(), "Pendulum")
    demos.save(tmp_path / "again.npz")
    with h5py.File(tmp_path / "same.hdf5", "w") as file:
        for key, value in columns.items():
            file[key] = value
    for source in ("again.npz", "same.hdf5"):
        again = load(tmp_path / source, "Pendulum")
        for name in ("obs", "action", "next_obs", "terminated", "lengths", "returns", "ended"):
            assert_close(getattr(again, name), getattr(demos, name))


def test_subsample_spaces_pairs_evenly_and_keeps_how_episodes_ended(npz):
    demos = load(npz(), "Pendulum")
    few = demos.subsample(trajectories=2, pairs=3, seed=1)
    number, kept = few.obs[:, 0].tolist(), few.lengths.tolist()
    for i, length in enumerate(kept):
        steps = number[sum(kept[:i]) : sum(kept[: i + 1])]
        episode = np.searchsorted(np.cumsum(LENGTHS), steps, side="right")
        assert len(set(episode)) == 1
        assert length == 3 or LENGTHS[episode[0]] < 6
        assert set(np.diff(steps)) == {max(1, LENGTHS[episode[0]] // 3)}
        assert few.ended[i] == demos.ended[episode[0]]
        assert few.returns[i] == demos.returns[episode[0]]
    assert_close(few.next_obs, few.obs + 1)
    expected = torch.isin(few.obs[:, 0], torch.tensor([5.0, 14.0]))
    assert_close(few.terminated, expected)
    assert_close(few.obs, demos.subsample(trajectories=2, pairs=3, seed=1).obs)
    draws = {tuple(demos.subsample(1, 2, seed=s).obs[:, 0].tolist()) for s in range(20)}
    assert len(draws) > 4  # other episodes, other offsets
    assert_close(demos.subsample(None, None).obs, demos.obs)


@pytest.mark.parametrize(
    ("changes", "env", "said"),
    [
        ({"obs": None, "act": None}, "Pendulum", "lacks obs, act"),
        ({"ep_len": np.zeros(3, int)}, "Pendulum", "holds no steps"),
        ({"act": np.full((15, 1), np.nan)}, "Pendulum", "act in .* holds NaN or infinity"),
        ({"ep_ret": np.full(3, np.inf)}, "Pendulum", "ep_ret in .* holds NaN or infinity"),
        ({"ep_len": np.array([6, 4])}, "Pendulum", r"shape \(15, 3\).* needs \(10, 3\)"),
        ({}, "Hopper", r"obs in .* has shape \(15, 3\), and Hopper-v5 .* needs \(15, 11\)"),
        ({"act": np.zeros((15, 2))}, "Pendulum", r"act in .* \(15, 2\).* needs \(15, 1\)"),
        (
            {"obs": np.zeros((15, 2)), "next_obs": np.zeros((15, 2)), "act": np.full(15, 2)},
            COUNTING,
            "other values than .* actions 0 to 1",
        ),
    ],
)
def test_bad_columns(npz, changes, env, said):
    with pytest.raises(UserError, match=said) as raised:
        load(npz(**changes), env)
    assert "\n" not in str(raised.value)


def test_bad_files(npz, tmp_path):
    (tmp_path / "empty.npz").touch()
    (tmp_path / "torn.npz").write_bytes(npz().read_bytes()[:100])
    (tmp_path / "torn.h5").write_bytes(b"no HDF5")
    (tmp_path / "other.csv").write_text("1,2")
    (tmp_path / "torn.zip").write_bytes(b"PK no zip")
    for name, said in {
        "missing.npz": "No demonstrations at",
        "empty.npz": "is empty",
        "torn.npz": "cannot be read",
        "torn.h5": "cannot be read",
        "other.csv": "not of a known kind",
        "torn.zip": "is not an SB3 model",
    }.items():
        with pytest.raises(UserError, match=said):
            load(tmp_path / name, "Pendulum")
    with pytest.raises(UserError, match="run 'minari download no/such-v0' first"):
        load("minari:no/such-v0", "Pendulum")


def test_more_trajectories_than_there_are(npz):
    with pytest.raises(UserError, match=r"4 trajectories were asked for, and .* has 3"):
        load(npz(), "Pendulum").subsample(4)


def test_a_policy_demonstrates():
    demos = demonstrate(lambda obs: int(obs[1] == 2), COUNTING, episodes=2)
    assert demos.lengths.tolist() == [3, 3]
    assert demos.ended.all()
    assert demos.returns.tolist() == [6, 6]
    assert demos.action.tolist() == [0, 0, 1] * 2
    assert demos.obs[:, 1].tolist() == [0, 1, 2] * 2
    assert demos.next_obs[:, 1].tolist() == [1, 2, 3] * 2
    never = demonstrate(lambda obs: 0, COUNTING, episodes=1)
    assert never.lengths.tolist() == [5]
    assert not never.terminated.any()


def test_an_sb3_model_plays_its_demonstrations(tmp_path):
    agent = OnPolicyAgent(World("CartPole", 2, seed=0), n_steps=8, batch_size=16)
    agent.model.save(tmp_path / "model.zip")
    demos = load(tmp_path / "model.zip", "CartPole")
    assert len(demos.lengths) == 10
    assert demos.deterministic
    assert demos.action.dtype == torch.int64
    with pytest.raises(UserError, match=r"was trained for .* and the task has"):
        load(tmp_path / "model.zip", "Acrobot")


def test_minari(tmp_path, monkeypatch):
    minari = pytest.importorskip("minari")
    from minari.data_collector import EpisodeBuffer

    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    obs = np.arange(8, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    episodes = [
        EpisodeBuffer(
            observations=obs + start,
            actions=np.full((7, 1), 0.5, np.float32),
            rewards=[1.0] * 7,
            terminations=[False] * 6 + [start == 0],
            truncations=[False] * 6 + [start > 0],
            infos={},
        )
        for start in (0, 100)
    ]
    minari.create_dataset_from_buffers("test/pendulum-v0", episodes, env="Pendulum-v1")
    for source in ("minari:test/pendulum-v0", tmp_path / "test" / "pendulum-v0"):
        demos = load(source, "Pendulum")
        assert demos.lengths.tolist() == [7, 7]
        assert demos.ended.tolist() == [True, False]
        assert demos.returns.tolist() == [7, 7]
        assert (demos.action == 0.5).all()
        assert demos.obs[:, 2].tolist() == [*range(7), *range(100, 107)]
        assert_close(demos.next_obs, demos.obs + 1)
