"""Batches: epochs, shares of processes, and resumes at any position."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from gantools.data import Batches


def take(batches: Batches, count: int) -> list[torch.Tensor]:
    return list(islice(iter(batches), count))


def test_an_epoch_visits_each_sample_at_most_once():
    batches = Batches(torch.arange(10), size=3, seed=1)
    for _ in range(4):
        seen = torch.cat(take(batches, 3))
        assert len(seen.unique()) == 9


def test_over_epochs_every_sample_is_visited_and_orders_differ():
    epochs = torch.stack(take(Batches(torch.arange(8), size=8), 20))
    assert len(epochs.unique(dim=0)) == 20
    few = torch.cat(take(Batches(torch.arange(10), size=3), 60))
    assert set(few.tolist()) == set(range(10))


def test_seeds_have_orders_of_their_own():
    first, second = (take(Batches(torch.arange(50), size=50, seed=s), 1)[0] for s in (0, 1))
    assert not torch.equal(first, second)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_each_batch_without_overlap(world_size):
    samples = torch.arange(40)
    whole = take(Batches(samples, size=6, seed=2), 12)
    shares = [
        take(Batches(samples, size=6, seed=2, rank=rank, world_size=world_size), 12)
        for rank in range(world_size)
    ]
    for batch, *parts in zip(whole, *shares, strict=True):
        assert {len(part) for part in parts} == {6 // world_size}
        assert torch.equal(torch.cat(parts).sort().values, batch.sort().values)


@pytest.mark.parametrize("stop", range(9))
def test_a_resume_at_any_position_goes_on_as_if_it_had_never_stopped(stop):
    def make() -> Batches:
        return Batches(torch.arange(11), size=4, seed=5)

    never_stopped = take(make(), 9)
    first = make()
    before = take(first, stop)
    second = make()
    second.load_state_dict(first.state_dict())
    after = take(second, 9 - stop)
    assert torch.equal(torch.stack(before + after), torch.stack(never_stopped))


def test_iterating_again_goes_on_and_several_tensors_stay_together():
    batches = Batches(torch.arange(6), torch.arange(6) * 10, size=2)
    pairs = take(batches, 1) + take(batches, 2)
    assert all(torch.equal(ten_times, 10 * x) for x, ten_times in pairs)
    assert torch.cat([x for x, _ in pairs]).sort().values.tolist() == list(range(6))


@pytest.mark.parametrize(
    ("tensors", "options", "message"),
    [
        ((), {"size": 1}, "one length"),
        ((torch.zeros(3), torch.zeros(4)), {"size": 1}, r"one length, not \[3, 4\]"),
        ((torch.zeros(3),), {"size": 4}, "1 to 3 samples, not 4"),
        ((torch.zeros(3),), {"size": 0}, "1 to 3 samples, not 0"),
        ((torch.zeros(9),), {"size": 5, "world_size": 2}, "5 samples .* 2 processes"),
    ],
)
def test_what_makes_no_batches_is_refused(tensors, options, message):
    with pytest.raises(ValueError, match=message):
        Batches(*tensors, **options)
