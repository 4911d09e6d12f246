"""VIME's sparse tasks as Gymnasium environments: their ids, and the two without MuJoCo.

Houthooft et al. 2016, "VIME: Variational Information Maximizing Exploration", section 3: rewards
that undirected exploration rarely finds. The time limit of every task is 500 steps, the
``max_path_length`` of the authors' published experiment. The bodies are Gymnasium's where it has
them, so results compare with the paper's in kind, not in number; each class says what differs.

The environments are exact functions of their seed and actions, so a run resumes by replay.
"""

from __future__ import annotations

from math import cos, sin
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.continuous_mountain_car import Continuous_MountainCarEnv

TIME_LIMIT = 500  # steps

_HERE = "gantools_vime.environments"
_MUJOCO = "gantools_vime.environments_mujoco"
_WITH_POSITION = {"exclude_current_positions_from_observation": False}
_BRIEF = {"frame_skip": 1}  # .01 s a step
_FROM_ABOVE = {"distance": 20.0, "azimuth": 90.0, "elevation": -90.0}

_TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "gantools/SparseMountainCar-v0": (f"{_HERE}:SparseMountainCar", {}),
    "gantools/SparseCartPoleSwingup-v0": (f"{_HERE}:SparseCartPoleSwingup", {}),
    "gantools/SparseHalfCheetah-v0": (
        f"{_MUJOCO}:SparseHalfCheetah",
        {**_WITH_POSITION, **_BRIEF},
    ),
    "gantools/SwimmerGather-v0": (
        f"{_MUJOCO}:SwimmerGather",
        {**_WITH_POSITION, "default_camera_config": _FROM_ABOVE},
    ),
}


def register() -> None:
    """Make the four ids known to ``gym.make``; calling it again changes nothing.

    ``gantools/SparseMountainCar-v0``, ``gantools/SparseCartPoleSwingup-v0``,
    ``gantools/SparseHalfCheetah-v0``, ``gantools/SwimmerGather-v0``. MuJoCo is imported when one
    of the last two is made.
    """
    for env_id, (entry_point, kwargs) in _TASKS.items():
        if env_id not in gym.registry:
            gym.register(env_id, entry_point, max_episode_steps=TIME_LIMIT, kwargs=kwargs)


class SparseMountainCar(Continuous_MountainCarEnv):
    """Gymnasium's MountainCarContinuous, with +1 for the step that reaches the goal and else 0.

    Actions cost nothing. Observations are (position, velocity); reaching position .45 terminates.
    The authors' car slides on a sine-shaped chain in Box2D instead.
    """

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Push with ``action`` [1] in [-1, 1]."""
        obs, _, terminated, truncated, info = super().step(action)
        return obs, float(terminated), terminated, truncated, info


class SparseCartPoleSwingup(gym.Env[np.ndarray, np.ndarray]):
    """Swing a hanging pole up by pushing its cart: +1 for every step that ends at cos θ > .8.

    The constants, ranges and start are those of rllab's ``cartpole_swingup_env`` and its model
    ``cartpole.xml.mako`` as VIME's ``cartpole_swingup_env_x`` uses them: a cart of 1 kg and, on it,
    a uniform bar of 1 m × .1 m and .1 kg, no friction, g = 10 m/s², a force of up to 10 N, .05 s a
    step. θ is 0 upright and grows as the pole leans to the right (+x). An episode terminates, with
    reward 0, at |x| > 3 m.

    Two things differ: the exact equations of motion are integrated (Runge–Kutta of order 4) where
    rllab had Box2D's solver of constraints, and the angle is observed by its cosine and sine.

    Actions are float32 [1] in [-1, 1], times 10 N (the authors normalise actions, too).
    Observations are float32 [5]: x (m), ẋ (m/s), cos θ, sin θ, θ̇ (rad/s).

    Attributes:
        state: x, ẋ, θ, θ̇ as float64 [4].
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012

    time_step = 0.05  # s
    max_force = 10.0  # N
    max_x = 3.0  # m
    gravity = 10.0  # m/s²
    total_mass = 1.0 + 0.1  # kg
    pole_length = 1.0  # m
    pole_moment = 0.1 * 0.5  # kg m: mass times the distance from the hinge to the centre
    pole_inertia = 0.1 * (1.0**2 + 0.1**2) / 12 + 0.1 * 0.5**2  # kg m², about the hinge

    start_low = np.array([-1, -2, np.pi - 1, -3])
    start_high = np.array([1, 2, np.pi + 1, 3])

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode
        self.action_space = spaces.Box(-1, 1, (1,), np.float32)
        bound = np.array([np.inf, np.inf, 1, 1, np.inf], np.float32)
        self.observation_space = spaces.Box(-bound, bound, dtype=np.float32)
        self.state = np.array([0, 0, np.pi, 0])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start near hanging: uniform in |x| < 1, |ẋ| < 2, |θ - π| < 1, |θ̇| < 3."""
        super().reset(seed=seed)
        self.state = self.np_random.uniform(self.start_low, self.start_high)
        return self._obs(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Push the cart with ``action`` [1] times 10 N for .05 s."""
        force = self.max_force * float(np.clip(action[0], -1, 1))
        h, s = self.time_step, self.state
        k1 = self._velocity(s, force)
        k2 = self._velocity(s + h / 2 * k1, force)
        k3 = self._velocity(s + h / 2 * k2, force)
        k4 = self._velocity(s + h * k3, force)
        self.state = s + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

        x, _, theta, _ = self.state
        terminated = bool(abs(x) > self.max_x)
        reward = float(cos(theta) > 0.8 and not terminated)
        return self._obs(), reward, terminated, False, {}

    def _velocity(self, state: np.ndarray, force: float) -> np.ndarray:
        """d/dt of the state: Newton's law for cart and pole together, then for the pole.

        M ẍ + p θ̈ cos θ = F + p θ̇² sin θ and J θ̈ + p ẍ cos θ = p g sin θ, with the pole's first
        and second moments p and J about the hinge (Florian 2007, "Correct equations for the
        dynamics of the cart-pole system", without friction).
        """
        _, x_dot, theta, theta_dot = state
        c, s = cos(theta), sin(theta)
        M, p, J = self.total_mass, self.pole_moment, self.pole_inertia
        push = (force + p * theta_dot**2 * s) / M
        theta_dot_dot = p * (self.gravity * s - c * push) / (J - (p * c) ** 2 / M)
        x_dot_dot = push - p * theta_dot_dot * c / M
        return np.array([x_dot, x_dot_dot, theta_dot, theta_dot_dot])

    def _obs(self) -> np.ndarray:
        x, x_dot, theta, theta_dot = self.state
        return np.array([x, x_dot, cos(theta), sin(theta), theta_dot], np.float32)

    def render(self) -> np.ndarray | None:
        """Draw cart, pole and track between its ends: uint8 [300, 700, 3]."""
        if self.render_mode is None:
            return None
        import pygame

        metre, ground = 100, 180  # in pixels
        picture = pygame.Surface((700, 300))
        picture.fill("white")
        x, _, theta, _ = self.state
        hinge = pygame.Vector2(350 + metre * x, ground - 30)
        tip = hinge + metre * self.pole_length * pygame.Vector2(sin(theta), -cos(theta))
        pygame.draw.line(picture, "gray", (50, ground), (650, ground), 3)
        for end in (50, 650):
            pygame.draw.line(picture, "firebrick", (end, ground - 20), (end, ground + 20), 3)
        pygame.draw.rect(picture, "black", (hinge.x - 40, ground - 30, 80, 30))
        colour = "forestgreen" if cos(theta) > 0.8 else "peru"
        pygame.draw.line(picture, colour, hinge, tip, 10)
        pygame.draw.circle(picture, "slategray", hinge, 6)
        return pygame.surfarray.array3d(picture).swapaxes(0, 1)
