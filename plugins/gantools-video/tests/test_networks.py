"""The networks against known answers: Mathieu's sum of scales, codes, actions, stretches."""

import pytest
import torch
from gantools_video.blocks import scaled
from gantools_video.discriminator import Discriminator
from gantools_video.losses import gradient_difference, lp
from gantools_video.networks import Feedback, Pyramid, network
from gantools_video.rollout import rollout
from torch.nn.functional import interpolate
from torch.testing import assert_close


def test_mathieu_adds_what_each_scale_finds():
    net = Pyramid(1, past=2, width=2)
    past = torch.rand(1, 2, 16, 16) - 0.5
    made, _ = net(past)
    assert [x.shape[-1] for x in made] == [2, 4, 8, 16]
    up = interpolate(made[1], scale_factor=2)
    found = net.levels[2](torch.cat([scaled(past, 2), up], 1))
    assert_close(made[2], (up + found).clamp(-1, 1))


def test_feedback_draws_a_first_frame_of_any_length_of_code():
    net = Feedback(3, past=2, width=4)
    code = torch.randn(2, net.channels, 4, 4)
    assert net.first(code).shape == (2, 3, 32, 32)
    assert_close(net.first(code), net.first(7 * code), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("game", ["warp", "sprites", "feedback", "mathieu"])
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
    assert lp(flat, real, 1) == 0.5
    assert lp(flat, real, 2) == 0.25
    assert gradient_difference(flat, real) == 1.0  # across 1 is missing, down nothing
    assert gradient_difference(1 - real, real) == 0.0  # edges of the other sign are as strong
    assert gradient_difference(real + 3, real) == 0.0
