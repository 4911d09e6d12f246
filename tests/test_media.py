"""Pictures and films of tensors."""

from __future__ import annotations

import os
from fractions import Fraction

import numpy as np
import pytest
import torch

from gantools import UserError
from gantools.media import MARGIN, grid, strip, to_image, video, write_video

Image = pytest.importorskip("PIL.Image")


def test_a_picture_s_levels_and_sides():
    picture = torch.tensor([-1.0, 0, 1, -9, 9, 1]).view(1, 2, 3).repeat(3, 1, 1).requires_grad_()
    image = to_image(picture, zoom=2)
    assert (image.mode, image.size) == ("RGB", (6, 4))
    assert np.array(image)[::2, ::2, 1].tolist() == [[0, 128, 255], [0, 255, 255]]
    grey = to_image(picture[:1])
    assert (grey.mode, np.array(grey).tolist()) == ("L", [[0, 128, 255], [0, 255, 255]])


def test_a_grid_has_every_picture_in_its_place():
    rows = [torch.full((2, 3, 4, 6), -1.0), torch.full((1, 3, 4, 6), 1.0)]
    sheet = grid(rows, zoom=2)
    assert sheet.size == (MARGIN + 2 * (12 + MARGIN), MARGIN + 2 * (8 + MARGIN))
    pixels = np.array(sheet)
    y, x = MARGIN, MARGIN
    assert (pixels[y : y + 8, x : x + 12] == 0).all()
    assert (pixels[y + 12 : y + 20, x : x + 12] == 255).all()
    assert (pixels[y + 12 : y + 20, x + 16 : x + 28] == 0xE8).all()  # no picture there
    named = grid(rows, zoom=2, above=["a b"], beside=["c", "d"])
    assert named.width == sheet.width + 140 - MARGIN
    assert named.height == sheet.height + 14
    assert (np.array(named)[:14, 140:152] == 0).any()  # the words


def test_a_strip_has_the_first_and_the_last(tmp_path):
    files = [tmp_path / f"{i:02}.png" for i in range(20)]
    for level, file in enumerate(files):
        Image.new("RGB", (5, 2), (level, level, level)).save(file)
    shown = np.array(strip(files, most=3))
    assert shown[::2, 0, 0].tolist() == [0, 10, 19]
    assert np.array(strip(files[:2])).shape == (4, 5, 3)


def brighter(number: int):
    """Ever brighter pictures; says how many were asked for."""
    for level in range(number):
        yield np.full((33, 51, 3), 20 * level, np.uint8)


@pytest.mark.parametrize(("suffix", "fps"), [(".mp4", 50), (".mp4", 29.97), (".gif", 25)])
def test_a_film_has_its_pictures_and_its_rate(tmp_path, suffix, fps):
    av = pytest.importorskip("av")
    path = tmp_path / f"film{suffix}"
    write_video(path, brighter(7), fps)
    assert os.listdir(tmp_path) == [path.name]
    with av.open(path) as film:
        assert film.streams.video[0].average_rate == pytest.approx(Fraction(fps), rel=1e-4)
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert pictures[0].shape == ((32, 50, 3) if suffix == ".mp4" else (33, 51, 3))
    levels = [picture.mean() for picture in pictures]
    assert levels == pytest.approx([20 * level for level in range(7)], abs=6)


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("after", [0, 3])
def test_a_film_that_ends_badly_leaves_the_old_one(tmp_path, suffix, error, after):
    pytest.importorskip("av")
    path = tmp_path / f"film{suffix}"
    path.write_text("a good one")

    def frames():
        yield from brighter(after)
        raise error

    with pytest.raises(error):
        write_video(path, frames(), 25)
    with pytest.raises(ValueError, match="at least one picture"):
        write_video(path, [], 25)
    assert path.read_text() == "a good one"
    assert os.listdir(tmp_path) == [path.name]


def test_other_kinds_are_refused_before_any_picture_is_made(tmp_path):
    with pytest.raises(UserError, match=r"film\.avi': a film's name ends in \.mp4 or \.gif"):
        write_video(tmp_path / "film.avi", (1 // 0 for _ in "x"), 25)


def test_an_mp4_is_written_as_it_comes(tmp_path):
    pytest.importorskip("av")
    noise = np.random.default_rng(0)
    with video(tmp_path / "film.mp4", 25) as add:
        for _ in range(150):
            add(noise.integers(0, 255, (64, 64, 3), np.uint8))
        (unfinished,) = tmp_path.iterdir()
        assert unfinished.stat().st_size > 0


@pytest.mark.parametrize(("height", "width"), [(1, 8), (8, 1), (2, 20_000)])
def test_pictures_that_no_mp4_can_be_are_refused(tmp_path, height, width):
    frame = np.zeros((height, width, 3), np.uint8)
    with pytest.raises(UserError, match=r"cannot be an \.mp4, whose sides have 2 to 16,384"):
        write_video(tmp_path / "film.mp4", [frame], 25)
    assert not list(tmp_path.iterdir())
