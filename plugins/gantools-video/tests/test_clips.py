"""Clips: how they are split, where they are cut, and how digits move."""

import warnings

import numpy as np
import pytest
import torch
from gantools_video import clips
from gantools_video.clips import Crops, Windows, cuts, load
from gantools_video.digits import MovingDigits, moving_digits

from gantools import Note, UserError
from gantools.data import LabelledDigits, Split
from gantools.media import write_video


@pytest.fixture(autouse=True)
def _no_other_notes():
    """A Note that a test does not expect fails it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        yield


def film(path, levels):
    """A film of flat greys, 25 a second."""
    write_video(path, (np.full((32, 48, 3), level, np.uint8) for level in levels), 25)
    return str(path)


def greys(stretches):
    return [[round(float(frame.float().mean())) for frame in stretch] for stretch in stretches]


def near(found, expected):
    assert [len(stretch) for stretch in found] == [len(stretch) for stretch in expected]
    for stretch, levels in zip(found, expected, strict=True):
        np.testing.assert_allclose(stretch, levels, atol=3)


SLOW = [60 + 4 * i for i in range(20)]
SCENES = [40 + i for i in range(8)] + [180 - i for i in range(8)] + [90 + i for i in range(4)]


def test_a_video_is_split_by_time_and_at_its_cuts(tmp_path):
    found = load(film(tmp_path / "x.mp4", SCENES), size=16, seed=0)
    near(greys(found.train), [SCENES[:8], SCENES[8:14]])
    near(greys(found.test), [SCENES[14:16], SCENES[16:]])
    assert found.left_out == []
    assert found.source.endswith("x.mp4', 20 frames; 2 scene cuts avoided")
    for stretch in found.train:  # the whole picture, half as large again as what is cut out
        assert stretch.dtype == torch.uint8
        assert stretch.shape[1:] == (3, 24, 36)
    for stretch in found.test:
        assert stretch.dtype == torch.uint8
        assert stretch.shape[1:] == (3, 16, 16)


def test_a_folder_and_the_clip_that_is_left_out(tmp_path):
    (tmp_path / "below").mkdir()
    film(tmp_path / "below" / "a.mp4", SLOW)
    film(tmp_path / "b.mp4", SCENES)
    (tmp_path / "notes.txt").write_text("no film")
    whole = load(str(tmp_path), 8, 0)
    near(greys(whole.train), [SCENES[:8], SCENES[8:14], SLOW[:14]])
    near(greys(whole.test), [SCENES[14:16], SCENES[16:], SLOW[14:]])
    for name in ("b", "b.mp4"):
        part = load(str(tmp_path), 8, 0, leave_out=name)
        near(greys(part.train), [SLOW[:14]])
        near(greys(part.test), [SLOW[14:]])
        near(greys(part.left_out), [SCENES[:8], SCENES[8:16], SCENES[16:]])
        assert part.source == whole.source
    assert whole.source.startswith("2 videos in")
    assert whole.source.endswith("40 frames; 2 scene cuts avoided")
    with pytest.raises(UserError, match=r"no clip 'c.mp4' to leave out. Did you mean 'b.mp4'"):
        load(str(tmp_path), 8, 0, leave_out="c.mp4")


def test_files_that_cannot_be_read_are_told_and_left_out(tmp_path):
    film(tmp_path / "a.mp4", SLOW)
    (tmp_path / "b.mp4").write_bytes(b"no film")
    with pytest.warns(Note, match=r"Left out, 1 file: '.*b.mp4' cannot be read"):
        assert load(str(tmp_path), 8, 0).source.startswith("1 videos")
    with pytest.raises(UserError, match=r"b.mp4' cannot be read"):
        load(str(tmp_path / "b.mp4"), 8, 0)


def test_what_gives_nothing_to_train_on(tmp_path):
    with pytest.raises(UserError, match=r"no file or folder 'moving-digit'\. Did you mean"):
        load("moving-digit", 64, 0)
    with pytest.raises(UserError, match="no videos in the folder"):
        load(str(tmp_path), 64, 0)
    short = film(tmp_path / "x.mp4", SLOW[:1])
    with pytest.raises(UserError, match="too short: it has 0 frames to train on and 1 for"):
        load(short, 64, 0)
    with pytest.raises(UserError, match="too short: it has 0 frames to train on and 0 for"):
        load(str(tmp_path), 64, 0, leave_out="x")
    with pytest.raises(UserError, match="moving-digits has no clip 'x'"):
        load("moving-digits", 64, 0, leave_out="x")


def test_windows_stay_within_their_stretch():
    stretches = [torch.arange(a, b).view(-1, 1) for a, b in ((0, 5), (10, 12), (20, 23))]
    found = Windows(stretches, 3)
    assert len(found) == 4
    assert found[torch.arange(4)].squeeze(-1).tolist() == [
        [0, 1, 2],
        [1, 2, 3],
        [2, 3, 4],
        [20, 21, 22],
    ]
    assert len(Windows(stretches, 6)) == 0


def test_windows_hold_no_copy_of_the_frames():
    stretches = [torch.zeros(5, 1), torch.zeros(4, 1)]
    found = Windows(stretches, 2)
    stretches[1][3] = 7
    assert found[torch.tensor([3, 6])].flatten().tolist() == [0, 0, 0, 7]


def test_what_is_kept_is_the_same_when_it_is_read(tmp_path):
    train = [torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2), torch.ones(1, 3, 2, 2)]
    done = [torch.rand(2, 5), torch.rand(1, 5)]
    films = clips.Clips(train, train[1:], [], "two films", done, done[1:])
    clips.keep(films, tmp_path / "kept.npz")
    again = clips.kept(tmp_path / "kept.npz")
    assert (again.source, again.left_out) == ("two films", [])
    for given, found in (
        (train, again.train),
        (train[1:], again.test),
        (done, again.train_actions),
        (done[1:], again.test_actions),
    ):
        assert len(given) == len(found)
        assert all(map(torch.equal, given, found))


def still(levels):
    return torch.tensor(levels, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([10, 10, 10, 90, 90, 90, 30, 30, 30], [3, 6]),
        ([10, 90], [1]),
        ([10, 90, 90, 90], [1]),
        ([10, 10, 10, 90], [3]),
        ([10] * 6, []),
        ([7], []),
        (list(range(0, 250, 25)), []),  # fast, but lasting
        ([10, 10, 10, 22, 22, 22], []),  # a cut to nearly the same is too little to be one
        ([50, 52, 54, 56, 200, 198, 196], [4]),  # brighter and darker count alike
        ([10, 10, 10, 250, 10, 10, 10], [3, 4]),  # a flash
        ([0, 30, 60, 90, 190, 220, 250, 220], [4]),  # 100 is far more than 30
        ([0, 30, 60, 90, 150, 180, 210, 240], []),  # 60 is not
    ],
)
def test_cuts(levels, expected):
    assert cuts(still(levels)) == expected


def test_the_place_of_a_change_does_not_count():
    clip = torch.zeros(6, 3, 8, 8, dtype=torch.uint8)
    clip[:3, :, :4], clip[3:, :, 4:] = 200, 200  # as bright as before, elsewhere
    assert cuts(clip) == [3]


def test_digits_fly_straight_and_bounce():
    side, free = 6, 100
    seen_or_not = torch.tensor([255, 0], dtype=torch.uint8).view(2, 1, 1, 1)
    glyphs = seen_or_not.expand(2, 1, side, side)
    film = moving_digits(glyphs, 40, 30, side + free, torch.Generator().manual_seed(0))
    assert film.shape == (40, 30, 1, side + free, side + free)
    one_seen = [each[:, 0] for each in film if ((each > 0).flatten(1).sum(1) == side**2).all()]
    assert len(one_seen) > 10
    headings, sides = set(), set()
    for sequence in one_seen:
        places = torch.stack([frame.nonzero().amin(0) for frame in sequence]).float()
        steps = places.diff(dim=0)
        within = ((places > 0) & (places < free)).all(1)
        flying = steps[within[1:] & within[:-1]]
        # A tenth of the free way a frame, along both ways but for the turns; whole pixels shown.
        np.testing.assert_allclose(flying.norm(dim=1), free / 10, atol=1.5)
        assert (flying.abs().amax(0) - flying.abs().amin(0) <= 1).all()
        headings |= {tuple(step) for step in flying.sign().tolist()}
        for before, after, place in zip(steps, steps[1:], places[1:], strict=False):
            for way in range(2):
                if before[way] * after[way] < 0:  # it turns at a side and nowhere else
                    assert place[way] in (0, free)
                    sides.add((way, place[way].item()))
    assert {(1, 1), (1, -1), (-1, 1), (-1, -1)} <= headings
    assert sides == {(0, 0), (0, free), (1, 0), (1, free)}


def test_the_brighter_pixel_is_seen_where_digits_overlap():
    glyphs = torch.tensor([100, 200], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 20, 20)
    film = moving_digits(glyphs, 40, 5, 24, torch.Generator().manual_seed(0))
    assert set(film.unique().tolist()) == {0, 100, 200}
    mixed = [sequence for sequence in film if (sequence == 100).any() and (sequence == 200).any()]
    assert mixed
    assert all(((sequence == 200).flatten(1).sum(1) == 400).all() for sequence in mixed)


def test_moving_digits_are_made_by_their_seed_from_digits_held_out(monkeypatch):
    dark, bright = (torch.full((3, 1, 28, 28), ink, dtype=torch.uint8) for ink in (64, 255))
    made, asked = LabelledDigits(Split(dark, bright), Split(None, None)), []
    monkeypatch.setattr(clips, "labelled_digits", lambda seed: asked.append(seed) or made)
    monkeypatch.setattr(clips, "DIGITS_TEST", 3)
    found, again, other = (load("moving-digits", 32, seed) for seed in (4, 4, 5))
    assert asked == [4, 4, 5]
    assert [stretch.shape for stretch in found.test] == [(80, 1, 32, 32)] * 3
    assert [stretch.max() for stretch in found.test] == [255] * 3
    assert all(map(torch.equal, found.test, again.test))
    assert not all(map(torch.equal, found.test, other.test))
    assert found.train == []
    (rows,) = found.rows(7, 32)
    assert rows[torch.arange(2)].shape == (2, 7, 1, 32, 32)
    assert rows[torch.arange(2)].max() == 64
    with pytest.raises(UserError, match="Digits of 28 pixels cannot move in 28: take 64"):
        load("moving-digits", 28, 0)


def test_no_two_batches_of_moving_digits_are_alike_but_by_their_draw():
    glyphs = torch.full((2, 1, 6, 6), 255, dtype=torch.uint8)
    rows = MovingDigits(glyphs, 5, 32)
    seeds = (0, 0, 1)
    one, same, other = (
        rows.draw(torch.arange(4), torch.Generator().manual_seed(seed)) for seed in seeds
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(rows[torch.tensor([3, 1])][0], rows[torch.tensor([3])][0])


def numbered(height, width):
    """A film of 6 frames whose pixels say where they are: t, y, x."""
    axes = (torch.arange(n, dtype=torch.uint8) for n in (6, height, width))
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), 1)


def test_what_is_as_large_as_a_crop_is_mirrored_and_turned_in_time_alone():
    film = numbered(8, 8)
    rows = Crops([film], 6, 8)
    seen = rows.draw(torch.zeros(200, dtype=torch.long), torch.Generator().manual_seed(0))
    ways = [film, film.flip(-1), film.flip(0), film.flip(0, -1)]
    count = [sum(torch.equal(one, way) for one in seen) for way in ways]
    assert sum(count) == 200
    assert min(count) > 30
    assert torch.equal(rows[torch.tensor([0])][0], film)


def test_crops_lie_anywhere_and_are_of_all_sizes():
    film = numbered(12, 20)
    seen = Crops([film], 6, 8).draw(
        torch.zeros(400, dtype=torch.long), torch.Generator().manual_seed(0)
    )
    assert seen.shape == (400, 6, 3, 8, 8)
    assert seen.dtype == torch.uint8
    y, x = seen[:, 0, 1, :, 0].float(), seen[:, 0, 2, 0].float().sort(1).values
    sides = (y[:, -1] - y[:, 0]) * 8 / 7  # of what was cut out
    assert 7.5 <= sides.min() < 8.5
    assert 11 < sides.max() < 13
    assert (x.min(), x.max()) == (0, 19)
    exact = sides == 8
    assert torch.equal(y[exact].diff(dim=1), torch.ones(int(exact.sum()), 7))
    assert set(y[exact][:, 0].tolist()) == {0, 1, 2, 3, 4}
    assert set(x[exact][:, 0].tolist()) == set(range(13))
    times = seen[:, :, 0, 0, 0].tolist()
    assert all(one in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]) for one in times)


def test_the_same_draws_give_the_same_crops():
    rows, order = Crops([numbered(12, 12)], 4, 8), torch.tensor([2, 0, 1])
    once, again, other = (rows.draw(order, torch.Generator().manual_seed(s)) for s in (3, 3, 4))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
