"""Feature matching, historical averages and K + 1 classes against what they are by definition."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softmax
from torch.testing import assert_close

from gantools import Player
from gantools.losses import (
    HistoricalAverage,
    feature_matching,
    non_saturating,
    real_score,
    semi_supervised,
)


def test_feature_matching_compares_means():
    real = torch.tensor([[0.0, 2.0], [4.0, 4.0]])
    fake = torch.tensor([[1.0, 1.0], [0.0, 0.0], [2.0, -1.0]]).requires_grad_(True)
    loss = feature_matching(real, fake)  # (2, 3) against (1, 0)
    assert loss.item() == pytest.approx(1 + 9)
    gradient = torch.autograd.grad(loss, fake)[0]
    assert_close(gradient, torch.tensor([[-2.0, -6.0]]).expand(3, 2) / 3)
    assert feature_matching(real.view(2, 2, 1), real.flip(0).view(2, 2, 1)) == 0


@pytest.fixture
def walk():
    """A player, and where its parameters go."""
    player = Player(nn.Linear(2, 3))
    places = torch.randn(5, 9, generator=torch.Generator().manual_seed(0))

    def go(time: int) -> torch.Tensor:
        nn.utils.vector_to_parameters(places[time], player.parameters())
        return places[: time + 1].mean(0) - places[time]

    return player, go


def test_the_historical_average_is_that_of_all_times(walk):
    player, go = walk
    average = HistoricalAverage(player)
    for time in range(5):
        distance = go(time)
        penalty = average(player)
        assert penalty.item() == pytest.approx(distance.square().sum().item(), rel=1e-5)
        gradients = torch.autograd.grad(penalty, list(player.parameters()))
        assert_close(torch.cat([g.flatten() for g in gradients]), -2 * distance)


def test_the_historical_average_goes_on_from_its_state(walk):
    player, go = walk
    average = HistoricalAverage(player.module)
    for time in range(3):
        go(time)
        average(player)
    other = HistoricalAverage(player)
    other.load_state_dict(average.state_dict())
    go(4)
    assert other(player) == average(player) > 0


LOGITS = 2 * torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(0)).double()
LABELS = torch.tensor([0, 3, 1, 1, 2, 0])


def with_fake(logits: torch.Tensor) -> torch.Tensor:
    """The logits of K + 1 classes, the last one 0."""
    return nn.functional.pad(logits, (0, 1))


def test_the_score_is_the_logit_of_z_over_z_plus_one():
    z = LOGITS[0].exp().sum(1)
    assert_close(real_score(LOGITS[0]).sigmoid(), z / (z + 1))


def test_the_terms_are_those_of_a_softmax_over_one_class_more():
    labelled, unlabelled, fake = LOGITS
    terms = semi_supervised(labelled, LABELS, unlabelled, fake)
    p = softmax(with_fake(labelled), 1)
    given_real = p[range(6), LABELS] / (1 - p[:, 4])
    assert_close(terms["supervised"], -given_real.log().mean())
    assert_close(terms["real"], -(1 - softmax(with_fake(unlabelled), 1)[:, 4]).log().mean())
    assert_close(terms["fake"], -softmax(with_fake(fake), 1)[:, 4].log().mean())


def test_with_all_labels_known_it_is_the_cross_entropy_of_all_classes():
    labelled, _, fake = LOGITS
    terms = semi_supervised(labelled, LABELS, labelled, fake)
    on_real = cross_entropy(with_fake(labelled), LABELS)
    on_fake = cross_entropy(with_fake(fake), torch.full((6,), 4))
    assert_close(sum(terms.values()), on_real + on_fake)


def test_without_labels_it_is_the_non_saturating_objective():
    labelled, unlabelled, fake = LOGITS
    terms = semi_supervised(labelled, LABELS, unlabelled, fake)
    expected = non_saturating.discriminator(real_score(unlabelled), real_score(fake))
    assert_close(terms["real"] + terms["fake"], expected)


def test_large_logits_stay_finite():
    large = torch.tensor([[1e4, -1e4], [-1e4, -1e4]], requires_grad=True)
    terms = semi_supervised(large, torch.tensor([1, 0]), large, large)
    assert terms["supervised"].item() == pytest.approx((2e4 + 0.6931) / 2)
    assert terms["real"].item() == pytest.approx((0 + 1e4) / 2, rel=1e-4)
    assert terms["fake"].item() == pytest.approx((1e4 + 0) / 2, rel=1e-4)
    assert torch.autograd.grad(sum(terms.values()), large)[0].isfinite().all()
