"""The predictor: films of any size, files, tiles and resizing against motions that are known."""

import json

import pytest
import torch
from gantools_video.networks import network
from gantools_video.predictor import Predictor
from gantools_video.warp import Warp
from torch.testing import assert_close

from gantools import UserError

ASKED = {"game": "warp", "channels": 1, "past": 2, "width": 2, "actions": 0, "size": 32}


@pytest.fixture
def going(monkeypatch):
    """Of films in which everything moves by the same; draws nothing."""

    def made(right, down):
        where = torch.tensor([float(right), float(down)]).view(1, 2, 1, 1)
        found = "gantools_video.warp.flow"
        monkeypatch.setattr(found, lambda x, before: where.expand(len(x), 2, *x.shape[2:]))
        net = Warp(1, past=2, width=2)
        with torch.no_grad():
            net.end.weight.zero_()
            net.end.bias.zero_()
        return Predictor(ASKED, net)

    return made


@pytest.mark.parametrize("shape", [(16, 16), (17, 30)])
def test_films_have_their_own_size(shape, going):
    past = torch.rand(3, 4, 1, *shape)
    made = going(0, 0)(past, 5)
    assert_close(made, past[:, -1:].expand(-1, 5, -1, -1, -1), atol=1e-4, rtol=0)


def test_many_films_are_predicted_in_pieces(going):
    past = torch.rand(40, 2, 1, 16, 16)
    assert_close(
        going(1, 0)(past, 2)[..., :-2],
        torch.stack([past[:, -1, :, :, 1:-1], past[:, -1, :, :, 2:]], 1),
        atol=1e-3,
        rtol=0,
    )


@pytest.mark.parametrize("shape", [(32, 32), (20, 75), (100, 41)])
def test_tiles_of_what_stays_are_the_whole(shape, going):
    past = torch.rand(2, 1, *shape)
    for frame in going(0, 0).tiled(past, 2):
        assert_close(frame, past[-1], atol=1e-4, rtol=0)


def test_resizing_moves_the_full_picture(going):
    past = torch.rand(2, 1, 64, 128)  # twice the size that it was trained on
    one, two = going(1.0, 0).resized(past, 2)
    assert_close(one[..., :124], past[-1][..., 2:126], atol=1e-3, rtol=0)
    assert_close(two[..., :120], past[-1][..., 4:124], atol=1e-3, rtol=0)


def test_smaller_pictures_are_enlarged_for_it(going):
    past = torch.rand(2, 1, 16, 16)
    one, *_ = going(2.0, 0).resized(past, 1)
    assert one.shape == (1, 16, 16)
    assert_close(one[..., :14], past[-1][..., 1:15], atol=1e-3, rtol=0)


def test_what_was_saved_predicts_the_same(tmp_path):
    torch.manual_seed(0)
    predictor = Predictor(ASKED, Warp(1, 2, 2), {"seed": 3})
    predictor.save(tmp_path)
    again = Predictor.load(tmp_path)
    past = torch.rand(1, 2, 1, 32, 32)
    assert_close(again(past, 2), predictor(past, 2), atol=0.01, rtol=0)  # half precision
    assert again.about == {"seed": 3}


@pytest.mark.parametrize(
    "told", [{"game": "warp", "damping": 0.5}, {"game": "sprites", "layers": 3}]
)
def test_models_are_kept_with_what_they_were_told(tmp_path, told):
    torch.manual_seed(0)
    asked = {**ASKED, "actions": 3, **told}
    net = network(**{k: v for k, v in asked.items() if k != "size"})
    Predictor(asked, net).save(tmp_path)
    again = Predictor.load(tmp_path)
    assert again.actions == 3
    for name in told.keys() - {"game"}:
        assert getattr(again.net, name) == told[name]
    kept = again.net.state_dict()
    assert all(kept[name].shape == x.shape for name, x in net.state_dict().items())


@pytest.mark.parametrize("changed", [{"width": 3}, {"depth": 9}, {"past": None}])
def test_another_version_s_model_is_said(tmp_path, changed):
    asked = {name: value for name, value in (ASKED | changed).items() if value is not None}
    Predictor(ASKED, Warp(1, 2, 2)).save(tmp_path)
    file = tmp_path / "model.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"config": asked}))
    with pytest.raises(UserError, match="made by another version of gantools-video: train it"):
        Predictor.load(tmp_path)


@pytest.mark.parametrize("damping", [1.0, 0.0])
def test_resized_by_nothing_and_a_tile_of_all_are_the_same(damping):
    torch.manual_seed(0)
    net = Warp(1, 3, 2, damping=damping)
    with torch.no_grad():
        net.end.weight.normal_(std=0.05)
    predictor = Predictor({**ASKED, "past": 3}, net)
    past = torch.rand(3, 1, 32, 32)
    film = predictor(past[None], 3)[0]
    assert_close(torch.stack(list(predictor.resized(past, 3))), film, atol=1e-4, rtol=0)
    assert len(list(predictor.tiled(past, 3))) == 3


def test_no_model_is_said(tmp_path):
    with pytest.raises(UserError, match="no whole model"):
        Predictor.load(tmp_path)
