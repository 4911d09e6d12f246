"""What is known of a pixel is known when it is decoded, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from gantools_codec.contexts import RADIUS, UNIT, WEST, Canvas, X, Y, context, look

SHAPES = [(2, 5, 7), (1, 1, 9), (3, 4, 1)]


@pytest.fixture
def canvas():
    canvas = Canvas(SHAPES, 2)
    drawn = np.random.default_rng(0)
    for i, shape in enumerate(SHAPES):
        canvas.tile(i)[...] = drawn.integers(0, 256, (*shape, 2))
    return canvas


def test_waves_have_every_pixel_once(canvas):
    seen = np.concatenate([pixels.at for pixels in canvas.waves()])
    assert len(np.unique(seen)) == len(seen) == sum(n * h * w for n, h, w in SHAPES)


def test_what_is_not_decoded_yet_changes_nothing(canvas):
    later = canvas.values.copy()
    decoded = np.zeros(len(later), bool)
    for pixels in canvas.waves():
        expected = context(canvas, pixels)
        kept = canvas.values.copy()
        canvas.values[~decoded] = 77.0
        for found, known in zip(context(canvas, pixels), expected, strict=True):
            np.testing.assert_array_equal(found, known)
        canvas.values[...] = kept
        decoded[pixels.at] = True


def test_neighbours_are_those_of_the_image():
    canvas = Canvas([(1, 6, 9)], 1)
    image = np.arange(54.0).reshape(6, 9)
    canvas.tile(0)[...] = image[None, :, :, None]
    at = canvas.pixels(*(np.array([v]) for v in (0, 0, 3, 4)))
    seen = context(canvas, at)
    w, n, nw = image[3, 3], image[2, 4], image[2, 3]
    assert seen.reference.item() == np.median([w, n, w + n - nw])
    expected = (image[3 + Y, 4 + X] - seen.reference.item()) * UNIT
    np.testing.assert_array_equal(seen.differences[0], expected)
    np.testing.assert_array_equal(look(canvas, at, 1)[0], image[2:5, 3:6].reshape(-1))


def test_at_the_edges_there_is_less_of_it():
    canvas = Canvas([(1, 2, 2)], 1)
    canvas.tile(0)[...] = np.array([[10.0, 20.0], [30.0, 40.0]])[None, :, :, None]
    corner, right, below = (
        context(canvas, canvas.pixels(*(np.array([v]) for v in (0, 0, row, column))))
        for row, column in ((0, 0), (0, 1), (1, 0))
    )
    assert (corner.reference.item(), right.reference.item(), below.reference.item()) == (
        128,
        10,
        10,
    )
    assert not corner.differences.any()
    assert right.differences.any() == (right.differences[0, WEST] != 0)
    assert np.abs(below.differences).max() == 10 * UNIT  # north-east, 20
    assert RADIUS == 3
