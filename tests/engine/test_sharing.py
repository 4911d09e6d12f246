"""Work shared in a turn: done once, with just the graphs that are used, and never stale."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gantools import Agent, Game, Observer, Player, Trainer, shared
from gantools.data import Batches
from gantools.engine import Simultaneous
from gantools.errors import UserError
from gantools.losses import non_saturating


class Counting(Game):
    """A GAN that notes how its fakes were asked for."""

    def __init__(self, order=("discriminator", "generator"), moves=1) -> None:
        made = {
            "discriminator": Player(nn.Linear(2, 1), lr=0.1, moves=moves),
            "generator": Player(nn.Linear(2, 2), lr=0.1),
        }
        super().__init__(**{name: made[name] for name in order})
        self.computed: list[bool] = []
        self.received: list[tuple[str, bool]] = []
        self.batches: list[tuple[str, float]] = []

    @shared(by="generator")
    def fakes(self, turn):
        self.computed.append(torch.is_grad_enabled())
        return self.generator(turn.randn(8, 2))

    def _fakes(self, turn, player):
        fakes = self.fakes(turn)
        self.received.append((player, fakes.requires_grad))
        self.batches.append((player, turn.batch.sum().item()))
        return fakes

    def discriminator_loss(self, turn):
        fakes = self._fakes(turn, "discriminator")
        return non_saturating.discriminator(
            self.discriminator(turn.batch), self.discriminator(fakes)
        )

    def generator_loss(self, turn):
        return non_saturating.generator(self.discriminator(self._fakes(turn, "generator")))


def play(game, turns=1, **options) -> None:
    data = Batches(torch.randn(64, 2, generator=torch.Generator().manual_seed(0)), size=8)
    Trainer(turns, accelerator="cpu", **options).fit(game, data)


def test_fakes_are_made_once_a_turn_and_only_their_maker_gets_the_graph():
    game = Counting()
    play(game, 3)
    assert game.computed == [True] * 3
    assert game.received == [("discriminator", False), ("generator", True)] * 3


def test_what_the_maker_made_before_its_move_is_not_used_after_it():
    game = Counting(order=("generator", "discriminator"))
    play(game)
    assert game.computed == [True, False]  # the second without a graph that nobody would use


def test_further_moves_get_fresh_batches_and_only_the_last_builds_the_graph():
    game = Counting(moves=3)
    play(game)
    assert game.computed == [False, False, True]
    sums = [value for player, value in game.batches if player == "discriminator"]
    assert len(set(sums)) == 3
    assert game.batches[-1] == ("generator", sums[-1])


def test_simultaneous_players_share_too():
    game = Counting()
    play(game, solver=Simultaneous())
    assert game.computed == [True]
    with pytest.raises(UserError, match="one move a turn"):
        play(Counting(moves=2), solver=Simultaneous())


def test_a_move_computes_no_gradient_that_it_does_not_use():
    game = Counting()
    computed: list[str] = []
    for name, player in game.players.items():
        for parameter in player.module.parameters():
            parameter.register_hook(lambda _, name=name: computed.append(name))
    play(game)
    # The discriminator's two parameters in its own move, the generator's two in its own.
    assert sorted(computed) == ["discriminator"] * 2 + ["generator"] * 2
    assert all(p.grad is None for pl in game.players.values() for p in pl.module.parameters())


def test_work_shared_by_nobody_that_plays_is_refused():
    class Typo(Game):
        @shared(by="genrator")
        def fakes(self, turn):
            return None

    with pytest.raises(ValueError, match="'genrator', who is not a player"):
        Typo(generator=Player(nn.Linear(1, 1)))


class Echo(Agent):
    """An agent whose transitions are numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.collected, self.learned = 0, []

    def collect(self, turn):
        self.collected += 1
        return torch.full((4,), float(self.collected))

    def learn(self, rollout, reward, turn):
        self.learned.append(reward(rollout).tolist())
        return {"mean": rollout.mean().item()}

    def state_dict(self):
        return {"collected": self.collected}

    def load_state_dict(self, state):
        self.collected = state["collected"]


class Imitate(Game):
    def __init__(self, moves) -> None:
        critic = Player(nn.Linear(1, 1), lr=0.1, moves=moves)
        super().__init__(critic=critic, agent=Echo())
        self.seen: list[float] = []

    def critic_loss(self, turn):
        rollout = self.agent.rollout(turn)
        self.seen.append(rollout[0].item())
        return self.critic(rollout[:, None]).square().mean()

    def agent_reward(self, turn, transitions):
        return 2 * transitions


@pytest.mark.parametrize("solver", [None, Simultaneous()])
def test_an_agent_collects_once_a_turn_and_learns_what_the_game_says(solver):
    moves = 1 if solver else 3
    game = Imitate(moves)
    play(game, 2, solver=solver)
    assert game.agent.collected == 2
    assert game.seen == [1.0] * moves + [2.0] * moves
    assert game.agent.learned == [[2.0] * 4, [4.0] * 4]


def test_who_moves_after_the_agent_sees_what_it_learned_from():
    class After(Imitate):
        def __init__(self, moves):
            super().__init__(1)
            self.players = dict(reversed(self.players.items()))
            self.agent.moves = moves

    game = After(moves=1)
    play(game, 2)
    assert (game.agent.collected, game.seen) == (2, [1.0, 2.0])
    game = After(moves=2)
    play(game, 1)
    assert (game.agent.learned, game.seen) == ([[2.0] * 4, [4.0] * 4], [2.0])


def test_shared_work_that_calls_another_player_is_refused():
    class Wrong(Game):
        @shared(by="maker")
        def scores(self, turn):
            return self.critic(self.maker(turn.randn(4, 2)))

        def critic_loss(self, turn):
            return self.scores(turn).mean()

        maker_loss = critic_loss

    game = Wrong(critic=Player(nn.Linear(2, 1)), maker=Player(nn.Linear(2, 2)))
    with pytest.raises(RuntimeError, match="scores is shared by 'maker' but calls player 'critic'"):
        Trainer(1, accelerator="cpu").fit(game)


def test_bare_shared_is_work_that_depends_on_nobody():
    class Noise(Game):
        @shared
        def noise(self, turn):
            return turn.randn(4, 2)

        def one_loss(self, turn):
            turn.log("one/noise", self.noise(turn).sum())
            return self.one(self.noise(turn)).mean()

        def two_loss(self, turn):
            turn.log("two/noise", self.noise(turn).sum())
            return self.two(self.noise(turn)).mean()

    seen = []

    class Watch(Observer):
        def turn_ended(self, trainer, figures):
            seen.append((figures["one/noise"], figures["two/noise"]))

    game = Noise(one=Player(nn.Linear(2, 1)), two=Player(nn.Linear(2, 1)))
    Trainer(1, accelerator="cpu", observers=[Watch()]).fit(game)
    assert seen[0][0] == seen[0][1]


def test_a_player_without_a_wish_and_a_loss_that_is_no_number_are_said():
    class Typo(Game):
        def critic_los(self, turn):
            return self.critic(turn.randn(4, 2)).mean()

    with pytest.raises(
        ValueError, match=r"no critic_loss for player 'critic'\. Did you mean 'crit"
    ):
        Typo(critic=Player(nn.Linear(2, 1)))

    class Wide(Game):
        def critic_loss(self, turn):
            return self.critic(turn.randn(4, 2))

    with pytest.raises(TypeError, match=r"'loss' of the loss of 'critic' is \[4, 1\]"):
        Trainer(1, accelerator="cpu").fit(Wide(critic=Player(nn.Linear(2, 1))))
