"""Films of Gymnasium's environments, in which an agent acts at random, with what it does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gantools import UserError
from gantools_video.metrics import MOVES

try:
    import gymnasium as gym
    from gymnasium import spaces

    from gantools.agents.worlds import make
except ImportError:
    raise UserError(
        "Films of environments need Gymnasium: pip install 'gantools-video[env]'."
    ) from None

TRAIN, TEST = 4_000, 400
"""Frames to train on, and of other episodes to test."""
HELD = 8
"""Steps that an action is held at most, so that motion follows from it."""
VISIBLE = 0.005
"""The part of the pixels that change from frame to frame, at least: 20 of 64 × 64."""
PROBED = 100
"""Frames by which it is found how many steps that takes."""


class Films(NamedTuple):
    """Episodes, and what was done in them."""

    frames: list[Tensor]
    """Uint8 [T, 3, S, S] each."""
    actions: list[Tensor]
    """Float32 [T, A] each: row t is what is done from frame t to t + 1, the last is all 0. A Box
    is flat, from −1 to 1 where it has bounds; of Discrete actions one number is 1."""


def numbers(env: str) -> int:
    """A, how many numbers say what is done in an environment; nothing is drawn.

    Args:
        env: as :func:`films` takes it.

    Raises:
        UserError: it cannot be made, or has other actions than Box and Discrete.
    """
    with make(env) as world:
        count = spaces.flatdim(_actions(world, env))
    return count


def films(env: str, size: int, seed: int) -> tuple[Films, Films, str]:
    """Play at random and film it.

    An action is drawn from all that there are and held for 1 to ``HELD`` steps, drawn too, rounded
    up to whole frames: between two frames one thing is done. From frame to frame it is the fewest
    of 1, 2, 4 and 8 steps in which ``VISIBLE`` of the pixels change by more than
    :data:`gantools_video.metrics.MOVES`. Episodes end where the environment ends them, and where
    there are frames enough.

    Args:
        env: ``Pendulum-v1``, ``Pendulum`` or ``module:Name-v0``, any environment registered with
            Gymnasium that draws as rgb_array.
        size: side S of the frames, pixels; the centre square is resized to it, by areas.
        seed: of the episodes and the actions.

    Returns:
        ``TRAIN`` frames to train on, ``TEST`` of other episodes, and what they are.

    Raises:
        UserError: it cannot be made, has other actions than Box and Discrete, or cannot draw
            itself here.
    """
    with _drawing(env) as world:
        rng = np.random.default_rng(seed)
        world.action_space.seed(int(rng.integers(2**31)))
        every = _every(world, size, rng)
        train, test = (_films(world, size, every, count, rng) for count in (TRAIN, TEST))
    episodes = len(train.frames) + len(test.frames)
    pace = "every step" if every == 1 else f"every {every} steps"
    said = f"{TRAIN + TEST:,} frames of {episodes} episodes of {env}, a frame {pace}"
    return train, test, f"{said}; random actions, held for 1 to {HELD} steps"


def _actions(world: gym.Env, env: str) -> spaces.Space:
    space = world.action_space
    if not isinstance(space, spaces.Box | spaces.Discrete):
        raise UserError(f"{env} has {space} actions; Box and Discrete can be learned from.")
    return space


@contextmanager
def _drawing(env: str) -> Iterator[gym.Env]:
    """An environment that is known to draw itself."""
    with make(env) as world:
        _actions(world, env)
        modes = world.metadata.get("render_modes", [])
    if "rgb_array" not in modes:
        raise UserError(f"{env} cannot be filmed: it draws as {modes}, not rgb_array.")
    with make(env, render_mode="rgb_array", disable_env_checker=True) as world:
        world.reset(seed=0)
        try:
            _picture(world, 8)
        except Exception as error:  # graphics libraries fail in as many ways as there are
            raise UserError(
                f"{env} cannot be filmed here ({error}): what draws it is missing, or needs a "
                "display; MuJoCo does without one where MUJOCO_GL is set to egl or osmesa."
            ) from error
        yield world


def _every(world: gym.Env, size: int, rng: np.random.Generator) -> int:
    """Steps from frame to frame."""
    probe = _films(world, size, 1, PROBED, rng).frames
    for steps in (1, 2, 4):
        changes = [(film[steps:].float() - film[:-steps].float()).abs() / 255 for film in probe]
        moved = torch.cat([change.amax(1) > MOVES for change in changes])
        if moved.float().mean() >= VISIBLE:
            return steps
    return 8


def _films(world: gym.Env, size: int, every: int, count: int, rng: np.random.Generator) -> Films:
    """So many frames of whole episodes, but for the last."""
    found = Films([], [])
    while count:
        played = itertools.islice(_episode(world, size, every, rng), count)
        pictures, (_, *done) = zip(*played, strict=True)
        rows = [_told(world.action_space, action) for action in done]
        rows.append(np.zeros(spaces.flatdim(world.action_space), np.float32))
        found.frames.append(torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous())
        found.actions.append(torch.from_numpy(np.stack(rows)))
        count -= len(pictures)
    return found


def _episode(
    world: gym.Env, size: int, every: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, Any]]:
    """Each frame with the action that led to it, None to the first."""
    world.reset(seed=int(rng.integers(2**31)))
    yield _picture(world, size), None
    action, held, ended = None, 0, False
    while not ended:
        if not held:
            action = world.action_space.sample()
            held = math.ceil(int(rng.integers(1, HELD + 1)) / every)
        held -= 1
        steps = 0
        while steps < every and not ended:
            _, _, terminated, truncated, _ = world.step(action)
            steps, ended = steps + 1, terminated or truncated
        if steps == every:
            yield _picture(world, size), action


def _picture(world: gym.Env, size: int) -> np.ndarray:
    """The centre square, uint8 [size, size, 3]."""
    drawn = Image.fromarray(np.asarray(world.render())).convert("RGB")
    side = min(drawn.size)
    left, top = ((length - side) // 2 for length in drawn.size)
    square = (left, top, left + side, top + side)
    return np.asarray(drawn.resize((size, size), Image.Resampling.BOX, square))


def _told(space: spaces.Space, action: Any) -> np.ndarray:
    """An action as float32 [A]."""
    row = np.asarray(spaces.flatten(space, action), np.float64)
    if isinstance(space, spaces.Box):
        low, high = (bound.ravel().astype(np.float64) for bound in (space.low, space.high))
        bounded = np.isfinite(low) & np.isfinite(high) & (low < high)
        low, high = low[bounded], high[bounded]
        row[bounded] = 2 * (row[bounded] - low) / (high - low) - 1
    return row.astype(np.float32)
