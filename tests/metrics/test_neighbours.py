"""Nearest neighbours: a few points by hand, and what the papers expect of equal distributions."""

from __future__ import annotations

import math

import pytest
import torch

from gantools.metrics import density_coverage, memorisation, nearest_neighbour, precision_recall


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).unsqueeze(1)


def normal(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


REAL = column(0, 1, 3)  # with k = 1 the balls are [−1, 1], [0, 2] and [1, 5]


def test_precision_and_recall_by_hand():
    # 2 is in two of the balls, 10 in none; the fakes' own balls are [−6, 10] and [2, 18].
    assert precision_recall(REAL, column(2, 10), k=1) == {"precision": 0.5, "recall": 1}
    # Balls of the fakes 2, 4 and 9: [0, 4], [2, 6] and [4, 14]; −1 is in none.
    found = precision_recall(column(-1, 1, 3), column(2, 4, 9), k=1)
    assert found == {"precision": pytest.approx(2 / 3), "recall": pytest.approx(2 / 3)}


def test_density_and_coverage_by_hand():
    # Fakes 2 and 10 are in 2 and 0 balls, out of 1 · 2; a fake is in the second and third ball.
    found = density_coverage(REAL, column(2, 10), k=1)
    assert found == {"density": pytest.approx(1), "coverage": pytest.approx(2 / 3)}
    # With k = 2 the balls are [−3, 3], [−1, 3] and [0, 6]: 2 is in all three.
    assert density_coverage(REAL, column(2), k=2) == {"density": 1.5, "coverage": 1}


def test_equal_distributions_have_the_density_and_coverage_of_the_paper():
    n, m, k = 120, 60, 5
    found = [density_coverage(normal(n, 3, s), normal(m, 3, 500 + s), k) for s in range(150)]
    for name, expected in {
        "density": 1,
        "coverage": 1 - math.prod((n - i) / (n + m - i) for i in range(1, k + 1)),
    }.items():
        values = torch.tensor([each[name] for each in found])
        error = values.std().item() / math.sqrt(len(values))
        assert error < 0.01
        assert values.mean().item() == pytest.approx(expected, abs=3.5 * error)


def test_a_generator_of_one_mode_is_precise_and_recalls_half():
    real = torch.cat([normal(300, 2, 0), normal(300, 2, 1) + 50])
    fake = normal(600, 2, 2)
    apart = {**precision_recall(real, fake), **density_coverage(real, fake)}
    assert apart["precision"] > 0.9
    assert 0.4 < apart["recall"] <= 0.5
    assert 0.4 < apart["coverage"] <= 0.5


@pytest.mark.parametrize("judge", [precision_recall, density_coverage])
def test_k_neighbours_need_more_than_k_samples(judge):
    with pytest.raises(ValueError, match="5 neighbours need more than 5 samples"):
        judge(torch.zeros(5, 2), torch.zeros(9, 2))


def test_nearest_neighbours_of_images_and_of_more_samples_than_fit_at_once():
    among = torch.tensor([[[[0.0, 0.0]]], [[[3.0, 4.0]]], [[[9.0, 9.0]]]])  # [3, 1, 1, 2]
    distances, indices = nearest_neighbour(torch.zeros(2500, 1, 1, 2), among[1:])
    assert (distances == 5).all()
    assert (indices == 0).all()
    assert nearest_neighbour(among, among).indices.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="samples on each side"):
        nearest_neighbour(among, among[:0])


def test_a_copy_is_at_distance_zero_exactly():
    # Far from the origin, where ‖x‖² + ‖y‖² − 2 x·y would not be zero in single precision.
    samples = normal(500, 16, 0) + 100
    assert (nearest_neighbour(samples, samples).distances == 0).all()
    assert (torch.cdist(samples, samples).diagonal() > 0).any()


def test_copies_and_fresh_samples_are_told_apart():
    train, held_out, fresh = (normal(1000, 2, s) for s in range(3))
    copied = memorisation(train, held_out, train[:500])
    assert copied["ratio"] == copied["distance"] == 0
    assert copied["closer_share"] == 1
    learnt = memorisation(train, held_out, fresh)
    assert learnt["ratio"] == pytest.approx(1, abs=0.1)
    assert learnt["closer_share"] == pytest.approx(0.5, abs=0.05)
    assert memorisation(train, held_out, fresh + 9)["ratio"] > 10


def test_memorisation_by_hand():
    # Nearest training samples: of fakes 1, 2 and 0 away; of held-out reals 3, 1 and 1.
    found = memorisation(column(0, 10), column(3, 9, 11), column(1, 12, 10))
    assert found == {
        "distance": 1,
        "held_out_distance": 1,
        "ratio": 1,
        "closer_share": pytest.approx(1 / 3),
    }
