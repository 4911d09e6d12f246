"""What the baselines predict where the right answer is known."""

import numpy as np
import pytest
import torch
from gantools_video.baselines import copy, flow, flow_fine, linear


def noise(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


def test_copy_repeats_the_last_frame():
    past = noise(2, 3, 1, 4, 5)
    predicted = copy(past, 4)
    assert predicted.shape == (2, 4, 1, 4, 5)
    assert all(torch.equal(frame, past[:, 2]) for frame in predicted.unbind(1))
    predicted.zero_()
    assert past[:, 2].any()  # it is no view


def test_linear_goes_on_and_stops_at_black_and_white():
    past = torch.tensor([[0.9, 0.1, 0.5], [0.5, 0.5, 0.5], [0.6, 0.3, 0.5]]).view(1, 3, 1, 1, 3)
    expected = torch.tensor(
        [[0.7, 0.1, 0.5], [0.8, 0, 0.5], [0.9, 0, 0.5], [1, 0, 0.5], [1, 0, 0.5]]
    )
    torch.testing.assert_close(linear(past, 5), expected.view(1, 5, 1, 1, 3))


def scene(places, size=(48, 64), channels=3):
    """A bright square of 16 pixels at each (x, y) on grey, both with smooth texture: [1, T, C, H, W]."""
    y, x = torch.meshgrid(*(torch.arange(float(n)) for n in size), indexing="ij")
    ground = 0.3 + 0.1 * torch.sin(x / 3) * torch.cos(y / 4)
    frames = []
    for left, top in places:
        inside = (x >= left) & (x < left + 16) & (y >= top) & (y < top + 16)
        square = 0.75 + 0.2 * torch.sin((x - left) / 2) * torch.cos((y - top) / 2)
        frames.append(torch.where(inside, square, ground))
    return torch.stack(frames)[None, :, None].repeat(1, 1, channels, 1, 1)


both = pytest.mark.parametrize("flow", [flow, flow_fine])


@both
@pytest.mark.parametrize(("dx", "dy"), [(2, 0), (-2, 0), (0, 2), (1, -2)])
def test_flow_moves_a_square_on(flow, dx, dy):
    known, future = scene((24 + k * dx, 16 + k * dy) for k in range(5)).split([2, 3], dim=1)
    predicted = flow(known, 3)
    assert predicted.shape == future.shape
    for k in range(3):
        left, top = 24 + (k + 2) * dx, 16 + (k + 2) * dy
        # Within the square, away from its edges, near which the flow is in between.
        inside = (0, k, slice(None), slice(top + 5, top + 11), slice(left + 5, left + 11))
        assert (predicted[inside] - future[inside]).abs().mean() < 0.03
    error, copys = (
        (frames - future).abs().mean(dim=(0, 2, 3, 4)) for frames in (predicted, copy(known, 3))
    )
    assert (error < torch.tensor([0.5, 0.6, 0.7]) * copys).all()


@pytest.fixture
def found(monkeypatch):
    """Has the flow be what it is told, [H, W, 2]; gives the frames between which it was asked."""
    asked = []

    def tell(v):
        def told(x, before, finest):
            asked.append((x, before))
            return torch.tensor(v).float().permute(2, 0, 1).expand(len(x), -1, -1, -1)

        monkeypatch.setattr("gantools_video.baselines.displacement", told)
        return asked

    return tell


@both
def test_flow_looks_where_each_pixel_was(found, flow):
    past = noise(2, 3, 3, 12, 16)
    asked = found(np.tile([-2, 1], (12, 16, 1)))
    predicted = flow(past, 2)
    for k in (1, 2):
        rows = (torch.arange(12) + k).clamp(max=11)
        columns = (torch.arange(16) - 2 * k).clamp(min=0)
        expected = past[:, 2][..., rows, :][..., columns]
        torch.testing.assert_close(predicted[:, k - 1], expected, atol=1e-5, rtol=0)
    ((now, before),) = asked
    torch.testing.assert_close(now, past[:, 2] * 2 - 1)
    torch.testing.assert_close(before, past[:, 1] * 2 - 1)


def test_flow_is_interpolated_once_however_far(found):
    past = noise(1, 2, 1, 12, 16)
    found(np.tile([0.5, 0], (12, 16, 1)))
    second = flow(past, 2)[0, 1, 0, :, :14]
    torch.testing.assert_close(second, past[0, -1, 0][:, 1:15], atol=1e-5, rtol=0)


def test_flow_stays_at_its_place(found):
    past = noise(1, 2, 1, 12, 16)
    v = np.zeros((12, 16, 2))
    v[:, :8, 0] = 4  # the left half comes from the right, which stands still
    found(v)
    second = flow(past, 2)[0, 1, 0]
    torch.testing.assert_close(second[:, 4:8], past[0, -1, 0][:, 12:16], atol=1e-5, rtol=0)


@both
def test_flow_of_a_pan_moves_every_pixel_and_repeats_the_border(flow):
    texture = torch.nn.functional.interpolate(noise(1, 1, 10, 14), (40, 56), mode="bicubic")
    texture = texture.clamp(0, 1)
    known = torch.stack([texture[..., 4:36, 6 - k : 46 - k] for k in range(2)], dim=1)
    second = flow(known, 2)[:, 1]
    true = texture[..., 4:36, 3:43]
    assert (second - true)[..., 6:-6, 8:-6].abs().mean() < 0.01
    assert (copy(known, 2)[:, 1] - true)[..., 6:-6, 8:-6].abs().mean() > 0.05
    torch.testing.assert_close(second[..., 6:-6, 0], second[..., 6:-6, 1], atol=0.05, rtol=0)


@both
def test_flow_leaves_what_stands_still_and_takes_windows_one_by_one(flow):
    moving = scene([(20, 16), (22, 16)], channels=1)
    still = moving[:, 1:].repeat(1, 2, 1, 1, 1)
    both = flow(torch.cat([moving, still]), 3)
    torch.testing.assert_close(both[1:], copy(still, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(both[:1], flow(moving, 3))
