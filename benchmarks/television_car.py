"""The sparse mountain car with a noisy television: ``--env television_car:TelevisionCar-v0``."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gantools_vime.environments import TIME_LIMIT, SparseMountainCar
from gymnasium import spaces


class TelevisionCar(SparseMountainCar):
    """A third observation shows anything, U(−1, 1), after every step with a positive second action,
    and else what it showed before. Reward and time limit are the sparse mountain car's."""

    def __init__(self, render_mode: str | None = None) -> None:
        super().__init__(render_mode=render_mode)
        self.action_space = spaces.Box(-1, 1, (2,), np.float32)
        low, high = (np.append(b, s) for b, s in ((self.low_state, -1), (self.high_state, 1)))
        self.observation_space = spaces.Box(low.astype(np.float32), high.astype(np.float32))
        self.shown = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start as the mountain car does, the television dark."""
        obs, info = super().reset(seed=seed, options=options)
        self.shown = 0.0
        return np.append(obs, self.shown).astype(np.float32), info

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Push with the first action; the second switches the channel."""
        obs, *rest = super().step(action[:1])
        if action[1] > 0:
            self.shown = float(self.np_random.uniform(-1, 1))
        return np.append(obs, self.shown).astype(np.float32), *rest


gym.register("TelevisionCar-v0", TelevisionCar, max_episode_steps=TIME_LIMIT)
