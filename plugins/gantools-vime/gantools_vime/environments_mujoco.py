"""VIME's sparse tasks on MuJoCo bodies: a running cheetah, and a swimmer that gathers apples."""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np
from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
from gymnasium.envs.mujoco.swimmer_v5 import SwimmerEnv
from gymnasium.spaces import Box, flatdim


class SparseHalfCheetah(HalfCheetahEnv):
    """Gymnasium's HalfCheetah, with +1 for every step that ends at x > 5 m and else 0.

    It takes the arguments of HalfCheetah-v5; the registered id includes x in the observations,
    float64 [18], and takes steps of .01 s as rllab does, so that an episode is 5 s long; with
    Gymnasium's own ``frame_skip=5`` it is 25 s, and luck finds the reward. Actions cost nothing and
    nothing terminates. Houthooft et al. 2016, section 3.
    """

    def step(self, action: np.ndarray) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """Act with the six torques ``action`` [6] in [-1, 1]."""
        obs, _, terminated, truncated, info = super().step(action)
        return obs, float(self.data.qpos[0] > 5), terminated, truncated, info


APPLES = BOMBS = 8
BINS = 10
SENSOR_RANGE = 6.0  # m
SENSOR_SPAN = np.pi  # rad
CATCH_RANGE = 1.0  # m

_grid = np.stack(np.meshgrid(np.arange(-6, 7, 2.0), np.arange(-6, 7, 2.0)), -1).reshape(-1, 2)
PLACES = _grid[_grid.any(1)]  # [48, 2], m
WORTH = np.repeat([1.0, -1.0], [APPLES, BOMBS])


def sense(offsets: np.ndarray, heading: float) -> np.ndarray:
    """Return what a sensor with 10 bins over the half plane ahead reads of some objects.

    A bin's reading is 1 - distance / 6 m of the nearest object in its direction, 0 if there is
    none within 6 m (Duan et al. 2016, "Benchmarking deep reinforcement learning for continuous
    control", section 3.4; rllab's ``gather_env``).

    Args:
        offsets: from the sensor to the objects, float [n, 2] in m.
        heading: where the sensor looks, in rad from the x axis, counter-clockwise.

    Returns:
        float [10] in [0, 1]; bin 0 is furthest to the right.
    """
    distance = np.hypot(*offsets.T)
    angle = np.arctan2(offsets[:, 1], offsets[:, 0]) - heading
    angle = (angle + np.pi) % (2 * np.pi) - np.pi
    seen = (distance <= SENSOR_RANGE) & (abs(angle) <= SENSOR_SPAN / 2)
    bins = (angle[seen] / SENSOR_SPAN + 0.5) * BINS
    readings = np.zeros(BINS)
    np.maximum.at(
        readings, np.minimum(bins.astype(int), BINS - 1), 1 - distance[seen] / SENSOR_RANGE
    )
    return readings


class SwimmerGather(SwimmerEnv):
    """Gymnasium's Swimmer among 8 apples, +1 each, and 8 bombs, -1 each; nothing else counts.

    Whatever the swimmer's centre of mass comes nearer to than 1 m is caught, once. The 16 lie at
    different random places of the grid {-6, -4, …, 6}² m without the origin, where the swimmer
    starts. An episode terminates when all are caught. Duan et al. 2016, section 3.4, as in rllab's
    ``gather_env``, except that its grid ends at +4 m; its swimmer has no armature, smaller
    torques and .05 s a step, this one's are .04 s. There are no walls: in rllab's model the
    swimmer collides with nothing either.

    It takes the arguments of Swimmer-v5. Observations are the swimmer's own (float64 [10] with the
    position, as the registered id has it: x, y, heading, two joint angles, and their velocities)
    and the readings of ``sense`` for apples [10] and bombs [10], from the centre of mass along the
    front link. Actions are two torques in [-1, 1].

    ``info`` counts the ``apples`` and ``bombs`` caught in the step. Without a ``camera_id`` of
    its own the registered id draws the whole square from above.

    Attributes:
        places: of the objects, float [16, 2] in m, apples first.
        left: which are not caught yet, bool [16].
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        size = flatdim(self.observation_space) + 2 * BINS
        self.observation_space = Box(-np.inf, np.inf, (size,), np.float64)
        self.places = PLACES[: APPLES + BOMBS]
        self.left = np.ones(APPLES + BOMBS, bool)

    def reset_model(self) -> np.ndarray:
        """Lay the objects out anew, then place the swimmer as Swimmer-v5 does."""
        self.places = self.np_random.choice(PLACES, APPLES + BOMBS, replace=False)
        self.left = np.ones(APPLES + BOMBS, bool)
        return super().reset_model()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, Any, bool, bool, dict[str, Any]]:
        """Act with the torques ``action`` [2] in [-1, 1] and catch what is near."""
        self.do_simulation(action, self.frame_skip)
        caught = self.left & (np.hypot(*self._offsets().T) < CATCH_RANGE)
        self.left &= ~caught
        reward = float(WORTH[caught].sum())
        info = {"apples": int(caught[:APPLES].sum()), "bombs": int(caught[APPLES:].sum())}
        if self.render_mode == "human":
            self.render()
        return self._get_obs(), reward, not self.left.any(), False, info

    def render(self) -> Any:
        """Draw the swimmer and what is not caught yet: apples green, bombs red."""
        if self.mujoco_renderer.viewer is None:
            super().render()  # makes the viewer
        viewer: Any = self.mujoco_renderer.viewer
        for place, worth in zip(self.places[self.left], WORTH[self.left], strict=True):
            viewer.add_marker(
                type=mujoco.mjtGeom.mjGEOM_SPHERE,
                size=np.full(3, 0.4),
                pos=np.array([*place, 0.3]),
                rgba=np.array([0, 0.7, 0, 1] if worth > 0 else [0.8, 0, 0, 1]),
            )
        return super().render()

    def _offsets(self) -> np.ndarray:
        """From the swimmer's centre of mass to the objects [16, 2]."""
        return self.places - self.data.body("torso").subtree_com[:2]

    def _get_obs(self) -> np.ndarray:
        offsets, heading = self._offsets(), self.data.qpos[2]
        apples, bombs = (
            sense(offsets[kind][self.left[kind]], heading)
            for kind in (slice(APPLES), slice(APPLES, None))
        )
        return np.concatenate([super()._get_obs(), apples, bombs])
