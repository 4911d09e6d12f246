"""Film one episode of a policy: .mp4 (H.264) or .gif."""

from __future__ import annotations

import ctypes.util
import math
import os
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import gymnasium as gym
import numpy as np

from gantools.agents.evaluation import FIRST_EVALUATION_SEED, Predict, play
from gantools.agents.worlds import make
from gantools.errors import UserError

_FORMATS: dict[str, tuple[str, str, dict[str, str]]] = {  # suffix: codec, pixels, options
    ".mp4": ("h264", "yuv420p", {"crf": "20"}),
    ".gif": ("gif", "rgb8", {}),
}
_FASTEST = 50  # frames a second; faster tasks have frames left out, and still run in real time


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
    if path.suffix not in _FORMATS:
        raise UserError(f"Cannot write {str(path)!r}: a film's name ends in .mp4 or .gif.")
    codec, pixels, options = _FORMATS[path.suffix]
    _choose_gl()
    unfinished = path.with_name(f".unfinished-{path.name}")
    with make(env, render_mode="rgb_array", **env_kwargs) as world:
        height, width, _ = _first_picture(world).shape
        fps = world.metadata.get("render_fps", 30)
        every = math.ceil(fps / _FASTEST)
        try:
            with av.open(unfinished, "w") as film:
                stream = film.add_stream(codec, rate=Fraction(fps, every), options=options)
                stream.width, stream.height = width // 2 * 2, height // 2 * 2
                stream.pix_fmt = pixels
                seen = 0

                def watch() -> None:
                    nonlocal seen
                    if seen % every == 0:
                        picture = world.render()[: stream.height, : stream.width]
                        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))
                        film.mux(stream.encode(frame))
                    seen += 1

                episode_seed = FIRST_EVALUATION_SEED + 1000 * seed
                episode = play(
                    predict, world, seed=episode_seed, deterministic=deterministic, watch=watch
                )
                film.mux(stream.encode())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return sum(frame.reward for frame in episode)


def _choose_gl() -> None:
    """On a Linux without a display, let MuJoCo draw off-screen, unless MUJOCO_GL says how."""
    headless = not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform != "linux" or not headless or "MUJOCO_GL" in os.environ:
        return
    for name, library in (("egl", "EGL"), ("osmesa", "OSMesa")):
        if ctypes.util.find_library(library):
            os.environ["MUJOCO_GL"] = name
            return


def _first_picture(world: gym.Env) -> np.ndarray:
    modes = world.metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        raise UserError(f"{world.spec.id} cannot be filmed: it draws as {modes}, not rgb_array.")
    world.reset(seed=0)
    try:
        return world.render()
    except gym.error.DependencyNotInstalled as error:
        raise UserError(f"{world.spec.id} cannot be filmed here: {error}") from error
    except Exception as error:  # graphics libraries fail in as many ways as there are
        raise UserError(
            f"{world.spec.id} cannot be filmed here ({error}): run 'apt install libegl1 "
            "libgl1-mesa-dri', or 'apt install libosmesa6' and set MUJOCO_GL=osmesa."
        ) from error
