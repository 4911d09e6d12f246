"""What gantools promises its users of every plugin, and what this one promises besides."""

from __future__ import annotations

import math

import pytest
import torch
from gantools_triangle import Config
from gantools_triangle.application import Application
from gantools_triangle.game import Triangle, accuracy, confusion
from gantools_triangle.modes import found
from torch import nn

import gantools
from gantools import Setting, Trainer, Turn, UserError
from gantools.data import Split
from gantools.data.gaussians import MIXTURES
from gantools.losses import non_saturating
from gantools.plugins import Plugins
from gantools.testing import assert_plugin_ok, differences

K, N = 3, 8  # generators, points of each


def test_the_contract(gantools_cache):
    assert_plugin_ok("triangle", {"triangle": {"generators": K, "batch": N, "samples": 64}})


# -- what the players want ----------------------------------------------------------------------


@pytest.fixture
def game():
    """The game, set up, before its first turn."""
    torch.manual_seed(0)
    config = Config(generators=K, batch=N, diversity=0.5)
    setting = Setting(parts=Plugins(installed=False).part)
    game = Triangle(config, non_saturating, setting.penalties(config.penalty))
    Trainer(turns=1, accelerator="cpu").setup(game)
    return game


@pytest.fixture
def turn():
    """A turn with a batch of K · N points."""
    batch = torch.randn(K * N, 2, generator=torch.Generator().manual_seed(1))
    return Turn(0, 1, torch.device("cpu"), torch.Generator().manual_seed(2), iter([batch]))


def zero(player):
    """Make a player's module answer 0 to everything."""
    for parameter in player.module.parameters():
        nn.init.zeros_(parameter)


def test_who_knows_nothing_is_confused_by_log_k():
    logits = torch.full((K, N, K), 7.0)
    assert confusion(logits).item() == pytest.approx(math.log(K))
    assert accuracy(logits).item() == pytest.approx(1 / K)


@pytest.mark.parametrize("shift", [0, 1])
def test_who_is_sure_is_confused_by_the_closed_form(shift):
    sure = 4.0 * torch.eye(K).roll(shift, 1)  # of the right generator, or of a wrong one
    logits = sure.unsqueeze(1).expand(K, N, K)
    rest = math.log(1 + (K - 1) * math.exp(-4))
    assert confusion(logits).item() == pytest.approx(rest + (4 if shift else 0), rel=1e-5)
    assert accuracy(logits).item() == 1 - shift


def test_the_discriminator_wants_the_objective_and_the_penalty(game, turn):
    game.discriminator.module = nn.Linear(2, 1)
    game.discriminator.module.weight.data = torch.tensor([[3.0, 4.0]])
    assert game.loss("discriminator", turn)["r1"].item() == pytest.approx(0.05 * 25)
    zero(game.discriminator)
    assert game.loss("discriminator", turn)["adversarial"].item() == pytest.approx(2 * math.log(2))


def test_the_classifier_wants_to_name_the_generator(game, turn):
    zero(game.classifier)
    assert game.loss("classifier", turn).item() == pytest.approx(math.log(K))
    assert turn.figures["classifier/accuracy"].item() == pytest.approx(1 / K)


def test_the_generators_want_to_be_taken_for_real_and_told_apart(game, turn):
    zero(game.discriminator)
    zero(game.classifier)
    loss = game.loss("generators", turn)
    assert loss["adversarial"].item() == pytest.approx(math.log(2))
    assert loss["diversity"].item() == pytest.approx(0.5 * math.log(K))


@pytest.mark.parametrize("mover", ["discriminator", "classifier", "generators"])
def test_a_move_changes_the_movers_own_parameters_only(game, turn, mover):
    def weights():
        return {
            name: {key: value.clone() for key, value in player.module.state_dict().items()}
            for name, player in game.players.items()
        }

    before = weights()
    game.players[mover].prepare(game, turn)
    for name, player in game.players.items():
        moved = [parameter.grad is not None for parameter in player.module.parameters()]
        assert all(moved) if name == mover else not any(moved)
    game.players[mover].step(turn)
    changed = differences(before, weights())
    parameters = game.players[mover].module.state_dict()
    assert changed == sorted(f"/{mover}/{name}" for name in parameters)


def test_the_generators_do_not_make_the_same_points(game, turn):
    fakes = game.fakes(turn)
    assert fakes.shape == (K, N, 2)
    assert not torch.equal(fakes[0], fakes[1])


# -- how they are judged ------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "count"), [("ring", 8), ("grid", 25)])
def test_real_points_find_all_modes_and_one_centre_is_one(clean_plugins, data, count):
    means = MIXTURES[data].centres
    train, _ = clean_plugins().part("data", data)(0)
    real = found(train, data)
    assert real["modes"] == len(means) == count
    assert real["good_share"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)  # χ² with two degrees
    assert found(means[:1].repeat(100, 1), data) == {"modes": 1, "good_share": 1.0}
    assert found(means + 10, data) == {"modes": 0, "good_share": 0.0}


def test_the_modes_of_other_data_are_not_known():
    assert found(torch.zeros(10, 2), "swirl") == {}


def test_it_learns_and_shows_it(tmp_path):
    run = gantools.run("triangle", steps=400, data="ring", out=tmp_path / "run", progress=False)
    judged = run.evaluation
    assert judged["energy_distance"] < judged["normal"]["energy_distance"] / 2
    assert judged["good_share"] > 2 * judged["normal"]["good_share"]
    assert judged["classifier_accuracy"] > judged["classifier_chance"]
    assert (run.samples / "points.png").stat().st_size > 10_000
    assert "told apart" in run.report_file.read_text()


# -- bad input ----------------------------------------------------------------------------------


def test_a_batch_that_is_larger_than_the_data_is_refused(clean_plugins):
    setting = Setting(world_size=2, parts=clean_plugins().part)
    with pytest.raises(UserError, match=r"has 8,192 points and a batch would have 10,240"):
        Application(Config(generators=10, batch=512)).build(setting)


def test_points_that_are_not_in_the_plane_are_refused(clean_plugins, monkeypatch):
    cube = Split(torch.zeros(1000, 3), torch.zeros(100, 3))
    monkeypatch.setattr("gantools.data.gaussians.ring", lambda seed: cube)
    with pytest.raises(UserError, match="in the plane: 'ring' has others"):
        Application(Config(data="ring")).build(Setting(parts=clean_plugins().part))
