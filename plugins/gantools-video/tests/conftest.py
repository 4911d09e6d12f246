"""What the tests share: a cache of their own, and a folder of videos."""

from __future__ import annotations

import os
import tempfile

import numpy as np
import pytest

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
