"""Sprites against known answers: whole steps, no blur however far, the network's part."""

import pytest
import torch
from gantools_video.config import VideoConfig
from gantools_video.rollout import handed_on, rollout
from gantools_video.sprites import Sprites, Straight, outlines
from gantools_video.tracking import FARTHEST
from torch.testing import assert_close

from gantools import UserError


def told(net, step):
    """A network that says this step of whole pixels for x and y, whatever it sees."""
    with torch.no_grad():
        last = net.dynamics.layers[-1]
        last.weight.zero_()
        last.bias.zero_()
        last.bias[FARTHEST + 1 + step] = 100.0
    return net


def square(at):
    frame = torch.full((1, 64, 64), -1.0)
    frame[:, at : at + 9, at + 2 : at + 8] = torch.rand(
        9, 6, generator=torch.Generator().manual_seed(0)
    )
    return frame


def test_a_thing_goes_on_exactly_and_does_not_blur():
    past = torch.stack([square(5 + 3 * t) for t in range(4)])[None]
    (film,) = rollout(told(Sprites(1, 4, 4), 2), past, 8)
    for k in range(8):
        assert_close(film[0, k], square(5 + 9 + 2 * (k + 1)), atol=1e-4, rtol=0)


def test_between_whole_steps_is_their_mean():
    net = told(Sprites(1, 4, 4), 1)
    with torch.no_grad():
        net.dynamics.layers[-1].bias[FARTHEST + 3] = 100.0  # 2 is as likely as 1
    places, extent = torch.zeros(3, 4, 2), torch.zeros(3, 2, 2)
    assert_close(net.dynamics(places, extent, (64, 64)), torch.full((3, 2), 1.5))


def test_straight_on_is_as_in_the_last_two_steps():
    places = torch.tensor([[9.0, 9.0], [0.0, 1.0], [2.0, 1.0], [3.0, 3.0]])[None]
    found = Straight()(places, torch.zeros(1, 2, 2), (64, 64))
    assert_close(found, torch.tensor([[1.5, 1.0]]))
    assert_close(Straight()(places[:, :2], None, (64, 64)), torch.tensor([[-9.0, -8.0]]))


def test_axes_are_seen_alike():
    net = Sprites(1, 4, 4)
    places, extent = torch.randn(5, 4, 2), torch.randn(5, 2, 2)
    found = net.dynamics(places, extent, (64, 64))
    turned = net.dynamics(places.flip(2), extent.flip(1), (64, 64))
    assert_close(turned, found.flip(1))


def test_it_learns_by_what_was_made():
    torch.manual_seed(0)
    net = Sprites(1, 4, 4)
    past = torch.stack([square(5 + 3 * t) for t in range(4)])[None]
    (film,) = rollout(net, past, 3)
    true = torch.stack([square(5 + 9 + 3 * t) for t in (1, 2, 3)])[None]
    (film - true).square().mean().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def test_how_far_astray_is_counted_in_pixels():
    past = torch.stack([square(5 + 3 * t) for t in range(4)])[None]
    net = told(Sprites(1, 4, 4), 2)
    _, going = handed_on(net, past, 3)
    true = torch.stack([square(5 + 9 + 3 * t) for t in (1, 2, 3)])[None]
    assert_close(net.astray(going, true), torch.tensor((1 + 2 + 3) / 3))
    assert_close(net.astray(going, true[:, :0].new_zeros(1, 3, 1, 64, 64) - 1), torch.tensor(4.0))


def test_outlines_by_hand():
    sprites = torch.zeros(2, 1, 8, 8)
    sprites[0, 0, 1:4, 2:7] = 1.0
    centre, extent = outlines(sprites)
    assert_close(centre, torch.tensor([[4 - 3.5, 2 - 3.5], [0.0, 0.0]]))
    assert_close(extent[0], torch.tensor([[-2.0, 2.0], [-1.0, 1.0]]))
    assert (extent[1] == 0).all()


def test_layers_are_for_sprites():
    config = VideoConfig(data="moving-digits")
    assert config.resolved().layers == 2
    assert config.resolved().resolved() == config.resolved()
    with pytest.raises(UserError, match="--layers is for --game sprites"):
        VideoConfig(data="moving-digits", game="warp", layers=2).resolved()
