"""The replay pool: what it keeps, what it draws, what a checkpoint holds of it."""

from __future__ import annotations

import pytest
import torch
from gantools_vime.pool import Pool
from torch.testing import assert_close


def steps(first: int, size: int):
    """Transitions that are told apart by their numbers: obs (k, k), action −k, next (k+½, k+½)."""
    k = torch.arange(first, first + size, dtype=torch.float32)[:, None]
    return k.expand(-1, 2), -k, (k + 0.5).expand(-1, 2)


def numbers(pool: Pool) -> list[int]:
    return sorted(int(k) for k in pool.state_dict()["rows"][:, 0])


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_pool_keeps_the_last_transitions():
    pool = Pool(2, 1, capacity=5)
    pool.add(*steps(0, 3))
    assert (len(pool), numbers(pool)) == (3, [0, 1, 2])
    pool.add(*steps(3, 4))
    assert (len(pool), numbers(pool)) == (5, [2, 3, 4, 5, 6])


def test_a_rollout_longer_than_the_pool_leaves_its_end():
    pool = Pool(2, 1, capacity=5)
    pool.add(*steps(0, 13))
    assert numbers(pool) == [8, 9, 10, 11, 12]
    pool.add(*steps(13, 2))
    assert numbers(pool) == [10, 11, 12, 13, 14]


def test_what_is_drawn_belongs_together_and_is_in_the_pool():
    pool = Pool(2, 1, capacity=100)
    pool.add(*steps(10, 20))
    obs, action, next_obs = pool.draw(64, seeded())
    assert (obs.shape, action.shape, next_obs.shape) == ((64, 2), (64, 1), (64, 2))
    assert_close(action, -obs[:, :1])
    assert_close(next_obs, obs + 0.5)
    assert set(obs[:, 0].int().tolist()) <= set(range(10, 30))


def test_draws_are_uniform_over_the_filled_part():
    pool = Pool(2, 1, capacity=1000)
    pool.add(*steps(0, 4))
    drawn = pool.draw(40_000, seeded())[0][:, 0].long()
    assert_close(drawn.bincount(minlength=4) / 40_000, torch.full((4,), 0.25), atol=0.02, rtol=0)


def test_draws_come_from_the_generator():
    pool = Pool(2, 1, capacity=100)
    pool.add(*steps(0, 50))
    assert_close(pool.draw(8, seeded(3)), pool.draw(8, seeded(3)))
    assert not pool.draw(8, seeded(3))[1].equal(pool.draw(8, seeded(4))[1])


@pytest.mark.parametrize("size", [3, 7])
def test_a_pool_goes_on_from_its_state(size):
    pool, other = Pool(2, 1, capacity=5), Pool(2, 1, capacity=5)
    pool.add(*steps(0, size))
    state = pool.state_dict()
    pool.add(*steps(50, 2))  # the state is a copy
    assert len(state["rows"]) == min(size, 5)
    other.load_state_dict(state)
    other.add(*steps(50, 2))
    assert len(other) == len(pool)
    assert_close(other.draw(32, seeded()), pool.draw(32, seeded()))


def test_bad_input_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match="empty pool"):
        Pool(2, 1).draw(3, seeded())
    with pytest.raises(ValueError, match="at least one"):
        Pool(2, 1, capacity=0)
    pool = Pool(2, 1, capacity=5)
    pool.add(*steps(0, 5))
    with pytest.raises(ValueError, match="do not fit"):
        Pool(2, 1, capacity=4).load_state_dict(pool.state_dict())
    with pytest.raises(ValueError, match="do not fit"):
        Pool(3, 1, capacity=5).load_state_dict(pool.state_dict())
