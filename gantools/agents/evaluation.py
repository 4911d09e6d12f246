"""Evaluation: whole episodes in plain ``gym.make``, scored by the task's own reward; films."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces

from gantools.agents.rollout import Transitions
from gantools.agents.worlds import make

FIRST_EVALUATION_SEED = 10_000_000


class Predictor(Protocol):
    """An SB3 model or policy, or what predicts as they do."""

    def predict(self, observation: np.ndarray, *, deterministic: bool) -> tuple[Any, Any]:
        """Return (action, state) for one observation [d]."""


Predict = Predictor | Callable[[np.ndarray], Any]
"""An SB3 model or policy, or a function from one observation float32 [d] to one action."""


class Episodes(NamedTuple):
    """What evaluation episodes gave."""

    returns: list[float]  # undiscounted sums of the task's own reward
    lengths: list[int]  # in steps
    seeds: list[int]  # that each episode was reset with


class Frame(NamedTuple):
    """One step of a played episode."""

    obs: np.ndarray  # float32 [d]
    action: np.ndarray  # as the environment got it, clipped to the box
    next_obs: np.ndarray  # float32 [d]
    reward: float
    terminated: bool


def evaluate(
    predict: Predict, env: str, episodes: int = 20, *, seed: int = 0, deterministic: bool = True
) -> Episodes:
    """Play whole episodes in plain ``gym.make``, one seed each, apart from all training seeds.

    Args:
        predict: an SB3 model or policy, or a function from an observation to an action.
        env: the environment, as ``worlds.resolve`` takes it.
        episodes: how many.
        seed: episode i is reset with ``10_000_000 + 1000 * seed + i``.
        deterministic: whether a model or policy acts by its mode rather than by drawing.
    """
    returns, lengths = [], []
    seeds = [FIRST_EVALUATION_SEED + 1000 * seed + i for i in range(episodes)]
    with make(env) as world:
        for episode_seed in seeds:
            frames = play(predict, world, seed=episode_seed, deterministic=deterministic)
            returns.append(sum(frame.reward for frame in frames))
            lengths.append(len(frames))
    return Episodes(returns, lengths, seeds)


def episode(
    predict: Predict, env: str, *, seed: int = 0, deterministic: bool = True
) -> Transitions:
    """Play the first episode that ``evaluate`` plays with this seed: its steps, flat [T]."""
    with make(env) as world:
        first = FIRST_EVALUATION_SEED + 1000 * seed
        frames = play(predict, world, seed=first, deterministic=deterministic)
    obs, action, next_obs, reward, terminated = (
        torch.from_numpy(np.stack(column)) for column in zip(*frames, strict=True)
    )
    truncated = torch.zeros_like(terminated)
    truncated[-1] = ~terminated[-1]
    return Transitions(obs, action, next_obs, reward.float(), terminated, truncated)


def play(
    predict: Predict,
    env: gym.Env,
    *,
    seed: int,
    deterministic: bool = True,
    watch: Callable[[], None] = lambda: None,
    limit: int = 10_000,
) -> list[Frame]:
    """Play one episode and return its steps.

    Args:
        predict: an SB3 model or policy, or a function from an observation to an action.
        env: an environment with flat observations, from ``worlds.make``.
        seed: the episode is reset with.
        deterministic: whether a model or policy acts by its mode rather than by drawing.
        watch: called after the reset and after every step, as a camera is.
        limit: at most so many steps, for environments without a time limit of their own.
    """
    space = env.action_space
    obs = env.reset(seed=seed)[0].astype(np.float32)
    frames: list[Frame] = []
    ended = False
    watch()
    while not ended and len(frames) < limit:
        if hasattr(predict, "predict"):
            action = predict.predict(obs, deterministic=deterministic)[0]
        else:
            action = predict(obs)
        if isinstance(space, spaces.Box):
            action = np.clip(np.asarray(action, np.float32), space.low, space.high)
        else:
            action = np.int64(action)
        raw, reward, terminated, truncated, _ = env.step(action)
        next_obs = raw.astype(np.float32)
        frames.append(Frame(obs, action, next_obs, float(reward), bool(terminated)))
        obs, ended = next_obs, terminated or truncated
        watch()
    return frames
