"""Motion that goes on or does not, against what can be said by hand."""

import torch
from gantools_video.motion import onward, steadiness
from torch.testing import assert_close


def everywhere(right, down, height=6, width=8):
    return torch.tensor([right, down]).view(1, 2, 1, 1).expand(1, 2, height, width)


def test_what_moves_takes_its_motion_along():
    v = torch.zeros(1, 2, 8, 16)
    v[:, 0, 2:6, 4:8] = -3.0  # a thing that goes three pixels to the right in every step
    u = onward(v, torch.ones(1, 1, 8, 16))
    assert_close(u[:, 0, 2:6, 7:11], torch.full((1, 4, 4), -3.0), atol=0.2, rtol=0)  # over the rest
    assert_close(u[:, 0, :2], torch.zeros(1, 2, 16))
    assert_close(u[:, 0, 2:6, 11:], torch.zeros(1, 4, 5))
    even = everywhere(1.5, -0.5)
    assert_close(onward(even, torch.ones(1, 1, 6, 8))[..., 1:-1, 2:-2], even[..., 1:-1, 2:-2])


def test_what_is_not_seen_hides_no_motion():
    v = torch.zeros(1, 2, 8, 16)
    v[:, 0, 2:6, 4:8] = -3.0
    kept = torch.ones(1, 1, 8, 16)
    kept[..., 2:6, 4:8] = 0.0
    assert onward(v, kept)[:, 0, 2:6, 8:11].abs().max() < 0.1  # what is there stays


def test_even_motion_is_steady_and_shaking_is_not():
    v = everywhere(3.0, -1.0, 32, 32)
    assert_close(steadiness([v, v, v]), torch.ones(1, 1, 32, 32), atol=0.01, rtol=0)
    assert not steadiness([v, -v, v]).any()  # there and back
    assert not steadiness([torch.zeros_like(v), v]).any()  # it stopped
    assert_close(steadiness([v / 2, v]), torch.full((1, 1, 32, 32), 0.5), atol=0.01, rtol=0)
    assert (steadiness([v]) == 1).all()


def test_steadiness_follows_what_moves():
    newer, older = torch.zeros(2, 1, 2, 48, 96)
    newer[:, 0, :, 48:] = -8.0  # was eight pixels farther left, where the older flow knows it
    older[:, 0, :, 40:] = -8.0
    oldest = torch.zeros_like(older)
    oldest[:, 0, :, 32:] = -8.0
    c = steadiness([newer, older, oldest])
    assert c[..., 56:].min() > 0.99
    stays = steadiness([newer, newer.flip(-1), newer])  # it is elsewhere: not the same thing
    assert stays[..., 72:].max() < 0.01
