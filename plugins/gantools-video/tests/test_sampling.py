"""Forward warping, and motion that goes on or does not, against what can be said by hand."""

import torch
from gantools_video.networks import onward, steadiness
from gantools_video.sampling import splatted
from torch.testing import assert_close


def everywhere(right, down, height=6, width=8):
    return torch.tensor([right, down]).view(1, 2, 1, 1).expand(1, 2, height, width)


def test_whole_pixels_are_thrown_whole():
    x = torch.rand(1, 3, 6, 8)
    found, weight = splatted(x, everywhere(2.0, -1.0), torch.zeros(1, 1, 6, 8))
    assert_close(found[..., :-1, 2:], x[..., 1:, :-2])
    assert_close(weight[..., :-1, 2:], torch.ones(1, 1, 5, 6))
    assert not weight[..., -1, :].any()  # nothing arrives where it left
    assert not weight[..., :2].any()
    assert not found[..., :2].any()


def test_half_a_pixel_is_shared_by_two():
    x = torch.zeros(1, 1, 1, 4)
    x[..., 1] = 1.0
    found, weight = splatted(x, everywhere(0.5, 0.0, 1, 4), torch.zeros(1, 1, 1, 4))
    assert_close(weight.flatten(), torch.tensor([0.5, 1.0, 1.0, 1.0]))
    assert_close(found.flatten(), torch.tensor([0.0, 0.5, 0.5, 0.0]))


def test_of_two_that_arrive_the_more_important_counts_more():
    x = torch.tensor([0.0, 1.0]).view(1, 1, 1, 2)
    to = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).view(1, 2, 1, 2)  # the left one onto the right
    importance = torch.tensor([2.0, 0.0]).view(1, 1, 1, 2)
    found, _ = splatted(x, to, importance)
    e = torch.tensor(2.0).exp()
    assert_close(found[0, 0, 0, 1], 1 / (1 + e))


def test_gradients_reach_what_is_thrown_and_where_to():
    torch.manual_seed(0)
    x = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    to = (torch.rand(1, 2, 4, 5, dtype=torch.float64) * 2 - 1).requires_grad_()
    importance = torch.rand(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(splatted, (x, to, importance))


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
