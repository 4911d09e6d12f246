"""Tracks against known answers: two things that cross, whole shifts, clusters."""

import torch
from gantools_video.tracking import aligned, clusters, in_front, lasting, taken, tracks
from torch.testing import assert_close

BACKGROUND = 0.0


def crossing(count=2):
    """Films of 8 frames of a bright square and a dark bar that go through each other, what they
    look like in the last frame, and where they were in each."""
    t = torch.arange(8)
    ways = torch.stack(
        [torch.stack([8 + 4 * t, 20 + 0 * t], 1), torch.stack([40 - 3 * t, 2 + 4 * t], 1)]
    )
    things = [torch.full((8, 8), 0.9), torch.full((6, 4), -1.0)]
    layers = torch.zeros(2, 8, 1, 64, 64)
    for layer, thing, way in zip(layers, things, ways, strict=True):
        thing[:3, :2] *= 0.8  # one can see which way round they are
        for frame, (x, y) in zip(layer, way.tolist(), strict=True):
            frame[0, y : y + thing.shape[0], x : x + thing.shape[1]] = thing
    film = BACKGROUND + in_front(layers.transpose(0, 1))
    return film.expand(count, -1, -1, -1, -1), layers[:, -1], ways - ways[:, -1:]


def test_things_are_found_though_they_cross():
    film, sprites, ways = crossing()
    found = tracks(film, 2)
    assert_close(found.background, torch.full((2, 1, 1, 1), BACKGROUND))
    for own, way in zip(
        found.sprites.view(2, 2, 1, 64, 64), found.paths.view(2, 2, 8, 2), strict=True
    ):
        order = [0, 1] if (way[0, 0] == ways[0, 0]).all() else [1, 0]  # either may come first
        assert_close(own[order], sprites)
        wrong = (way[order] != ways).any(2)
        assert wrong.sum() <= 2  # where one hides the other
        assert not wrong[:, [0, 1, 2, 6, 7]].any()


def test_a_still_film_is_explained():
    film = torch.full((1, 4, 3, 48, 64), -1.0)
    film[..., 10:20, 10:20] = torch.tensor([1.0, 0.5, 0.0])[:, None, None]
    found = tracks(film, 2)
    assert found.error.max() < 1e-6
    assert (found.paths == 0).all()


def test_an_empty_film_is_explained():
    found = tracks(torch.full((2, 3, 1, 64, 64), 0.25), 2)
    assert found.error.max() == 0
    assert found.sprites.abs().max() == 0


def test_taken_from_whole_pixels_away_and_nothing_from_beyond():
    x = torch.rand(2, 3, 8, 16)
    found = taken(x, torch.tensor([[3, 0], [0, -2]]))
    assert_close(found[0, ..., :-3], x[0, ..., 3:])
    assert (found[0, ..., -3:] == 0).all()
    assert_close(found[1, :, 2:], x[1, :, :-2])
    assert (found[1, :, :2] == 0).all()
    film = torch.rand(1, 2, 1, 8, 8)
    assert_close(
        aligned(film, torch.tensor([[[0, 0], [1, 1]]]))[0, 1, :, :-1, :-1], film[0, 1, :, 1:, 1:]
    )


def test_flows_of_two_kinds_are_two_clusters():
    v = torch.zeros(1, 2, 8, 8)
    v[:, 0, :, 5:] = 3.0
    v[:, :, :2] = 100.0  # has no weight
    weight = torch.ones(1, 1, 8, 8)
    weight[:, :, :2] = 0
    found = clusters(v + 0.1 * torch.randn(v.shape), weight, 2)[0, :, 2:]
    assert_close(found.sum(0), torch.ones(6, 8))
    assert (found[0, :, 5:] == found[0, 0, 5]).all()
    assert (found[0, :, :5] == 1 - found[0, 0, 5]).all()


def test_what_lasts_is_what_three_quarters_of_the_frames_have_or_more():
    film = torch.tensor([0.0, 0.5, 0.9, 0.9, 0.5, 0.5, -0.5, 1.0]).view(1, 8, 1, 1, 1)
    assert lasting(film).abs().item() == 0.5  # seen once nothing, thrice what passed in front
    assert lasting(film[:, 1:5].flip(1)).item() == 0.5


def test_in_front_is_what_differs_most():
    layers = torch.tensor([[0.5, 0.0, -0.1], [-0.6, 0.0, 0.05]]).view(1, 2, 1, 1, 3)
    assert_close(in_front(layers).flatten(), torch.tensor([-0.6, 0.0, -0.1]))
