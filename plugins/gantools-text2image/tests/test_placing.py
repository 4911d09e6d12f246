"""Placing against known answers: the identity, quarter turns, whole pixels, white paper."""

import pytest
import torch
from gantools_text2image.placing import place, placed_like


def still(count: int) -> dict[str, torch.Tensor]:
    """No turn, the same size, no shift."""
    return {
        "angle": torch.zeros(count),
        "scale": torch.ones(count),
        "shift": torch.zeros(count, 2),
    }


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_no_move_changes_nothing(images):
    torch.testing.assert_close(placed_like(images, **still(4)), images, atol=1e-5, rtol=0)
    bytes_ = ((images + 1) * 127.5).round().to(torch.uint8)
    assert torch.equal(placed_like(bytes_, **still(4)), bytes_)


def test_a_quarter_turn_is_rot90(images):
    turned = placed_like(images, **{**still(4), "angle": torch.tensor([0.0, 90, 180, -90])})
    for image, result, quarters in zip(images, turned, (0, 1, 2, -1), strict=True):
        torch.testing.assert_close(result, torch.rot90(image, quarters, (1, 2)), atol=1e-4, rtol=0)


def test_a_shift_by_whole_pixels_is_roll_with_white_coming_in(images):
    shift = torch.tensor([3 / 32, -5 / 32]).expand(4, 2)  # 3 to the right, 5 up
    expected = torch.roll(images, (-5, 3), (2, 3))
    expected[:, :, -5:] = 1
    expected[:, :, :, :3] = 1
    torch.testing.assert_close(
        placed_like(images, **{**still(4), "shift": shift}), expected, atol=1e-4, rtol=0
    )


def test_half_the_size_leaves_a_quarter_of_the_ink():
    black = torch.full((1, 3, 32, 32), -1.0)
    halved = placed_like(black, **{**still(1), "scale": torch.tensor([0.5])})
    assert torch.all(halved[:, :, :7] == 1)  # white around,
    assert torch.all(halved[:, :, 9:23, 9:23] == -1)  # black within
    assert ((1 - halved) / 2).mean() == pytest.approx(0.25, abs=1e-3)


def test_a_shift_comes_after_the_turn_and_the_scale():
    dot = torch.ones(1, 3, 32, 32)
    dot[:, :, 8:12, 22:26] = -1  # its centre lies 8 right of the image's centre and 6 above
    moved = placed_like(dot, torch.tensor([90.0]), torch.tensor([0.5]), torch.tensor([[0.25, 0.0]]))
    ink = (1 - moved[0, 0]) / 2
    places = torch.arange(32) + 0.5
    x = (ink.sum(0) * places).sum() / ink.sum()
    y = (ink.sum(1) * places).sum() / ink.sum()
    # Turned anticlockwise: 6 left and 8 above; halved: 3 left and 4 above; then 8 to the right.
    assert (x.item(), y.item()) == pytest.approx((16 - 3 + 8, 16 - 4), abs=0.05)


def test_the_generator_decides_all(images):
    one = place(images, torch.Generator().manual_seed(1))
    torch.manual_seed(5)
    again = place(images, torch.Generator().manual_seed(1))
    other = place(images, torch.Generator().manual_seed(2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.min() >= -1
    assert one.max() <= 1
    same = place(images[:1].expand(2, -1, -1, -1), torch.Generator().manual_seed(1))
    assert not torch.equal(same[0], same[1])  # each moves by amounts of its own


def test_all_stays_within_the_ranges():
    dot = torch.ones(500, 3, 32, 32)
    dot[:, :, 15:17, 15:17] = -1  # in the centre, where a turn moves nothing
    ink = (1 - place(dot, torch.Generator().manual_seed(0))[:, 0]) / 2
    places = torch.arange(32) + 0.5
    x = (ink.sum(1) * places).sum(1) / ink.sum((1, 2)) - 16
    assert x.abs().max() <= 0.06 * 32 + 0.2
    assert x.min() < -1.5
    assert x.max() > 1.5
    area = ink.sum((1, 2)) / 4
    assert area.min() < 0.75  # .8² of it is .64
    assert 0.75 < area.mean() < 0.9  # the mean of s² for s in [.8, 1] is .813


def test_bytes_stay_bytes(images):
    drawings = ((images + 1) * 127.5).round().to(torch.uint8)
    placed = place(drawings, torch.Generator().manual_seed(1))
    assert placed.dtype == torch.uint8
    floats = place(drawings.float() / 127.5 - 1, torch.Generator().manual_seed(1))
    torch.testing.assert_close(placed.float() / 127.5 - 1, floats, atol=1 / 250, rtol=0)
