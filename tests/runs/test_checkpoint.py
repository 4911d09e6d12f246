"""Checkpoints: what goes in comes out, torn and foreign ones are refused, the right ones stay."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest
import torch

from gantools.runs.checkpoint import BrokenCheckpoint, Checkpoints, load_state, save_state

STATE = {
    "a": torch.arange(6.0).view(2, 3),
    "channels_last": torch.randn(1, 2, 3, 4).to(memory_format=torch.channels_last),
    "b": {"inner": np.array([1, 2, 3], np.uint32), "empty": torch.zeros(0, 3)},
    "optimizer": {0: {"step": torch.tensor(3.0)}, 1: (1, 2.5, None, True, "x", [math.inf])},
    "bool": np.array([True, False]),
    "big": 2**100,
    "scalar": np.float64(0.1),
}


def equal(a, b) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and all(map(equal, a, b))
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return a == b


def test_round_trip(tmp_path):
    save_state(STATE, tmp_path, "state")
    assert equal(load_state(tmp_path, "state"), STATE)


def test_tied_tensors_are_kept(tmp_path):
    tied = torch.ones(3)
    save_state({"a": tied, "b": tied, "c": tied[1:]}, tmp_path, "state")
    assert load_state(tmp_path, "state")["c"].tolist() == [1, 1]


def test_a_real_optimizer_and_the_random_states_round_trip(tmp_path):
    import random

    states = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }
    save_state(states, tmp_path, "process")
    back = load_state(tmp_path, "process")
    expected = random.random(), np.random.rand(), torch.rand(1)
    random.setstate(back["python"])
    np.random.set_state(back["numpy"])
    torch.set_rng_state(back["torch"])
    assert expected == (random.random(), np.random.rand(), torch.rand(1))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda f: os.truncate(f / "state.safetensors", 40), "torn: 40 of"),
        (lambda f: os.truncate(f / "state.json", 40), "torn: it is not whole JSON"),
        (lambda f: (f / "state.safetensors").unlink(), "No such file"),
        (
            lambda f: (f / "state.json").write_text('{"format": "other"}'),
            "not a gantools checkpoint",
        ),
        (lambda f: (f / "state.json").write_text("[]"), "not a gantools checkpoint"),
    ],
)
def test_a_harmed_checkpoint_is_refused(tmp_path, harm, message):
    save_state(STATE, tmp_path, "state")
    harm(tmp_path)
    with pytest.raises(BrokenCheckpoint, match=message):
        load_state(tmp_path, "state")


def test_a_flipped_bit_is_noticed(tmp_path):
    save_state(STATE, tmp_path, "state")
    content = bytearray((tmp_path / "state.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "state.safetensors").write_bytes(content)
    with pytest.raises(BrokenCheckpoint, match="altered"):
        load_state(tmp_path, "state")


def test_what_cannot_be_kept_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"object .*at state/a"):
        save_state({"a": object()}, tmp_path, "state")


def test_newest_and_best_stay(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2)
    for turn, score in [(1, 0.5), (2, 0.9), (3, 0.1), (4, None), (5, 0.2)]:
        save_state({"turn": turn}, checkpoints.begin(turn), "state")
        checkpoints.commit(turn, score)
    assert checkpoints.turns() == [2, 4, 5]
    assert checkpoints.best() == (2, 0.9)
    checkpoints.forget_after(4)
    assert checkpoints.turns() == [2, 4]
    checkpoints.forget_after(1)
    assert checkpoints.best() is None


def test_what_was_never_committed_is_not_there(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    save_state({"turn": 1}, checkpoints.begin(1), "state")
    assert checkpoints.turns() == []


def test_json_holds_no_tensor_data(tmp_path):
    save_state({"a": torch.randn(1000)}, tmp_path, "state")
    assert len((tmp_path / "state.json").read_text()) < 300
    assert json.loads((tmp_path / "state.json").read_text())["state"] == {
        "a": {"$tensor": "state/a"}
    }
