"""The wrapper of stable-baselines3's environments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gantools_vime.bonuses import L2
from gantools_vime.wrapper import VIMEBonus
from gymnasium import spaces
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from torch.testing import assert_close

from gantools import UserError

COUNTING = "gantools-vime-tests/Counting-v0"


class Squares(L2):
    """The surprise of a step is the square of its next_obs."""

    def score(self, obs, action, next_obs):
        return next_obs[:, 0].square()


def test_rewards_are_the_task_s_and_the_bonus_by_hand():
    env = VIMEBonus(make_vec_env(COUNTING, 2), 0.5, Squares, cap=9, rollout=8, moves=1)
    env.reset()
    steps = [env.step(np.array([0, 2])) for _ in range(10)]
    rewards = [rewards.tolist() for _, rewards, _, _ in steps]
    # Steps 1, 2, 3 of the first episode, which terminates and pays 1; then 1, 2, 3, 4, 5 of the
    # second, which is cut. The median of 1 4 9 1 (of each copy) is 2.5, so that 25 is 10 and capped.
    assert rewards[:4] == [[0, 0], [0, 0], [1, 1], [0, 0]]
    assert_close(torch.tensor(rewards[4:8])[:, 0], 0.5 * torch.tensor([1.6, 3.6, 6.4, 9]))
    returns = [info[0]["episode"]["r"] for *_, info in steps if "episode" in info[0]]
    assert returns == [1, 0]  # the Monitor inside sees no bonus


def test_the_pool_has_every_step_with_its_true_successor():
    env = VIMEBonus(make_vec_env(COUNTING, 2), rollout=8, moves=1)
    env.reset()
    for _ in range(8):
        env.step(np.array([1, 2]))
    obs, action, next_obs = env.pool.state_dict()["rows"].split([1, 3, 1], 1)
    assert torch.equal(next_obs, obs + 1)
    assert next_obs[::2, 0].tolist() == [1, 2, 3, 1, 2, 3, 4, 5]
    assert action[:2].tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_any_algorithm_trains_in_it(algorithm):
    options = {"n_steps": 16} if algorithm is PPO else {"learning_starts": 8}
    env = VIMEBonus(make_vec_env("CartPole-v1", 2, seed=0), rollout=16, moves=2, batch=8)
    before = [p.clone() for p in env.model.parameters()]
    algorithm("MlpPolicy", env, **options).learn(64)
    assert len(env.pool) == 64
    assert any(not torch.equal(a, b) for a, b in zip(before, env.model.parameters(), strict=True))


def test_it_draws_nothing_from_torch_s_own_generator():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    env = VIMEBonus(make_vec_env(COUNTING, 1), rollout=2, moves=1)
    env.reset()
    for _ in range(4):
        env.step(np.array([0]))
    assert torch.equal(torch.rand(3), expected)


def test_what_it_does_not_support_is_one_sentence():
    with pytest.raises(UserError, match="η is what surprise is worth"):
        VIMEBonus(make_vec_env(COUNTING, 1), -1.0)
    with pytest.raises(UserError, match="sees Box observations"):
        VIMEBonus(make_vec_env("FrozenLake-v1", 1))
    env = make_vec_env(COUNTING, 1)
    env.action_space = spaces.MultiBinary(2)
    with pytest.raises(UserError, match="Discrete and flat Box actions"):
        VIMEBonus(env)
