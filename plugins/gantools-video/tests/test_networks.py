"""The networks against known answers: whole shifts, no blur however far, Mathieu's sum of scales."""

import math

import pytest
import torch
from gantools_video import networks
from gantools_video.losses import gradient_difference, lp
from gantools_video.networks import (
    Discriminator,
    Feedback,
    Motion,
    Pyramid,
    Warp,
    network,
    scaled,
)
from gantools_video.rollout import rollout
from gantools_video.sampling import sampled
from torch.nn.functional import interpolate, pixel_unshuffle
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
        found = "gantools_video.networks.flow"
        monkeypatch.setattr(found, lambda x, before: where.expand(len(x), 2, *x.shape[2:]))
        net = Warp(1, past=2, width=2)
        said = torch.tensor([more / networks.UNIT, 0.0, -math.log(kept), drawn])
        with torch.no_grad():
            net.end.weight.zero_()
            net.end.bias.copy_(said.repeat_interleave(networks.PATCH**2))
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


def test_layers_pass_through_each_other(monkeypatch):
    """Two things on a flat ground, that go towards each other, through, and on."""
    still = torch.zeros(1, 2, 16, 64)
    monkeypatch.setattr("gantools_video.networks.flow", lambda x, before: still)
    net = Warp(1, past=2, width=2, layers=2)

    def told(step):
        """What the network would have to say: δ of both layers, m, s, α."""
        out = torch.zeros(1, 2 * 2 + 2 + 1 + 2, 16, 64)
        if step == 0:  # afterwards it goes on as it did
            out[:, 0], out[:, 2] = -8 / networks.UNIT, 8 / networks.UNIT
        out[:, -2, :, :32], out[:, -1, :, 32:] = 50.0, 50.0
        return out

    x = torch.full((1, 1, 16, 64), -1.0)
    x[..., 4:8, 12:16] = 1.0
    x[..., 8:12, 44:48] = 0.5
    past, motion = torch.cat([x, x], 1), Motion.begun(torch.cat([x, x], 1), 1)
    for step in range(4):
        said = pixel_unshuffle(told(step), networks.PATCH)
        monkeypatch.setattr(net.end, "forward", lambda _, said=said: said)
        (made,), motion = net(past, motion)
        past = torch.cat([past[:, 1:], made], 1)
    expected = torch.full_like(x, -1.0)
    expected[..., 4:8, 44:48] = 1.0  # each where the other was
    expected[..., 8:12, 12:16] = 0.5
    inside = slice(34, 62)  # the layers' borders are elsewhere
    assert_close(made[..., inside], expected[..., inside], atol=0.1, rtol=0)


def test_brighter_films_are_predicted_brighter(monkeypatch):
    torch.manual_seed(0)
    net, past = Warp(3, past=2, width=2), torch.rand(1, 2, 3, 32, 32) / 2 - 0.5
    with torch.no_grad():
        net.end.weight.normal_(std=0.05)
    steady = torch.zeros(1, 2, 32, 32)  # DIS sees 8 bits
    monkeypatch.setattr("gantools_video.networks.flow", lambda x, before: steady)
    (film,), (brighter,) = rollout(net, past, 1), rollout(net, past + 0.25, 1)
    inside = film.abs() < 0.7
    assert inside.float().mean() > 0.5
    assert_close(brighter[inside], film[inside] + 0.25, atol=1e-4, rtol=0)


def test_mathieu_adds_what_each_scale_finds():
    net = Pyramid(1, past=2, width=2)
    past = torch.rand(1, 2, 16, 16) - 0.5
    still = Motion.begun(past, 1)
    made, _ = net(past, still)
    assert [x.shape[-1] for x in made] == [2, 4, 8, 16]
    up = interpolate(made[1], scale_factor=2)
    found = net.levels[2](torch.cat([scaled(past, 2), up], 1))
    assert_close(made[2], (up + found).clamp(-1, 1))


def test_feedback_draws_a_first_frame_of_any_length_of_code():
    net = Feedback(3, past=2, width=4)
    code = torch.randn(2, net.channels, 4, 4)
    assert net.first(code).shape == (2, 3, 32, 32)
    assert_close(net.first(code), net.first(7 * code), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("game", ["warp", "feedback", "mathieu"])
def test_actions_tell(game):
    net = network(game, 1, 2, 4, actions=3)
    past, one, other = torch.rand(1, 2, 1, 16, 16), *torch.eye(3)[:2]
    with torch.no_grad():
        for parameter in net.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    films = [rollout(net, past, 1, action.expand(1, 1, 3))[-1] for action in (one, other)]
    assert not torch.allclose(*films, atol=1e-3)


def test_a_discriminator_scores_every_stretch():
    critic = Discriminator(3, frames=3, width=4)
    film = torch.rand(2, 5, 3, 32, 32)
    scores = critic(film).view(2, 3, -1)
    assert_close(scores[:, 1], critic(film[:, 1:4]))


def test_averages_of_squares():
    x = torch.arange(16.0).view(1, 1, 1, 4, 4)
    assert_close(scaled(x, 2).flatten(), torch.tensor([2.5, 4.5, 10.5, 12.5]))


def test_losses_by_hand():
    real = torch.zeros(1, 1, 1, 2, 2)
    real[..., 1] = 1.0  # one step from left to right
    flat = torch.full_like(real, 0.5)
    assert lp(flat, real) == 0.5
    assert lp(flat, real, 2) == 0.25
    assert gradient_difference(flat, real) == 1.0  # across 1 is missing, down nothing
    assert gradient_difference(1 - real, real) == 0.0  # edges of the other sign are as strong
    assert gradient_difference(real + 3, real) == 0.0
