"""Optical flow against motions that are known."""

import pytest
import torch
from gantools_video.flow import flow
from gantools_video.sampling import sampled
from torch.nn.functional import interpolate
from torch.testing import assert_close


def texture(height=48, width=64, channels=3):
    """Smooth and everywhere different, in [−1, 1]."""
    drawn = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, channels, height // 4, width // 4, generator=drawn) * 2 - 1
    return interpolate(coarse, size=(height, width), mode="bicubic").clamp(-1, 1)


def everywhere(x, right, down):
    return torch.tensor([right, down]).view(1, 2, 1, 1).expand(len(x), 2, *x.shape[2:])


@pytest.mark.parametrize("motion", [(0.0, 0.0), (1.0, 0.0), (2.3, -1.7), (-4.0, 3.5)])
def test_it_finds_where_everything_came_from(motion):
    before = texture()
    where = everywhere(before, *motion)
    found = flow(sampled(before, where), before)
    assert_close(found[..., 16:-16, 16:-16], where[..., 16:-16, 16:-16], atol=0.1, rtol=0)


def test_small_things_are_found_at_the_finest_scale():
    before = 0.2 * texture(64, 64)
    now = before.clone()
    thing = texture(64, 64, 3)[..., :8, :8].flip(1)
    before[..., 20:28, 10:18] = thing
    now[..., 20:28, 13:21] = thing
    fine, coarse = (
        (flow(now, before, finest)[..., 20:28, 13:21] - everywhere(thing, -3.0, 0.0)).abs().mean()
        for finest in (0, 1)
    )
    assert fine < 0.5 * coarse


def test_what_is_flat_stays():
    x = torch.zeros(1, 1, 32, 32)
    assert_close(flow(x, x), torch.zeros(1, 2, 32, 32))


def test_one_thing_moves_and_the_rest_does_not():
    before = 0.2 * texture(64, 64)
    now = before.clone()
    thing = texture(64, 64, 3)[..., :24, :24].flip(1)
    before[..., 20:44, 10:34] = thing
    now[..., 20:44, 13:37] = thing
    found = flow(now, before)
    assert_close(
        found[..., 28:36, 20:30], everywhere(found, -3.0, 0.0)[..., :8, :10], atol=0.3, rtol=0
    )
    assert found[..., 56:, 52:].abs().max() < 0.1


@pytest.mark.parametrize("shape", [(8, 8), (4, 16), (12, 48), (5, 7), (1, 1)])
def test_small_frames_have_a_flow_too(shape):
    before = texture(*(max(4, side) for side in shape))[..., : shape[0], : shape[1]]
    found = flow(before, before)
    assert found.shape == (2, 2, *shape)
    assert found.abs().max() < 0.2
