"""The game against closed forms: what is paid, what the pool holds, when the model moves."""

from __future__ import annotations

import pytest
import torch
from gantools_vime.application import Exploration
from gantools_vime.bonuses import L2, Normalizer
from gantools_vime.config import VIMEConfig
from gantools_vime.game import ExplorationGame
from torch.testing import assert_close

from gantools import Setting, Trainer, Turn
from gantools.parts import bind, parse

COUNTING = "gantools-vime-tests/Counting-v0"


class Watched(L2):
    """A bonus that notes what it is asked; the surprise of a step is the square of its next_obs."""

    def __init__(self, observations, actions, k=1):
        super().__init__(observations, actions)
        self.k, self.asked = k, []

    def update_statistics(self, obs, action, next_obs):
        self.asked.append(("statistics", len(obs)))

    def loss(self, obs, action, next_obs, size, generator=None):
        self.asked.append(("loss", len(obs), size))
        return super().loss(obs, action, next_obs, size, generator)

    def score(self, obs, action, next_obs):
        self.asked.append(("score", len(obs)))
        return self.k * next_obs[:, 0].square()


def setting(made) -> Setting:
    return Setting(parts=lambda kind, text: bind(kind, parse(text), made))


def build(small, made=Watched, **options) -> ExplorationGame:
    torch.manual_seed(0)
    config = VIMEConfig(**{**small, "env": COUNTING, "drawn": "0,0", **options})
    return Exploration(config).build(setting(made))[0]


def play(game: ExplorationGame, turns: int) -> Trainer:
    trainer = Trainer(turns, accelerator="cpu", threads=1)
    trainer.fit(game)
    return trainer


def a_turn() -> Turn:
    return Turn(0, 1, torch.device("cpu"), torch.Generator().manual_seed(0))


def test_the_pool_has_each_rollout_once_and_in_order(small):
    game = build(small, steps=96)
    seen, collect = [], game.policy.collect

    def collecting(turn=None):
        seen.append(collect(turn))
        return seen[-1]

    game.policy.collect = collecting
    play(game, 3)
    assert len(seen) == 3
    assert len(game.pool) == 3 * 2 * 16
    expected = torch.cat([torch.cat(game.columns(rollout), 1) for rollout in seen])
    assert torch.equal(game.pool.state_dict()["rows"], expected)
    assert torch.equal(game.visited(), expected[:, :1])


def test_a_full_pool_is_read_oldest_first(small):
    game = build(small, pool=5)
    rollout = game.policy.rollout(turn := a_turn())[:4]  # 8 steps
    game.policy_reward(turn, rollout)
    assert torch.equal(game.visited(), rollout.flatten().obs[-5:])


def test_successors_are_true_where_episodes_end(small):
    game = build(small)
    play(game, 2)
    obs, action, next_obs = game.pool.state_dict()["rows"].split([1, 3, 1], 1)
    assert torch.equal(next_obs, obs + 1)  # never the next episode's 0
    assert set(next_obs[:, 0].tolist()) == {1, 2, 3, 4, 5}  # 5 is where the time limit cuts
    assert torch.equal(action.sum(1), torch.ones(len(action)))  # one-hot


def test_the_reward_is_the_task_s_and_the_bonus_by_hand(small):
    game = build(small, eta=0.25, cap=3)
    turn = a_turn()
    rollout = game.policy.rollout(turn)
    terms = game.policy_reward(turn, rollout)
    surprise = rollout.next_obs[..., 0] ** 2
    assert torch.equal(terms["task"], rollout.reward)
    ratio = surprise / surprise.flatten().quantile(0.5)
    assert ratio.max() > 3
    assert_close(terms["bonus"], 0.25 * ratio.clamp(max=3))
    assert rollout.reward.sum() > 0


def test_the_policy_moves_before_the_model_and_the_model_sits_out_a_small_pool(small):
    game = build(small, pool_ready=40, model_moves=3, model_batch=7)
    play(game, 2)  # 32 steps a turn: the model first moves in the second
    losses = [("loss", 7, 64)] * 3
    first = [("statistics", 32), ("score", 32)]
    assert game.model.asked == [*first, *first, *losses]


def test_without_a_bonus_there_is_no_model(small):
    from gantools.agents.bonuses import none

    game = build(small, none, bonus="none")
    trainer = play(game, 2)
    assert list(game.players) == ["policy"]
    assert len(game.pool) == 64
    turn = a_turn()
    rollout = game.policy.rollout(turn)
    assert game.policy_reward(turn, rollout).keys() == {"task"}
    assert trainer.turn == 2


def test_a_bonus_takes_values(small):
    assert build(small, bonus="mine:k=3").model.k == 3


def test_pool_and_normaliser_are_in_the_game_s_state(small):
    game, other = build(small), build(small)
    play(game, 2)
    assert len(game.normalizer.medians) == 2
    state = game.state_dict()
    other.load_state_dict(state)
    assert torch.equal(other.visited(), game.visited())
    assert other.normalizer.state_dict() == game.normalizer.state_dict()
    assert isinstance(other.normalizer, Normalizer)


def test_the_pool_is_no_larger_than_the_training(small):
    assert build(small).pool.capacity == 64
    assert build(small, pool=10).pool.capacity == 10


@pytest.mark.parametrize("algorithm", ["ppo", "trpo"])
def test_either_algorithm_learns_from_task_and_bonus(small, algorithm):
    game = build(small, algorithm=algorithm)
    before = [p.clone() for p in game.policy.model.policy.parameters()]
    play(game, 2)
    after = list(game.policy.model.policy.parameters())
    assert any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
