"""Warp against known answers: whole shifts, no blur however far."""

import math

import pytest
import torch
from gantools_video import warp
from gantools_video.rollout import rollout
from gantools_video.sampling import sampled
from gantools_video.warp import Warp
from torch.testing import assert_close


def moved(x, right=0.0, down=0.0, mode="bicubic"):
    away = torch.tensor([right, down]).view(1, 2, 1, 1).expand(len(x), 2, *x.shape[2:])
    return sampled(x, away, mode).clamp(-1, 1)


def test_nothing_moves_by_nothing():
    x = torch.rand(2, 3, 8, 16)
    assert_close(moved(x), x)


def test_whole_pixels_are_taken_from_where_they_were():
    x = torch.rand(1, 1, 8, 16)
    assert_close(moved(x, right=3)[..., :-3], x[..., 3:])
    assert_close(moved(x, down=-2)[..., 2:, :], x[..., :-2, :])
    assert_close(moved(x, right=20), x[..., -1:].expand_as(x))  # the border goes on


def test_between_pixels_it_is_linear():
    x = torch.rand(1, 1, 8, 16)
    found = moved(x, right=0.25, mode="bilinear")
    assert_close(found[..., :-1], 0.75 * x[..., :-1] + 0.25 * x[..., 1:])


@pytest.fixture
def going(monkeypatch):
    """A Warp of films in which everything moves by the same, more of it in every step, or not;
    of what is seen the part m is kept, and the same is drawn everywhere."""

    def made(right, down, drawn=0.0, more=0.0, kept=1.0):
        where = torch.tensor([right, down]).view(1, 2, 1, 1)
        found = "gantools_video.warp.flow"
        monkeypatch.setattr(found, lambda x, before: where.expand(len(x), 2, *x.shape[2:]))
        net = Warp(1, past=2, width=2)
        said = torch.tensor([more / warp.UNIT, 0.0, -math.log(kept), drawn])
        with torch.no_grad():
            net.end.weight.zero_()
            net.end.bias.copy_(said.repeat_interleave(warp.PATCH**2))
        return net

    return made


def test_what_the_network_finds_is_added_to_the_motion_before(going):
    past = torch.rand(1, 2, 1, 16, 64) * 2 - 1
    (film,) = rollout(going(1.0, 0, more=0.5), past, 3)
    for made, right in zip(film.unbind(1), (1.5, 1.5 + 2, 1.5 + 2 + 2.5), strict=True):
        assert_close(made[..., :48], moved(past[:, -1], right=right)[..., :48], atol=1e-4, rtol=0)


def test_a_steady_motion_is_interpolated_once_however_far(going):
    past = torch.rand(1, 2, 1, 16, 64) * 2 - 1
    (film,) = rollout(going(1.5, 0), past, 8)
    for k in (1, 4, 8):  # a chain of eight interpolations would blur
        assert_close(
            film[:, k - 1, ..., :48], moved(past[:, -1], right=1.5 * k)[..., :48], atol=1e-4, rtol=0
        )


def test_what_is_drawn_is_added_at_every_step_and_moves_on(going):
    past = torch.rand(1, 2, 1, 16, 64) - 1
    (film,) = rollout(going(1.0, 0.0, drawn=0.25), past, 3)
    for k in (1, 2, 3):
        expected = (moved(past[:, -1], right=float(k)) + 0.25 * k).clamp(-1, 1)
        assert_close(film[:, k - 1, ..., :48], expected[..., :48], atol=1e-4, rtol=0)


def test_what_is_not_kept_fades_to_the_mean_of_what_is_known(going):
    past = torch.rand(1, 2, 1, 16, 64) - 0.5
    (film,) = rollout(going(1.0, 0.0, kept=0.5), past, 2)
    for k in (1, 2):
        seen = moved(past[:, -1], right=float(k))
        expected = past.mean() + (seen - past.mean()) / 2**k
        assert_close(film[:, k - 1, ..., :48], expected[..., :48], atol=1e-4, rtol=0)


def test_brighter_films_are_predicted_brighter(monkeypatch):
    torch.manual_seed(0)
    net, past = Warp(3, past=2, width=2), torch.rand(1, 2, 3, 32, 32) / 2 - 0.5
    with torch.no_grad():
        net.end.weight.normal_(std=0.05)
    steady = torch.zeros(1, 2, 32, 32)  # DIS sees 8 bits
    monkeypatch.setattr("gantools_video.warp.flow", lambda x, before: steady)
    (film,), (brighter,) = rollout(net, past, 1), rollout(net, past + 0.25, 1)
    inside = film.abs() < 0.7
    assert inside.float().mean() > 0.5
    assert_close(brighter[inside], film[inside] + 0.25, atol=1e-4, rtol=0)


def test_what_shakes_is_expected_to_stay(monkeypatch):
    flows = iter([1.0, -1.0, 1.0])

    def shaken(x, before):
        return torch.tensor([3.0 * next(flows), 0.0]).view(1, 2, 1, 1).expand(len(x), 2, 16, 64)

    monkeypatch.setattr("gantools_video.warp.flow", shaken)
    net, past = Warp(1, past=4, width=2, damping=1.0), torch.rand(1, 4, 1, 16, 64)
    with torch.no_grad():
        net.end.weight.zero_()
    (film,) = rollout(net, past, 2)
    assert_close(film, past[:, -1:].expand_as(film), atol=1e-4, rtol=0)


def test_a_number_that_is_none_reaches_the_frame():
    net = Warp(1, past=2, width=2)
    with torch.no_grad():
        net.end.bias[0] = torch.nan
    (film,) = rollout(net, torch.rand(1, 2, 1, 16, 16), 3)  # for the engine to find and name
    assert film[:, 0].isnan().any()
