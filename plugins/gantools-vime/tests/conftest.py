"""What VIME's tests share: small settings, a world whose steps are known, and the program."""

from __future__ import annotations

import os
import tempfile

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GANTOOLS_CACHE", tempfile.mkdtemp(prefix="gantools-"))


class Counting(gym.Env):
    """Observes how many steps its episode has; odd episodes terminate after 3, others after 5 are
    cut by the time limit. No step is worth anything but the last of those that terminate."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = spaces.Box(0, 100, (1,), np.float32)
    action_space = spaces.Discrete(3)

    def __init__(self, render_mode=None) -> None:
        self.episode = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode += 1
        self.count = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.count += 1
        ended = self.episode % 2 == 1 and self.count == 3
        return np.full(1, self.count, np.float32), float(ended), ended, False, {}


class Buttons(Counting):
    """Its actions are not supported."""

    action_space = spaces.MultiBinary(2)


class Words(Counting):
    """Its observations are not supported."""

    observation_space = spaces.Sequence(spaces.Discrete(2))


for kind in (Counting, Buttons, Words):
    gym.register(f"gantools-vime-tests/{kind.__name__}-v0", kind, max_episode_steps=5)


@pytest.fixture(scope="session")
def small() -> dict[str, object]:
    """Options of a training of two small turns."""
    return {
        "env": "SparseMountainCar",
        "steps": 64,
        "environments": 2,
        "rollout": 16,
        "model_moves": 2,
        "model_batch": 16,
        "pool_ready": 40,
        "episodes": 2,
        "evaluate_every": 0,
    }
