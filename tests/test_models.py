"""Models in two files: what goes in comes out, or one sentence."""

from __future__ import annotations

import hashlib
import json
import os

import pytest
import safetensors.torch
import torch
from torch import nn

from gantools import UserError, models

ABOUT = {"command": "gantools run…", "seed": 3, "figures": {"σ": 0.5}}


class Counted(nn.Module):
    """Numbers of several kinds, two of which share their memory; one is a view."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1 / 3, -2.0, 65504.0]))
        self.tied = self.weight
        self.register_buffer("view", torch.arange(6.0, dtype=torch.float64).view(2, 3).T)
        self.register_buffer("count", torch.tensor(2**53 + 1))
        self.register_buffer("bytes", torch.tensor([0, 255], dtype=torch.uint8))
        self.register_buffer("known", torch.tensor([True, False]))


@pytest.mark.parametrize("half", [True, False])
def test_what_was_saved_comes_back(tmp_path, half):
    counted, folder = Counted(), tmp_path / "new" / "folder"
    models.save(folder, {"net": counted, "other": nn.Linear(2, 1)}, {"width": 4}, ABOUT, half)
    model = models.load(folder)
    assert (model.config, model.about) == ({"width": 4}, ABOUT)
    assert model.states.keys() == {"net", "other"}
    state = model.states["net"]
    third = torch.tensor(1 / 3)
    assert state["weight"][0] == (third.half().float() if half else third)
    assert abs(state["weight"][0] - third) < 2**-11 * third
    assert state["weight"][1:].tolist() == [-2, 65504]
    assert torch.equal(state["tied"], state["weight"])
    assert state["view"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert {state[name].dtype for name in ("weight", "tied", "view")} == {torch.float32}
    for name in ("count", "bytes", "known"):
        assert state[name].dtype == getattr(counted, name).dtype
        assert torch.equal(state[name], getattr(counted, name))
    again = Counted()
    again.load_state_dict(state)
    other = nn.Linear(2, 1)
    other.load_state_dict(model.states["other"])
    stored = safetensors.torch.load_file(folder / "model.safetensors")
    assert stored["net.weight"].dtype == (torch.float16 if half else torch.float32)
    assert sorted(os.listdir(folder)) == ["model.json", "model.safetensors"]


def test_the_weights_are_named_by_their_sha256(tmp_path):
    models.save(tmp_path, {"net": nn.Linear(2, 1)}, {}, {})
    digest = hashlib.sha256((tmp_path / "model.safetensors").read_bytes()).hexdigest()
    assert models.load(tmp_path).sha256 == digest
    assert json.loads((tmp_path / "model.json").read_text())["sha256"] == digest
    packed = models.pack({"net": nn.Linear(2, 1)})
    assert packed != models.pack({"net": nn.Linear(2, 1)})
    layer = nn.Linear(2, 1)
    assert models.pack({"net": layer}) == models.pack({"net": layer})


def test_what_half_precision_cannot_hold_is_refused(tmp_path):
    layer = nn.Linear(1, 1)
    layer.weight.data.fill_(1e5)
    with pytest.raises(ValueError, match=r"net\.weight is too large for half precision"):
        models.save(tmp_path, {"net": layer}, {}, {})
    assert not list(tmp_path.iterdir())
    models.save(tmp_path, {"net": layer}, {}, {}, half=False)
    assert models.load(tmp_path).states["net"]["weight"].item() == 1e5


def test_what_is_no_json_leaves_the_model_that_was_there(tmp_path):
    models.save(tmp_path, {"net": nn.Linear(1, 1)}, {}, {"seed": 1})
    with pytest.raises(TypeError):
        models.save(tmp_path, {"net": nn.Linear(1, 1)}, {}, {"seed": torch.ones(1)})
    assert models.load(tmp_path).about == {"seed": 1}


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        ("model.json", None, "model.json: No such file or directory"),
        ("model.safetensors", None, "model.safetensors: No such file or directory"),
        ("model.json", lambda data: data[:-9], "model.json is torn"),
        ("model.json", lambda data: b"\xff", "model.json is torn"),
        ("model.json", lambda data: b"[]", "not written by this version of gantools"),
        ("model.json", lambda data: data.replace(b"model-1", b"model-2"), "not written by this"),
        ("model.json", lambda data: data.replace(b"config", b"konfig"), "'config'"),
        ("model.safetensors", lambda data: data[:-2], "is torn, or of another model"),
        ("model.safetensors", lambda data: b"", "is torn, or of another model"),
        ("model.safetensors", flipped, "is torn, or of another model"),
    ],
)
def test_what_is_not_whole_is_one_sentence(tmp_path, name, damage, said):
    models.save(tmp_path, {"net": nn.Linear(2, 1)}, {}, {})
    file = tmp_path / name
    file.write_bytes(damage(file.read_bytes())) if damage else file.unlink()
    with pytest.raises(UserError, match=said) as error:
        models.load(tmp_path)
    assert str(tmp_path) in str(error.value)
    assert "\n" not in str(error.value)
