"""The watcher: sick games are named within 200 turns, healthy ones leave it silent."""

from __future__ import annotations

import json
import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

import gantools
from gantools import Agent, Game, Note, Player, Trainer, Turn, shared
from gantools.data import Batches
from gantools.data.gaussians import grid, ring
from gantools.engine import Alternating, Extragradient, Simultaneous
from gantools.engine.watcher import (
    EVERY,
    TROUBLES,
    TURNS,
    History,
    TroubleError,
    Watcher,
    oscillation,
)
from gantools.losses import non_saturating, r1
from gantools.plugins import Plugins
from gantools.runs import report, troubles
from gantools.testing import toy
from gantools.testing.toy_game import Points

SEEDS = (0, 1, 2)


def mlp(inputs: int, outputs: int, *widths: int) -> nn.Sequential:
    sizes = [inputs, *widths]
    layers = [nn.Sequential(nn.Linear(a, b), nn.LeakyReLU(0.2)) for a, b in pairwise(sizes)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], outputs))


class GAN(Game):
    """A small GAN of points in the plane, and the ways to spoil it."""

    def __init__(
        self,
        *widths: int,
        lr: float = 1e-3,
        generator_lr: float | None = None,
        betas: tuple[float, float] = (0.0, 0.9),
        moves: int = 1,
        weight: float | None = None,
        generator: tuple[int, ...] | None = None,
    ) -> None:
        self.weight = weight
        d, g = mlp(2, 1, *widths), mlp(2, 2, *(generator or widths))
        super().__init__(
            discriminator=Player(d, lr=lr, betas=betas, moves=moves),
            generator=Player(g, lr=generator_lr or lr, betas=betas),
        )

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(*turn.batch.shape))

    def discriminator_loss(self, turn):
        real, fake, critic = turn.batch, self.fakes(turn), self.discriminator
        r, f = critic(real), critic(fake)
        turn.log_scores("discriminator", r, f)
        terms = {"adversarial": non_saturating.discriminator(r, f)}
        if self.weight is not None:
            terms["penalty"] = r1(critic, real, fake, self.weight)
        return terms

    def generator_loss(self, turn):
        return non_saturating.generator(self.discriminator(self.fakes(turn)))


class OnePoint(GAN):
    """The generator is forced to one point."""

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(*turn.batch.shape)).mean(0).expand(turn.batch.shape)


class Bilinear(Game):
    """min over x, max over y of x·y + damping/2 (x² − y²)."""

    def __init__(self, h: float, damping: float = 0.0) -> None:
        self.damping = damping
        options = {"optimizer": torch.optim.SGD, "lr": h}
        super().__init__(
            x=Player(Number(1 + torch.rand(()).item()), **options),
            y=Player(Number(torch.rand(()).item()), **options),
        )

    def payoff(self):
        x, y = self.x(), self.y()
        return x * y + self.damping / 2 * (x.square() - y.square())

    def x_loss(self, turn):
        return self.payoff()

    def y_loss(self, turn):
        return -self.payoff()


class Number(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self):
        return self.value


def play(make, turns: int, seed: int, *, data=ring, solver=None, **options) -> list[tuple]:
    """What a watcher says of a game, by name and turn."""
    torch.manual_seed(seed)
    game, watcher = make(), Watcher(**options)
    batches = None if data is None else Batches(data(seed).train, size=64, seed=seed)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", Note)
        trainer = Trainer(
            turns, seed=seed, accelerator="cpu", threads=1, solver=solver, watcher=watcher
        )
        trainer.fit(game, batches)
    assert [str(note.message) for note in said] == [str(trouble) for trouble in watcher.troubles]
    return [(trouble.name, trouble.turn) for trouble in watcher.troubles]


# -- sick games ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("explosion", lambda: GAN(128, 128, lr=0.1)),
        ("large-steps", lambda: GAN(64, lr=0.1)),
        ("large-steps", lambda: GAN(64, lr=0.1, betas=(0.5, 0.9), weight=0.1)),
        ("collapse", lambda: OnePoint(64)),
        ("collapse", lambda: OnePoint(64, weight=0.1)),
        ("penalty-explosion", lambda: GAN(64, weight=1e6)),
        ("penalty-explosion", lambda: GAN(64, 64, weight=1e6)),
    ],
)
def test_a_sick_game_of_points_is_named(name, make, seed):
    assert name in dict(play(make, 200, seed))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_discriminator_that_moves_ten_times_a_turn_has_won(seed):
    options = {"generator": (32, 32), "generator_lr": 2e-4}
    won = play(lambda: GAN(64, 64, 64, moves=10, **options), 200, seed)
    assert [name for name, _ in won] == ["discriminator-won"]
    assert play(lambda: GAN(64, 64, 64, moves=1, **options), 200, seed) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "h", "solver"),
    [
        ("oscillation", 0.05, Alternating),
        ("oscillation", 0.3, Alternating),
        ("oscillation", 0.1, Simultaneous),
        ("explosion", 0.2, Simultaneous),
    ],
)
def test_a_game_that_cycles_or_spirals_outwards_is_named(name, h, solver, seed):
    assert name in dict(play(lambda: Bilinear(h), 200, seed, data=None, solver=solver()))


# -- healthy games ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("make", "data"),
    [
        (lambda: Points(toy.ToyConfig(), non_saturating, r1), ring),
        (lambda: GAN(64, 64, weight=0.1), ring),
        (lambda: GAN(64, 64, weight=0.1), grid),
        (lambda: GAN(32, 32, weight=0.1, moves=2), ring),
    ],
)
def test_healthy_games_of_points_leave_it_silent(make, data, seed):
    assert play(make, 500, seed, data=data) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("damping", "solver"), [(0.5, Alternating), (0.1, Alternating), (0.0, Extragradient)]
)
def test_games_that_converge_leave_it_silent(damping, solver, seed):
    assert play(lambda: Bilinear(0.1, damping), 600, seed, data=None, solver=solver()) == []


def test_what_an_agent_says_of_itself_is_no_loss():
    class Learner(Agent):
        def collect(self, turn):
            return torch.zeros(4)

        def learn(self, rollout, reward, turn):
            reward(rollout)
            return {"episode_return": 10.0 ** (turn.step / 10), "penalty": 1e9}

        def state_dict(self):
            return {}

        def load_state_dict(self, state):
            pass

    class Imitation(Game):
        def policy_reward(self, turn, transitions):
            return transitions

        def judge_loss(self, turn):
            turn.log("judge/distance", 10.0**turn.step)
            return self.judge(turn.randn(8, 2)).square().mean()

    def make():
        return Imitation(judge=Player(nn.Linear(2, 1), lr=1e-3), policy=Learner())

    assert play(make, 210, 0, data=None) == []


# -- what is looked at --------------------------------------------------------------------------


def watched(batch=None) -> Turn:
    data = None if batch is None else iter([batch, None])
    turn = Turn(0, 1, torch.device("cpu"), torch.Generator(), data)
    turn.watching = True
    return turn


@pytest.mark.parametrize(
    ("real", "fake", "separation"),
    [
        ([1.0, 2.0, 3.0], [0.0, 1.9, 2.9], 1.0),
        ([1.0, 2.0], [1.0, 3.0], 0.25),
        ([1.0, 2.0], [1.0, 2.0], 0.5),
        ([[1.0], [5.0]], [0.0, 6.0, 0.0], 0.5),  # the third fake has no partner
    ],
)
def test_separation_is_the_share_of_pairs_that_are_told_apart(real, fake, separation):
    turn = watched()
    turn.log_scores("critic", torch.tensor(real), torch.tensor(fake))
    assert turn.figures["critic/separation"].item() == separation


def test_the_scores_of_a_member_are_a_figure_of_their_own_and_the_last_of_a_turn_counts():
    turn, ramp = watched(), torch.arange(8.0)
    turn.log_scores("critic", ramp, ramp + 1, of="short")
    turn.log_scores("critic", ramp, ramp + 1, of="long")
    turn.log_scores("critic", ramp, ramp)
    turn.log_scores("critic", ramp, ramp - 1, of="short")
    expected = {"critic/short/separation": 1, "critic/long/separation": 0, "critic/separation": 0.5}
    assert {name: value.item() for name, value in turn.figures.items()} == expected
    assert {name: value.item() for name, value in turn.looks.items()} == expected


def test_the_watcher_looks_at_every_member():
    figures = {"critic/short/separation": [0.5] * 4, "critic/long/separation": [1.0] * 4}
    since, seen = TROUBLES["discriminator-won"][0](History(400, {}, {}, figures))
    assert since == 325
    assert "critic/long has scored 100.0%" in seen


def test_shared_work_of_several_tensors_is_looked_at_and_the_last_of_a_turn_counts():
    turn = watched()
    fakes = torch.tensor([[0.0, 2.0], [2.0, 4.0]])
    turn.share("before", lambda: torch.arange(9.0), by="generator")
    turn.share("pairs", lambda: (torch.arange(2), {"x": fakes}, fakes * 0), by="generator")
    spread = 1 / fakes.square().mean().sqrt()
    assert turn.looks == turn.figures
    assert turn.looks["generator/spread"].item() == pytest.approx(spread.item())


def test_few_pairs_and_scores_that_are_all_the_same_say_nothing():
    ramp = torch.arange(8.0)
    for real, fake, looks in [
        (ramp, ramp - 1, 1),
        (ramp[:7], ramp - 1, 0),
        (ramp * 0, ramp - 9, 0),
    ]:
        turn = watched()
        turn.log_scores("critic", real, fake)
        assert turn.figures["critic/separation"] == 1
        assert len(turn.looks) == looks


def test_a_term_of_the_same_name_does_not_hide_what_was_seen():
    turn = watched(torch.tensor([[0.0], [1.0]]))
    turn.share("work", lambda: turn.batch / 2, by="maker")
    turn.log("maker/diversity", 9.0)
    assert turn.figures["maker/diversity"] == 9
    assert turn.looks["maker/diversity"] == 0.5


def diversity(work: torch.Tensor, batch) -> dict[str, float]:
    turn = watched(batch)
    assert turn.batch is batch
    turn.share("work", lambda: work, by="maker")
    return {name: value.item() for name, value in turn.figures.items()}


def test_diversity_is_relative_to_real_samples_of_the_same_shape():
    real = torch.randn(64, 3, 2, generator=torch.Generator().manual_seed(0))
    assert diversity(5 - real, real) == {"maker/diversity": pytest.approx(1)}
    assert diversity(0.1 * real, (torch.arange(64), real)) == {
        "maker/diversity": pytest.approx(0.1)
    }
    assert diversity(real[:1].expand(64, 3, 2), real) == {"maker/diversity": 0}
    several = torch.stack([real, 3 * real])  # of two generators, [2, 64, 3, 2]
    assert diversity(several, real) == {"maker/diversity": pytest.approx(math.sqrt(5), rel=0.05)}
    assert diversity(real[None], real) == {"maker/diversity": pytest.approx(1)}


def test_where_nothing_is_comparable_spread_is_relative_to_the_size():
    work = torch.tensor([[3.0, 5.0], [3.0, -5.0]])  # deviations 0 and 5, root mean square √17
    expected = {"maker/spread": pytest.approx(2.5 / math.sqrt(17))}
    assert diversity(work, torch.zeros(2, 3)) == expected
    assert diversity(work, torch.zeros(2, 2, dtype=torch.int64)) == expected
    assert diversity(torch.arange(4), None) == {}
    assert diversity(torch.tensor(1.0), torch.zeros(4)) == {}


def test_a_batch_that_nobody_asked_for_is_not_fetched():
    turn = watched(torch.zeros(4, 2))
    turn.share("work", lambda: torch.ones(4, 2), by="maker")
    assert list(turn.figures) == ["maker/spread"]
    assert turn.batch is not None  # the first one, still


def figures_of(turns: int, watcher) -> list[set[str]]:
    """The names of the figures of each turn."""

    class Ear(gantools.Observer):
        def turn_ended(self, trainer, figures):
            heard.append(set(figures))

    heard: list[set[str]] = []
    batches = Batches(ring(0).train, size=64, seed=0)
    Trainer(turns, accelerator="cpu", observers=[Ear()], watcher=watcher).fit(GAN(8), batches)
    return heard


def test_it_looks_every_25_turns_and_not_at_all_if_there_is_none():
    plain = {"discriminator/adversarial", "generator/loss"}
    looks = {"discriminator/separation", "generator/diversity"}
    looks |= {"discriminator/relative_step", "generator/relative_step"}
    assert figures_of(50, None) == [plain] * 50
    expected = [plain | looks if turn % EVERY == 0 else plain for turn in range(1, 51)]
    assert figures_of(50, Watcher()) == expected


def test_a_relative_step_is_that_of_one_move():
    class Slope(Game):
        def player_loss(self, turn):
            return self.player(torch.ones(1, 4)).sum()  # a gradient of 1 in each weight

    player = Player(nn.Linear(4, 4, bias=False), optimizer=torch.optim.SGD, lr=1e-3, moves=3)
    nn.init.constant_(player.module.weight, 2.0)
    heard = []

    class Ear(gantools.Observer):
        def turn_ended(self, trainer, figures):
            heard.append(figures.get("player/relative_step"))

    Trainer(EVERY, accelerator="cpu", observers=[Ear()], watcher=Watcher()).fit(
        Slope(player=player)
    )
    assert heard[-1].item() == pytest.approx(1e-3 / (2 - 72e-3), rel=1e-3)


def test_watching_changes_nothing():
    def trained(watcher) -> torch.Tensor:
        torch.manual_seed(0)
        game, batches = GAN(16, weight=0.1), Batches(ring(0).train, size=64, seed=0)
        Trainer(60, accelerator="cpu", watcher=watcher).fit(game, batches)
        return torch.cat([p.detach().flatten() for p in game.generator.module.parameters()])

    assert torch.equal(trained(None), trained(Watcher()))


# -- what is made of it -------------------------------------------------------------------------


def history(values, name: str = "x/loss", **figures) -> History:
    series = np.array(values, dtype=float)
    return History(len(series), {name: series}, {name: series[0]}, figures)


T = np.arange(TURNS)


@pytest.mark.parametrize("growth", [1.0, 1.01, 1.05])
@pytest.mark.parametrize("period", [8, 23, 60])
def test_a_swing_is_found_with_its_period_though_it_grows(period, growth):
    since, seen = oscillation(history(3 + growth**T * np.sin(2 * np.pi * T / period)))
    assert since == 1
    found = int(seen.split(" turns or so")[0].split()[-1])
    assert found == pytest.approx(period, rel=0.1, abs=1)


@pytest.mark.parametrize(
    "values",
    [
        0.99**T * np.sin(2 * np.pi * T / 20),  # it calms down
        np.sin(2 * np.pi * T / 90),  # not seen three times
        np.sin(2 * np.pi * T / 20) + np.random.default_rng(0).normal(size=TURNS),
        100 + np.sin(2 * np.pi * T / 20),  # hardly a swing
        (-1.0) ** T,  # data of two kinds by turns
        T % 16 == 0,  # a lazy penalty
        np.ones(TURNS),
        np.sin(2 * np.pi * T / 20)[:150],
    ],
)
def test_what_is_no_oscillation(values):
    assert oscillation(history(values)) is None


def test_a_trouble_is_said_again_only_after_it_was_away():
    class Scripted(Game):
        """A player whose work is a single point in two stretches of turns."""

        @shared(by="maker")
        def work(self, turn):
            size = 0.0 if turn.step < 250 or turn.step >= 600 else 1.0
            return self.maker(turn.randn(16, 2)) * 0 + size * turn.randn(16, 2) + 1

        def maker_loss(self, turn):
            return self.work(turn).mean()

    def make():
        return Scripted(maker=Player(nn.Linear(2, 2), lr=1e-3))

    assert play(make, 800, 0, data=None) == [("collapse", 125), ("collapse", 725)]


def test_a_saved_watcher_goes_on_as_if_nothing_had_been():
    def make():
        torch.manual_seed(0)
        return GAN(16, lr=0.1), Batches(ring(0).train, size=64, seed=0)

    options = {"accelerator": "cpu", "threads": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        whole = Trainer(120, **options, watcher=Watcher())
        whole.fit(*make())
        first = Trainer(63, **options, watcher=Watcher())
        first.fit(*make())
        second = Trainer(120, **options, watcher=Watcher())
        second.setup(*make())
        second.load_state_dict(first.state_dict(), first.process_state_dict())
        second.fit(second.game)
    assert whole.watcher.troubles
    assert second.watcher.troubles == whole.watcher.troubles
    expected, resumed = whole.watcher.state_dict(), second.watcher.state_dict()
    assert gantools.testing.differences(expected, resumed) == []


def test_it_stops_or_raises_as_it_is_told():
    torch.manual_seed(0)
    trainer = Trainer(300, accelerator="cpu", watcher=Watcher("stop"))
    trainer.fit(OnePoint(8), Batches(ring(0).train, size=64, seed=0))
    assert trainer.turn == 125
    assert trainer.watcher.stopped_by.name == "collapse"
    trainer = Trainer(300, accelerator="cpu", watcher=Watcher("rollback"))
    with pytest.raises(TroubleError, match="turn 125: collapse: since turn 25"):
        trainer.fit(OnePoint(8), Batches(ring(0).train, size=64, seed=0))


# -- in a run -----------------------------------------------------------------------------------


@pytest.fixture
def plugins():
    return Plugins({"toy": toy}, installed=False)


def run(path, plugins, **options):
    given = {"lr": 0.1, "steps": 90, "evaluate_every": 0, **options}
    return gantools.run("toy", out=path, progress=False, plugins=plugins, **given)


def test_troubles_are_kept_in_the_run_and_its_report(tmp_path, plugins):
    with pytest.warns(Note, match="turn 75: large-steps"):
        sick = run(tmp_path / "sick", plugins)
    (kept,) = troubles.read(sick)
    assert (kept["name"], kept["turn"], kept["since"]) == ("large-steps", 75, 25)
    assert kept["seen"] in sick.report_file.read_text()
    healthy = run(tmp_path / "healthy", plugins, lr=1e-3)
    assert troubles.read(healthy) == []
    assert "Nothing went wrong that it knows of." in healthy.report_file.read_text()
    unwatched = run(tmp_path / "unwatched", plugins, on_trouble="off")
    assert troubles.read(unwatched) is None
    assert "Nobody watched this run." in unwatched.report_file.read_text()


def test_a_run_stops_and_says_how_to_go_on(tmp_path, plugins):
    path = tmp_path / "run"
    with pytest.raises(gantools.UserError, match=f"large-steps.*resume {path}"):
        run(path, plugins, on_trouble="stop")
    assert json.loads((path / "manifest.json").read_text())["status"] == "interrupted"
    resumed = gantools.resume(path, progress=False, plugins=plugins)
    assert resumed.manifest["status"] == "finished"
    assert [trouble["turn"] for trouble in troubles.read(resumed)] == [75]


def test_a_run_goes_back_to_before_the_trouble_and_gives_up_in_the_end(tmp_path, plugins):
    path = tmp_path / "run"
    given_up = pytest.raises(gantools.UserError, match="Going back 3 times has not helped")
    with given_up, pytest.warns(Note, match="Going back to before it"):
        run(path, plugins, on_trouble="rollback")
    kept = troubles.read(gantools.runs.folder.Run.open(path))
    assert [t.get("then") for t in kept] == ["went back to turn 20"] * 3 + [None]
    assert "The run went back to turn 20." in report.troubles(gantools.runs.folder.Run.open(path))


def test_a_resume_drops_the_troubles_that_it_will_see_again(tmp_path, plugins):
    class Interrupt(gantools.Observer):
        def turn_ended(self, trainer, figures):
            if trainer.turn == 79:
                raise KeyboardInterrupt

    options = {"lr": 0.1, "steps": 90, "evaluate_every": 0, "progress": False}
    path = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt), pytest.warns(Note):
        gantools.run("toy", out=path, plugins=plugins, observers=[Interrupt()], **options)
    with pytest.warns(Note, match="turn 75"):  # once more: the last checkpoint is of turn 60
        resumed = gantools.resume(path, progress=False, plugins=plugins)
    assert [trouble["turn"] for trouble in troubles.read(resumed)] == [75]
