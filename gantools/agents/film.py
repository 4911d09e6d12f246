"""Film an episode of a policy: .mp4 (H.264) or .gif."""

from __future__ import annotations

import ctypes.util
import itertools
import math
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from gantools.agents.evaluation import FIRST_EVALUATION_SEED, Predict, play
from gantools.agents.worlds import make
from gantools.errors import UserError
from gantools.media import video

FPS, GIF_FPS = 50, 25
"""Frames a second at most; faster tasks have frames left out, and still run in real time."""


def record(
    predict: Predict,
    env: str,
    path: Path | str,
    *,
    seed: int = 0,
    deterministic: bool = True,
    **env_kwargs: Any,
) -> float:
    """Film one evaluation episode in real time.

    Args:
        predict: an SB3 model or policy, or a function from an observation to an action.
        env: the environment, as ``worlds.resolve`` takes it.
        path: where to write; the suffix, .mp4 or .gif, says what.
        seed: the episode is the first that ``evaluate`` plays with this seed.
        deterministic: whether a model or policy acts by its mode rather than by drawing.
        env_kwargs: passed to ``gym.make``, such as ``width`` and ``height`` in pixels.

    Returns:
        The episode's return, by the task's own reward.

    Raises:
        UserError: unknown suffix, or the environment cannot draw itself here.
    """
    path = Path(path)
    _draw_off_screen()
    with make(env, render_mode="rgb_array", **env_kwargs) as world:
        _aim(world, follow=not {"camera_id", "camera_name"} & env_kwargs.keys())
        _draw_once(world, env)
        fps = world.metadata.get("render_fps", 30)
        every = math.ceil(fps / (GIF_FPS if path.suffix == ".gif" else FPS))
        steps = itertools.count()
        with video(path, Fraction(fps) / every) as add:

            def watch() -> None:
                if next(steps) % every == 0:
                    add(np.asarray(world.render()))

            first = FIRST_EVALUATION_SEED + 1000 * seed
            episode = play(predict, world, seed=first, deterministic=deterministic, watch=watch)
    return sum(frame.reward for frame in episode)


def _aim(world: gym.Env, *, follow: bool) -> None:
    """Let MuJoCo's camera follow the robot, and draw without what software rendering is slow at.

    Gymnasium's default camera stands still, and a runner leaves the picture within 3 seconds.
    """
    renderer = getattr(world.unwrapped, "mujoco_renderer", None)
    if renderer is None:
        return
    cameras = [renderer.model.camera(i).name for i in range(renderer.model.ncam)]
    if follow and "track" in cameras:
        renderer.camera_id = cameras.index("track")
    renderer.model.vis.quality.shadowsize = 512
    renderer.model.vis.quality.offsamples = 0


def _draw_off_screen() -> None:
    """On a Linux without a display, let MuJoCo and pygame draw off-screen, unless told how."""
    headless = not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform != "linux" or not headless:
        return
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
    if "MUJOCO_GL" in os.environ:
        return
    for name, library in (("egl", "EGL"), ("osmesa", "OSMesa")):
        if ctypes.util.find_library(library):
            os.environ["MUJOCO_GL"] = name
            return


def _draw_once(world: gym.Env, env: str) -> None:
    """Try it.

    Raises:
        UserError: the environment cannot draw itself here.
    """
    modes = world.metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        raise UserError(f"{env} cannot be filmed: it draws as {modes}, not rgb_array.")
    world.reset(seed=0)
    try:
        world.render()
    except gym.error.DependencyNotInstalled as error:
        raise UserError(f"{env} cannot be filmed here: {error}") from error
    except Exception as error:  # graphics libraries fail in as many ways as there are
        raise UserError(
            f"{env} cannot be filmed here ({error}): run 'apt install libegl1 "
            "libgl1-mesa-dri', or 'apt install libosmesa6' and set MUJOCO_GL=osmesa."
        ) from error
