"""Envpool's physics agree with ``gym.make`` step by step, so results carry over."""

from __future__ import annotations

import envpool
import gymnasium as gym
import numpy as np
import pytest


def put(env: gym.Env, obs: np.ndarray) -> None:
    """Put a plain environment into the state that an observation shows."""
    task, name = env.unwrapped, env.spec.name
    if hasattr(task, "set_state"):  # MuJoCo: the observation lacks the horizontal position only
        state = np.concatenate([[0.0], obs])
        task.set_state(state[: task.model.nq], state[task.model.nq :])
    elif name == "Acrobot":
        task.state = np.array([np.arctan2(obs[1], obs[0]), np.arctan2(obs[3], obs[2]), *obs[4:]])
    elif name == "Pendulum":
        task.state = np.array([np.arctan2(obs[1], obs[0]), obs[2]])
    else:
        task.state = np.array(obs)


@pytest.mark.parametrize(
    ("env_id", "every_step", "tolerance"),
    [
        ("Hopper-v5", False, 1e-12),
        ("Walker2d-v5", False, 1e-12),
        # A cheetah that tumbles for 1,000 steps is chaotic: one in the last bit grows. Put into
        # the same state before each step, the two agree in the result of every one.
        ("HalfCheetah-v5", True, 1e-10),
        ("CartPole-v1", False, 1e-6),  # envpool's observations of these are float32
        ("Acrobot-v1", False, 1e-6),
        ("MountainCar-v0", False, 1e-6),
        ("Pendulum-v1", False, 1e-6),
    ],
)
def test_envpool_agrees_with_gymnasium(env_id, every_step, tolerance):
    """One episode of random actions: to the end or, where nothing ends it, to the time limit."""
    pool = envpool.make_gymnasium(env_id, num_envs=1, seed=5)
    plain = gym.make(env_id)
    plain.reset(seed=0)
    plain.action_space.seed(0)
    obs = pool.reset()[0][0].astype(np.float64)
    put(plain, obs)
    ended = False
    while not ended:
        if every_step:
            put(plain, obs)
        action = plain.action_space.sample()
        pooled = pool.step(np.array([action]))
        stepped = plain.step(action)
        obs = pooled[0][0].astype(np.float64)
        np.testing.assert_allclose(obs, stepped[0], rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(pooled[1][0], stepped[1], atol=1e-6)  # rewards are float32
        assert (pooled[2][0], pooled[3][0]) == stepped[2:4]
        ended = stepped[2] or stepped[3]
