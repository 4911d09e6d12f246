"""The metrics where the answer is known: perfect and blind judges, painted skin, no variety."""

import math

import pytest
import torch
from gantools_text2image.metrics import (
    SKIN,
    distractors,
    diversity_ratio,
    r_precision,
    skin_shares,
    skin_tone,
)
from gantools_text2image.placing import placed_like

COLOURS = [torch.tensor(list(bytes.fromhex(colour))) for colour in SKIN.split()]


def painted(*stripes):
    """White paper 32×32, with stripes of (colour, height) on the left half."""
    image = torch.full((3, 32, 32), 255, dtype=torch.uint8)
    top = 0
    for colour, height in stripes:
        image[:, top : top + height, :16] = colour.to(torch.uint8)[:, None, None]
        top += height
    return image


def test_r_precision_of_an_oracle_a_liar_and_a_blind_judge():
    own, others = torch.ones(7), torch.zeros(7, 99)
    assert r_precision(own, others) == 1
    assert r_precision(-own, others) == 0
    assert r_precision(own, torch.ones(7, 99)) == pytest.approx(0.01)  # the same to all: chance


def test_ties_share_the_point():
    own = torch.tensor([1.0, 1.0, 1.0])
    others = torch.tensor([[0.0, 1.0, 0.0], [1.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
    assert r_precision(own, others) == pytest.approx((1 / 2 + 0 + 1) / 3)


def test_chance_is_one_in_a_hundred():
    scores = torch.rand(20_000, 100, generator=torch.Generator().manual_seed(0))
    error = math.sqrt(0.01 * 0.99 / 20_000)
    assert r_precision(scores[:, 0], scores[:, 1:]) == pytest.approx(0.01, abs=4 * error)


def test_r_precision_needs_candidates():
    with pytest.raises(ValueError, match="candidates"):
        r_precision(torch.ones(3), torch.ones(3, 0))


def test_distractors_are_others_by_name_and_all_alike_likely():
    names = ["a", "b", "a", "c", "d"]
    own = torch.tensor([0] * 3000)
    found = distractors(names, own, torch.Generator().manual_seed(0), count=2)
    assert found.shape == (3000, 2)
    assert (found[:, 0] != found[:, 1]).all()
    counts = found.flatten().bincount(minlength=5)
    assert counts[[0, 2]].tolist() == [0, 0]
    expected, error = 2000, math.sqrt(3000 * 2 / 3 / 3)
    assert (counts[[1, 3, 4]] - expected).abs().max() < 4 * error


def test_there_may_be_fewer_distractors():
    found = distractors(["a", "b", "a"], torch.tensor([0, 1, 2]))
    assert found.tolist() == [[1], [0], [1]] or found.tolist() == [[1], [2], [1]]
    with pytest.raises(ValueError, match="two different names"):
        distractors(["a", "a"], torch.tensor([0]))


def test_diversity():
    real = torch.tensor([0.0, 1.0]).view(1, 2, 1).expand(3, 2, 1)  # one apart
    assert diversity_ratio(torch.zeros(4, 5, 1), real) == 0
    assert diversity_ratio(real, real) == 1
    assert diversity_ratio(3 * real, real) == pytest.approx(3)
    corners = torch.eye(3).view(1, 3, 3)  # √2 apart, each from each
    assert diversity_ratio(corners, real) == pytest.approx(math.sqrt(2))
    normal = torch.randn(50, 8, 6, generator=torch.Generator().manual_seed(0))
    assert diversity_ratio(normal[:25], normal[25:]) == pytest.approx(1, abs=0.05)


def test_diversity_needs_two_that_differ():
    some = torch.rand(2, 3, 4)
    with pytest.raises(ValueError, match="two pictures"):
        diversity_ratio(some[:, :1], some)
    with pytest.raises(ValueError, match="do not vary"):
        diversity_ratio(some, torch.ones(2, 3, 4))


def test_the_shares_of_painted_skin():
    image = painted((COLOURS[1], 16), (COLOURS[4], 8))
    assert skin_shares(image.unsqueeze(0)).tolist() == [[0, 1 / 4, 0, 0, 1 / 8]]


@pytest.mark.parametrize("tone", range(5))
def test_painted_skin_has_its_tone(tone):
    images = torch.stack([painted((COLOURS[tone], 12), (torch.zeros(3), 4))])
    floats = images.float() / 127.5 - 1
    turned = placed_like(floats, torch.tensor([12.0]), torch.tensor([0.8]), torch.zeros(1, 2))
    noise = 0.04 * torch.randn(floats.shape, generator=torch.Generator().manual_seed(0))
    for seen in (images, floats, turned, floats + noise):
        assert skin_tone(seen).tolist() == [tone]


def test_brown_hair_does_not_make_light_skin_dark():
    more_hair = painted((COLOURS[3], 20), (COLOURS[0], 8))
    assert skin_tone(more_hair.unsqueeze(0)).tolist() == [0]
    a_few_light_pixels = painted((COLOURS[3], 20), (COLOURS[0], 2))
    assert skin_tone(a_few_light_pixels.unsqueeze(0)).tolist() == [3]


def test_no_skin_no_tone():
    yellow = painted((torch.tensor([0xFC, 0xEA, 0x2B]), 20))
    assert skin_tone(torch.stack([yellow, painted()])).tolist() == [-1, -1]
