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

import av
import gymnasium as gym
import numpy as np
from PIL import Image

from gantools.agents.evaluation import FIRST_EVALUATION_SEED, Predict, play
from gantools.agents.worlds import make
from gantools.errors import UserError

_FASTEST = {".mp4": 50, ".gif": 25}
"""Frames a second; faster tasks have frames left out, and still run in real time."""


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
    if path.suffix not in _FASTEST:
        raise UserError(f"Cannot write {str(path)!r}: a film's name ends in .mp4 or .gif.")
    _draw_off_screen()
    unfinished = path.with_name(f".unfinished-{path.name}")
    with make(env, render_mode="rgb_array", **env_kwargs) as world:
        _aim(world, follow=not {"camera_id", "camera_name"} & env_kwargs.keys())
        picture = _first_picture(world, env)
        fps = world.metadata.get("render_fps", 30)
        every = math.ceil(fps / _FASTEST[path.suffix])
        film = (_Gif if path.suffix == ".gif" else _Mp4)(unfinished, Fraction(fps, every), picture)
        steps = itertools.count()

        def watch() -> None:
            if next(steps) % every == 0:
                film.add(np.asarray(world.render()))

        try:
            episode_seed = FIRST_EVALUATION_SEED + 1000 * seed
            episode = play(
                predict, world, seed=episode_seed, deterministic=deterministic, watch=watch
            )
            film.finish()
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return sum(frame.reward for frame in episode)


class _Mp4:
    """H.264, each side cut to an even number of pixels."""

    def __init__(self, path: Path, rate: Fraction, picture: np.ndarray) -> None:
        self._height, self._width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
        self._container = av.open(path, "w")
        self._stream = self._container.add_stream("h264", rate=rate, options={"crf": "20"})
        self._stream.width, self._stream.height = self._width, self._height
        self._stream.pix_fmt = "yuv420p"

    def add(self, picture: np.ndarray) -> None:
        picture = np.ascontiguousarray(picture[: self._height, : self._width])
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(picture)))

    def finish(self) -> None:
        self._container.mux(self._stream.encode())
        self._container.close()


class _Gif:
    """An endless loop, each picture in its own 256 colours."""

    def __init__(self, path: Path, rate: Fraction, picture: np.ndarray) -> None:
        self._path = path
        self._milliseconds = float(1000 / rate)
        self._pictures: list[Image.Image] = []

    def add(self, picture: np.ndarray) -> None:
        self._pictures.append(Image.fromarray(picture).quantize())

    def finish(self) -> None:
        self._pictures[0].save(
            self._path,
            save_all=True,
            append_images=self._pictures[1:],
            duration=self._milliseconds,
            loop=0,
        )


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


def _first_picture(world: gym.Env, env: str) -> np.ndarray:
    modes = world.metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        raise UserError(f"{env} cannot be filmed: it draws as {modes}, not rgb_array.")
    world.reset(seed=0)
    try:
        return np.asarray(world.render())
    except gym.error.DependencyNotInstalled as error:
        raise UserError(f"{env} cannot be filmed here: {error}") from error
    except Exception as error:  # graphics libraries fail in as many ways as there are
        raise UserError(
            f"{env} cannot be filmed here ({error}): run 'apt install libegl1 "
            "libgl1-mesa-dri', or 'apt install libosmesa6' and set MUJOCO_GL=osmesa."
        ) from error
