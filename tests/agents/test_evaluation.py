"""Evaluation episodes and films."""

from __future__ import annotations

import os

import av
import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from gantools.agents.evaluation import evaluate
from gantools.agents.film import _aim, record
from gantools.agents.worlds import FIRST_TRAINING_SEED, make
from gantools.errors import UserError

COUNTING = "counting:Counting-v0"


class Painter(gym.Env):
    """Draws itself ever brighter, for 12 steps at 100 frames a second."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 100}  # noqa: RUF012
    observation_space = spaces.Box(0, 12, (1,))
    action_space = spaces.Discrete(2)

    def __init__(self, render_mode=None, broken=False):
        self.render_mode = render_mode
        self.broken = broken

    def reset(self, *, seed=None, options=None):
        self.step_number = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.step_number += 1
        return np.full(1, self.step_number, np.float32), 1.0, self.step_number == 12, False, {}

    def render(self):
        if self.broken:
            raise RuntimeError("no graphics")
        return np.full((33, 51, 3), 20 * self.step_number, np.uint8)


gym.register("Painter-v0", Painter)


def test_evaluation_plays_whole_episodes_with_known_seeds():
    played = evaluate(lambda obs: int(obs[1] == 2), COUNTING, episodes=3, seed=4)
    assert played.returns == [6, 6, 6]
    assert played.lengths == [3, 3, 3]
    assert played.seeds == [10_004_000, 10_004_001, 10_004_002]
    assert max(played.seeds) < FIRST_TRAINING_SEED


def test_evaluation_repeats_itself_and_clips_actions():
    def predict(obs):
        return np.array([obs[0] * 100])

    first, again = (evaluate(predict, "Pendulum", episodes=2) for _ in range(2))
    assert first == again
    assert first.returns[0] != first.returns[1]
    assert evaluate(lambda obs: np.clip(predict(obs), -2, 2), "Pendulum", episodes=2) == first


def test_a_predictor_is_told_whether_to_draw():
    class Model:
        def predict(self, obs, *, deterministic):
            return np.array(int(deterministic)), None

    assert evaluate(Model(), COUNTING, 1).lengths == [1]
    assert evaluate(Model(), COUNTING, 1, deterministic=False).lengths == [5]


@pytest.mark.parametrize(("suffix", "rate", "frames"), [(".mp4", 50, 7), (".gif", 25, 4)])
def test_films_run_in_real_time(suffix, rate, frames, tmp_path):
    path = tmp_path / f"film{suffix}"
    assert record(lambda obs: 0, "Painter", path) == 12
    assert os.listdir(tmp_path) == [path.name]
    with av.open(path) as film:
        assert film.streams.video[0].average_rate == rate
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert len(pictures) == frames
    assert pictures[-1].mean() > pictures[0].mean() + 100
    assert pictures[0].shape == ((32, 50, 3) if suffix == ".mp4" else (33, 51, 3))


def test_films_that_cannot_be_made_leave_the_old_one(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_text("a good one")
    for env, options, said in (
        (COUNTING, {}, "counting:Counting-v0|not rgb_array"),
        ("Painter", {"broken": True}, "no graphics.*MUJOCO_GL=osmesa"),
    ):
        with pytest.raises(UserError, match=said):
            record(lambda obs: 0, env, path, **options)
    with pytest.raises(ZeroDivisionError):
        record(lambda obs: 1 // 0, "Painter", path)
    assert path.read_text() == "a good one"
    assert os.listdir(tmp_path) == ["film.mp4"]
    with pytest.raises(UserError, match=r"ends in \.mp4 or \.gif"):
        record(lambda obs: 0, "Painter", tmp_path / "film.avi")


def test_mujocos_camera_follows_the_robot_unless_told_otherwise():
    for follow, camera in ((True, "track"), (False, None)):
        world = make("Hopper", render_mode="rgb_array")
        _aim(world, follow=follow)
        renderer = world.unwrapped.mujoco_renderer
        name = renderer.model.camera(renderer.camera_id).name if renderer.camera_id >= 0 else None
        assert name == camera
