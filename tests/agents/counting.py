"""A task with known answers, registered as ``counting:Counting-v0`` when this is imported."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium import spaces

LIMIT = 5


class Counting(gym.Env):
    """Observes (episode, step); each step is worth its number; action 1 terminates."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, noise: float = 0.0) -> None:
        self.noise = noise  # of the operating system's randomness: not reproducible
        self.episode = -1

    def _obs(self) -> np.ndarray:
        unseeded = np.random.default_rng().normal() * self.noise
        return np.array([self.episode + unseeded, self.count])

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode += 1
        self.count = 0
        return self._obs(), {}

    def step(self, action):
        self.count += 1
        return self._obs(), float(self.count), bool(action == 1), False, {}


class Clock(gym.Env):
    """Observes which of 4 hours it is; never ends by itself."""

    observation_space = spaces.Discrete(4)
    action_space = spaces.Box(-2, 2, (1,))

    def reset(self, *, seed=None, options=None):
        self.hour = 0
        return self.hour, {}

    def step(self, action):
        self.hour = (self.hour + 1) % 4
        return self.hour, float(action[0]), False, False, {}


class Matrix(Clock):
    """Has actions that nothing here can give."""

    action_space = spaces.MultiDiscrete([2, 2])


gym.register("Counting-v0", Counting, max_episode_steps=LIMIT)
gym.register("Clock-v0", Clock)
gym.register("Clock-v2", Clock)
gym.register("Matrix-v0", Matrix)
