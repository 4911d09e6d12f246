"""The small games: where solvers and penalties are known to lead, through the command's own parts."""

from __future__ import annotations

import json
import math

import pytest
import torch
from gantools_game import Config
from gantools_game.application import Application
from gantools_game.vectors import DiracGAN, MatchingPennies

import gantools
from gantools import Player, Setting, Trainer, UserError
from gantools.data import Batches
from gantools.plugins import Plugins
from gantools.testing import assert_plugin_ok

SETTING = Setting(parts=Plugins(installed=False).part)
NET = {"width": 16, "depth": 1, "batch": 32, "samples": 200, "evaluate_every": 0}


def sgd(lr):
    return lambda module: Player(module, optimizer=torch.optim.SGD, lr=lr)


def play(game, turns, solver="alternating", data=None):
    solver = SETTING.part("solvers", solver)()
    Trainer(turns, solver=solver, accelerator="cpu", threads=1).fit(game, data)
    return game


def made(**options):
    application = Application(Config(**options))
    game, data = application.build(SETTING)
    return application, game, data


# -- rock, paper, scissors and pennies -----------------------------------------------------------


@pytest.mark.parametrize("solver", ["extragradient", "optimistic", "consensus"])
def test_rock_paper_scissors_settles(solver, tmp_path):
    run = gantools.run(
        "game",
        solver=solver,
        steps=1500,
        out=tmp_path / "run",
        progress=False,
        checkpoint_every=1500,
    )
    found = run.evaluation
    assert found["distance"] < 1e-3
    assert found["players"]["first"] == pytest.approx([1 / 3] * 3, abs=1e-3)
    assert (run.samples / "rock-paper-scissors.png").stat().st_size > 5_000


@pytest.mark.parametrize("solver", ["simultaneous", "alternating"])
def test_rock_paper_scissors_does_not_settle_by_plain_steps(solver):
    _, game, _ = made(solver=solver)
    assert play(game, 1500, solver).distance() > 0.2


def test_three_players_settle_by_consensus_alone():
    # About the equilibrium the field's eigenvalues are cube roots of −1, times ½: two of them grow.
    games = {
        solver: play(MatchingPennies(sgd(0.5), sgd(0.5)), 1000, solver)
        for solver in ("simultaneous", "extragradient", "consensus:4")
    }
    distances = {solver: game.distance() for solver, game in games.items()}
    assert distances.pop("consensus:4") < 1e-6
    assert min(distances.values()) > 0.4


# -- the Dirac-GAN ---------------------------------------------------------------------------------


def dirac(objective="minimax", penalty="none", augment=None, constraint=None, solver="alternating"):
    torch.manual_seed(0)
    constrain = constraint and SETTING.part("constraints", constraint)
    game = DiracGAN(
        lambda line: Player(line, optimizer=torch.optim.SGD, lr=0.05, constraint=constrain),
        sgd(0.05),
        objective=SETTING.part("objectives", objective),
        penalties=SETTING.penalties(penalty),
        augment=augment and SETTING.part("augmentations", augment),
    )
    data = Batches(game.data, size=len(game.data))
    return play(game, 1000, solver, data).distance()


def test_wasserstein_without_a_penalty_spirals_outwards_at_the_theory_rate():
    radius = math.sqrt(2) * (1 + 0.05**2) ** 500
    assert dirac("wasserstein", solver="simultaneous") == pytest.approx(radius, rel=1e-6)


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({}, 1.35, 1.5),  # an orbit
        ({"solver": "simultaneous"}, 1.6, 3),
        ({"objective": "hinge"}, 1.3, 1.5),
        ({"penalty": "r1:1"}, 0, 1e-6),
        ({"penalty": "r2:1"}, 0, 1e-6),
        ({"penalty": "r1:10"}, 0.2, 0.6),  # too much of it is slow
        ({"penalty": "roth:1"}, 0, 1e-3),
        ({"solver": "consensus"}, 0, 1e-3),
        ({"objective": "wasserstein", "penalty": "wgan-gp:1"}, 1, 2),  # never
        ({"augment": "instance-noise:0.5,until=1e9"}, 0, 0.2),
        ({"objective": "wasserstein", "constraint": "weight-clip:0.1"}, 0, 0.2),
    ],
)
def test_where_the_dirac_gan_ends(options, low, high):
    assert low <= dirac(**options) <= high


# -- points ----------------------------------------------------------------------------------------


def test_points_are_learned_judged_and_drawn(tmp_path):
    run = gantools.run(
        "game", game="ring", steps=300, out=tmp_path / "run", progress=False, **NET | {"width": 64}
    )
    found = json.loads(run.evaluation_file.read_text(encoding="utf-8"))
    assert found["real"]["modes"] == 8
    assert found["real"]["high_quality"] > 0.95
    assert found["kl"] < 2  # ln 8 = 2.08 is one mode
    assert found["energy_distance_of_real"] < 0.02
    assert (run.samples / "ring.png").stat().st_size > 5_000


def test_the_players_are_what_was_asked_for():
    _, game, _ = made(
        game="grid",
        optimizer="rmsprop",
        lr=2e-3,
        discriminator_lr=5e-3,
        moves=3,
        constraint="weight-clip:0.02",
        objective="wasserstein",
        penalty="none",
        solver="alternating",
        **NET,
    )
    play(game, 1, data=iter([torch.randn(32, 2)] * 9))
    rates = [player.optimizer.param_groups[0]["initial_lr"] for player in game.players.values()]
    assert rates == [5e-3, 2e-3]
    assert isinstance(game.discriminator.optimizer, torch.optim.RMSprop)
    assert game.players["discriminator"].moves == 3
    assert all(p.abs().max() <= 0.02 for p in game.players["discriminator"].module.parameters())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"penalty": "r1"}, "a payoff of its own and no use for --penalty"),
        ({"game": "bilinear", "objective": "hinge"}, "no use for --objective"),
        ({"game": "ring", "penalty": "r9"}, "no penalty 'r9'"),
        ({"game": "ring", "moves": 2, "solver": "extragradient"}, "'discriminator' has 2"),
        ({"game": "ring", "solver": "consensus", "accumulate": 2}, "leave --accumulate at 1"),
        ({"game": "ring", "augment": "instance-noise:-1"}, "noise needs std"),
        ({"game": "ring", "augment": "diffaugment"}, "diffaugment takes images"),
        ({"game": "ring", "augment": "ada"}, "ada takes images"),
        ({"game": "ring", "constraint": "weight-clip:-1"}, "positive limit"),
    ],
)
def test_what_cannot_be_is_said(options, said, tmp_path):
    with pytest.raises(UserError, match=said):
        gantools.run("game", steps=2, out=tmp_path / "run", progress=False, **NET | options)


@pytest.mark.parametrize(
    "options",
    [{"solver": "optimistic"}, {"game": "gaussians-25", "augment": "instance-noise", **NET}],
)
def test_the_contract(options, gantools_cache):
    assert_plugin_ok("game", {"game": options})


def test_a_first_turn_that_cannot_be_played_leaves_nothing(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(UserError, match="first turn cannot be played: diffaugment takes images"):
        gantools.run("game", out=out, progress=False, game="ring", augment="diffaugment")
    assert not out.exists()
