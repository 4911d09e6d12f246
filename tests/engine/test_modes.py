"""Modes and states that a game's evaluation, resume and single turns must not disturb."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gantools import Agent, Game, Player, Trainer, shared
from gantools.engine import Simultaneous
from gantools.errors import NonFiniteError

CPU = {"accelerator": "cpu"}


class Noisy(nn.Module):
    """A module whose training mode shows: batch norm, and a part that is kept in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.frozen = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
        self.frozen.eval()

    def forward(self, x):
        return self.frozen(self.norm(x))


class Kept(Game):
    def __init__(self) -> None:
        super().__init__(one=Player(Noisy(), lr=0.1, ema=0.9))
        self.encoder = nn.BatchNorm1d(2)
        self.parts = [nn.Linear(1, 1), nn.Linear(1, 1)]
        self.by_name = {"a": nn.Linear(1, 1)}
        self._frozen = nn.Linear(1, 1)

    def one_loss(self, turn):
        return self.one(self.encoder(turn.randn(8, 2))).square().mean()


def test_evaluation_is_in_evaluation_mode_everywhere_and_leaves_no_trace():
    game, trainer = Kept(), Trainer(2, **CPU)
    trainer.fit(game)
    state = {k: v.clone() for k, v in game.one.ema.state_dict().items()}
    modes = [module.training for module in game.modules()]
    assert not game.one.averaged.norm.training
    assert modes.count(False) > 2  # the average, and what was kept in evaluation mode
    with trainer.evaluating():
        assert not any(module.training for module in game.modules())
        game.one.averaged(torch.randn(8, 2))
        game.one.module(torch.randn(8, 2) + 5)
    assert [module.training for module in game.modules()] == modes
    assert not game.one.module.frozen.training
    assert all(torch.equal(v, game.one.ema.state_dict()[k]) for k, v in state.items())


def test_what_a_game_keeps_in_lists_and_dicts_is_in_its_state():
    first, second = Kept(), Kept()
    assert set(first.state_dict()) == {"encoder", "parts/0", "parts/1", "by_name/a"}
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.parts[1].weight, first.parts[1].weight)
    assert torch.equal(second.by_name["a"].weight, first.by_name["a"].weight)
    assert not torch.equal(second._frozen.weight, first._frozen.weight)


class Waiting(Game):
    """The second player sits out the first two turns, and then moves twice."""

    def __init__(self) -> None:
        super().__init__(one=Player(nn.Linear(1, 1), lr=0.1), two=Player(nn.Linear(1, 1), lr=0.1))
        self.moved: list[tuple[int, str]] = []

    def moves(self, player, turn):
        return {"one": 1, "two": 0 if turn.step < 2 else self.often}[player]

    often = 2

    def loss(self, player, turn):
        self.moved.append((turn.step, player))
        return self.players[player](turn.randn(4, 1)).square().mean()


def test_a_player_may_sit_a_turn_out():
    game = Waiting()
    Trainer(3, **CPU).fit(game)
    assert game.moved == [(0, "one"), (1, "one"), (2, "one"), (2, "two"), (2, "two")]
    game = Waiting()
    game.often = 1
    Trainer(3, solver=Simultaneous(), **CPU).fit(game)
    assert game.moved == [(0, "one"), (1, "one"), (2, "one"), (2, "two")]


def test_shared_work_falls_with_what_it_was_built_on():
    class Nested(Game):
        def __init__(self):
            super().__init__(
                text=Player(nn.Linear(1, 1), lr=1.0), picture=Player(nn.Linear(1, 1), lr=1.0)
            )
            self.computed: list[tuple] = []

        @shared(by="text")
        def words(self, turn):
            self.computed.append(("words",))
            return self.text(torch.ones(2, 1))

        @shared(by="picture")
        def fakes(self, turn, size=1):
            words = self.words(turn)
            self.computed.append(("fakes", size))
            return self.picture(words * size)

        def text_loss(self, turn):
            return self.fakes(turn).mean() + self.words(turn).mean()

        def picture_loss(self, turn):
            return (self.fakes(turn) + self.fakes(turn, 2)).mean()

    game = Nested()
    Trainer(1, **CPU).fit(game)
    # After text has moved, fakes that were built on its words are made anew; and by size.
    assert game.computed == [("words",), ("fakes", 1), ("words",), ("fakes", 1), ("fakes", 2)]


def test_a_typo_in_inherited_shared_work_is_found():
    class Base(Game):
        @shared(by="genrator")
        def fakes(self, turn): ...

    class Mine(Base):
        def generator_loss(self, turn): ...

    with pytest.raises(ValueError, match="'genrator', who is not a player"):
        Mine(generator=Player(nn.Linear(1, 1)))


def test_a_reward_may_have_terms_and_each_is_logged_and_looked_at():
    class Echo(Agent):
        def collect(self, turn):
            return torch.arange(4.0)

        def learn(self, rollout, reward, turn):
            self.learned = reward(rollout)
            return {}

        def state_dict(self):
            return {}

        def load_state_dict(self, state): ...

    class Curious(Game):
        bad = False

        def agent_reward(self, turn, transitions):
            bonus = transitions / 0 if self.bad else 2 * transitions
            return {"task": torch.ones(4), "bonus": bonus}

    figures = {}

    class Watch:
        def training_began(self, trainer): ...
        def turn_ended(self, trainer, seen):
            figures.update(seen)

        def training_ended(self, trainer, error): ...

    game = Curious(agent=Echo())
    Trainer(1, observers=[Watch()], **CPU).fit(game)
    assert game.agent.learned.tolist() == [1, 3, 5, 7]
    assert (float(figures["agent/task"]), float(figures["agent/bonus"])) == (1, 3)
    game = Curious(agent=Echo())
    game.bad = True
    with pytest.raises(NonFiniteError, match="player 'agent': the term 'bonus' of its reward"):
        Trainer(1, **CPU).fit(game)


def test_pictures_and_films_in_one_player_are_channels_last_where_they_can_be():
    class Both(Game):
        def critic_loss(self, turn):
            x = turn.randn(1, 1, 4, 4)
            return self.critic[0](x).mean() + self.critic[1](x[None]).mean()

    game = Both(critic=Player(nn.ModuleList([nn.Conv2d(1, 2, 3), nn.Conv3d(1, 2, (1, 3, 3))])))
    Trainer(1, **CPU).fit(game)
    assert game.critic[0].weight.is_contiguous(memory_format=torch.channels_last)
