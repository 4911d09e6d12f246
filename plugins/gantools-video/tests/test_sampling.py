"""Forward warping against what can be said by hand."""

import torch
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
