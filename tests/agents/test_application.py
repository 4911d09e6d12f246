"""What applications with an agent share."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.envs.classic_control import CartPoleEnv

from gantools import Section, UserError
from gantools.agents import (
    AgentApplication,
    AgentConfig,
    OffPolicyAgent,
    OnPolicyAgent,
    discrete_actions,
    episode,
    evaluate,
    resolve,
)


class Application(AgentApplication[AgentConfig]):
    def build(self, setting):
        raise NotImplementedError

    def evaluate(self, trained):
        raise NotImplementedError


def application(**options) -> Application:
    return Application(AgentConfig(**{"env": "CartPole-v1", "episodes": 2, **options}))


def test_a_light_module_may_import_the_options():
    code = "import sys; from gantools.agents import AgentConfig; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_every_name_is_there():
    import gantools.agents

    assert all(getattr(gantools.agents, name) for name in gantools.agents.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gantools.agents.nothing


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        ({"environments": 3}, 3 * 128),
        ({"environments": 3, "rollout": 10}, 30),
        ({"environments": 3, "algorithm": "sac", "env": "Pendulum-v1"}, 12),
    ],
)
def test_a_turn_is_a_rollout_of_all_copies(options, steps):
    made = application(**options)
    assert made.steps_per_turn == steps
    agent = made.agent()
    agent.collect()
    assert agent.steps == steps


def test_the_agent_is_what_was_asked_for():
    agent = application(gamma=0.9, epochs=3, seed=4).agent(normalize_observations=True)
    model = agent.model
    assert isinstance(agent, OnPolicyAgent)
    assert (model.gamma, model.n_epochs, model.ent_coef) == (0.9, 3, 0.01)
    assert model.lr_schedule(1.0) == 1e-3  # discrete actions
    assert model.lr_schedule(0.5) == 5e-4
    agent = application(env="Pendulum-v1", algorithm="sac", policy_lr=0.1).agent()
    assert isinstance(agent, OffPolicyAgent)
    assert agent.model.lr_schedule(0.5) == 0.1


def test_what_an_algorithm_has_no_use_for_is_refused():
    with pytest.raises(UserError, match=r"--epochs is for ppo: trpo has no use for it\."):
        application(algorithm="trpo", epochs=3)
    with pytest.raises(UserError, match="leave --devices at 1"):
        application(devices=2)


def test_chance_is_the_same_each_time():
    made = application()
    assert made.played_at_random() == made.played_at_random()
    assert len(made.played_at_random().returns) == 2


def left(obs: np.ndarray) -> int:
    return 0


def test_an_episode_is_the_first_that_is_evaluated():
    steps = episode(left, "CartPole-v1", seed=3)
    played = evaluate(left, "CartPole-v1", 1, seed=3)
    assert len(steps) == played.lengths[0]
    assert steps.reward.sum() == played.returns[0]
    assert torch.equal(steps.next_obs[:-1], steps.obs[1:])
    assert steps.action.dtype == torch.int64
    assert steps.terminated.tolist() == [False] * (len(steps) - 1) + [True]
    assert not steps.truncated.any()
    cut = episode(lambda obs: np.zeros(1), "Pendulum-v1")
    assert len(cut) == 200
    assert cut.truncated[-1]
    assert not cut.terminated.any()


def test_discrete_actions_are_counted():
    assert discrete_actions(spaces.Discrete(3)) == 3
    assert discrete_actions(spaces.Box(-1, 1, (2,))) is None


def test_a_bare_name_is_found_in_the_only_namespace_that_has_it():
    gym.register("one/Lonely-v2", CartPoleEnv)
    gym.register("one/Twin-v0", CartPoleEnv)
    gym.register("two/Twin-v0", CartPoleEnv)
    assert resolve("Lonely") == "one/Lonely-v2"
    assert resolve("one/Lonely") == "one/Lonely-v2"
    with pytest.raises(UserError, match="Unknown environment 'Twin'"):
        resolve("Twin")
    assert resolve("CartPole") == "CartPole-v1"  # though other namespaces have one too


def test_no_film_is_said_in_the_report(tmp_path, monkeypatch):
    from types import SimpleNamespace

    import gantools.agents.application as module

    def blind(*arguments, **options):
        raise UserError("no graphics.")

    monkeypatch.setattr(module, "record", blind)
    trained = SimpleNamespace(
        game=SimpleNamespace(policy=SimpleNamespace(model=None)),
        run=SimpleNamespace(samples=tmp_path),
    )
    film, policy = application(algorithm="trpo").report(trained)
    assert film == Section("An episode", text="No film: no graphics.")
    assert "from sb3_contrib import TRPO; TRPO.load('policy.zip')" in policy.text
