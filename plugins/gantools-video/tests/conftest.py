"""What the tests share: a cache of their own, a folder of videos, an environment that adds up."""

from __future__ import annotations

import os
import tempfile

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from gantools.media import write_video

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GANTOOLS_CACHE", tempfile.mkdtemp(prefix="gantools-"))


def draw(frames: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """A bright square that goes to the right and back on a dark ramp, uint8 [H, W, 3]."""
    ground = (
        np.linspace(20, 80, width, dtype=np.uint8)[None, :, None].repeat(height, 0).repeat(3, 2)
    )
    film = []
    for t in range(frames):
        frame = ground.copy()
        x = abs((2 * t) % (2 * (width - 16)) - (width - 16))
        frame[12:28, x : x + 16] = (220, 180, 40)
        film.append(frame)
    return film


@pytest.fixture(scope="session")
def drawn():
    """Draws a film of so many frames, of a height and a width."""
    return draw


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder of two videos."""
    folder = tmp_path_factory.mktemp("clips")
    write_video(folder / "one.mp4", draw(60), 25)
    write_video(folder / "two.mp4", draw(50, 64, 48), 30)
    return folder


class Sum(gym.Env):
    """Shows the sum of all actions: on the left half of its centre square the grey level 128 +
    ``contrast`` · sum; the right half is black, and what is cut off white."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012
    observation_space = spaces.Box(-1, 1, (1,))

    def __init__(self, render_mode=None, contrast=10, length=12, actions=None):
        self.render_mode, self.contrast, self.length = render_mode, contrast, length
        self.action_space = spaces.Discrete(3, start=-1) if actions is None else actions

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.sum, self.steps = 0.0, 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.sum, self.steps = self.sum + float(np.ravel(action)[0]), self.steps + 1
        return np.zeros(1, np.float32), 0.0, self.steps == self.length, False, {}

    def render(self):
        picture = np.zeros((16, 24, 3), np.uint8)
        picture[:, :4] = picture[:, -4:] = 255
        picture[:, 4:12] = round(128 + self.contrast * self.sum)
        return picture


class Blind(Sum):
    """Cannot draw itself."""

    metadata = {"render_modes": ["human"]}  # noqa: RUF012


class Torn(Sum):
    """Fails to."""

    def render(self):
        raise RuntimeError("no display")


BOX = spaces.Box(np.float32([-2, 0, -np.inf]), np.float32([2, 1, np.inf]))
for name, kind, asked in [
    ("Sum", Sum, {}),
    ("Odd", Sum, {"length": 11}),
    ("Bold", Sum, {"contrast": 16, "length": 7}),
    ("Faint", Sum, {"contrast": 1}),
    ("Boxed", Sum, {"contrast": 4, "actions": BOX}),
    ("Several", Sum, {"actions": spaces.MultiDiscrete([2, 2])}),
    ("Blind", Blind, {}),
    ("Torn", Torn, {}),
]:
    gym.register(f"{name}-v0", kind, kwargs=asked, disable_env_checker=True)
