"""Environments: frames and actions belong together, and what cannot be learned from is said."""

import sys

import pytest
import torch
from gantools_video import clips, environments
from gantools_video.environments import films, numbers
from torch.testing import assert_close

from gantools import UserError

STEP = torch.tensor([-1.0, 0, 1])
"""By how much each action of Sum adds."""


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(environments, "TRAIN", 60)
    monkeypatch.setattr(environments, "TEST", 20)
    monkeypatch.setattr(environments, "PROBED", 40)


def levels(film):
    """What the left half shows, [T]."""
    assert (film[..., :8] == film[:, :1, :1, :1]).all()
    assert (film[..., 8:] == 0).all()  # the centre square, and nothing beside it
    return film[:, 0, 0, 0].float()


@pytest.mark.parametrize(
    ("env", "contrast", "every", "length"),
    [
        ("Bold", 16, 1, 8),
        ("Sum", 10, 2, 7),
        ("Odd", 10, 2, 6),  # its last step is half of one between frames
        ("Faint", 1, 8, 2),
    ],
)
def test_what_is_done_leads_from_frame_to_frame(env, contrast, every, length):
    *parts, said = films(env, 16, seed=3)
    assert f"a frame every {f'{every} steps' if every > 1 else 'step'};" in said
    for part, count in zip(parts, (60, 20), strict=True):
        assert sum(map(len, part.frames)) == count
        assert [len(film) for film in part.frames[:-1]] == [length] * (len(part.frames) - 1)
        for film, actions in zip(part.frames, part.actions, strict=True):
            assert film.shape == (len(film), 3, 16, 16)
            assert levels(film)[0] == 128
            assert_close(levels(film).diff(), contrast * every * (actions[:-1] @ STEP))
            assert (actions[:-1].sum(1) == 1).all()
            assert (actions[-1] == 0).all()


def test_actions_are_held_and_all_of_them_are_tried():
    train, _, _ = films("Bold", 16, seed=0)
    done = torch.cat([actions[:-1] for actions in train.actions]).argmax(1)
    assert set(done.tolist()) == {0, 1, 2}
    again = (done[1:] == done[:-1]).float().mean()
    assert again > 0.6  # a third, were each step drawn anew; 1 − (2 / 3) / 4.5 = .85


def test_numbers_are_scaled_by_their_bounds():
    train, _, said = films("Boxed", 16, seed=0)
    assert "a frame every 4 steps" in said
    rows = torch.cat([actions[:-1] for actions in train.actions])
    assert rows.dtype == torch.float32
    for column in (0, 1):
        assert -1 <= rows[:, column].min() < -0.5
        assert 0.5 < rows[:, column].max() <= 1
    assert rows[:, 2].abs().max() > 1  # without bounds: as it is
    for film, actions in zip(train.frames, train.actions, strict=True):
        change = 4 * 4 * 2 * actions[:-1, 0]  # contrast, steps, and −1 to 1 is −2 to 2
        assert_close(levels(film).diff(), change, atol=1.01, rtol=0)  # each level is rounded


def test_films_are_played_by_their_seed():
    (one, test, _), (again, _, _), (other, _, _) = (films("Sum", 16, seed) for seed in (4, 4, 5))
    assert all(map(torch.equal, one.frames + one.actions, again.frames + again.actions))
    assert not all(map(torch.equal, one.actions, other.actions))
    assert not torch.equal(one.actions[0], test.actions[0])


def test_clips_of_an_environment():
    found = clips.load("env:Sum-v0", 16, 3)
    train, test, said = films("Sum-v0", 16, 3)
    for mine, its in (
        (found.train, train.frames),
        (found.train_actions, train.actions),
        (found.test, test.frames),
        (found.test_actions, test.actions),
    ):
        assert all(map(torch.equal, mine, its))
    assert found.source == said
    assert "80 frames of 12 episodes of Sum-v0" in said
    assert found.left_out == []
    with pytest.raises(UserError, match="env:Sum-v0 has no clip 'x' to leave out"):
        clips.load("env:Sum-v0", 16, 3, leave_out="x")


@pytest.mark.parametrize(
    ("source", "shape"),
    [("env:Blind-v0", (3, 3)), ("env:Boxed", (3, 3)), ("moving-digits", (1, 0)), ("x.mp4", (3, 0))],
)
def test_the_shape_of_a_source_takes_no_film(source, shape):
    assert clips.shape(source) == shape


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("Sums-v0", "Unknown environment 'Sums-v0'. Did you mean 'Sum-v0'"),
        (
            "Several",
            r"Several has MultiDiscrete\(.*\) actions; Box and Discrete can be learned from",
        ),
        ("Blind", r"Blind cannot be filmed: it draws as \['human'\], not rgb_array"),
        ("Torn", r"Torn cannot be filmed here \(no display\): .* MUJOCO_GL"),
    ],
)
def test_what_cannot_be_learned_from_is_said(env, said):
    with pytest.raises(UserError, match=said):
        films(env, 16, 0)


def test_other_actions_are_refused_before_anything_is_drawn():
    with pytest.raises(UserError, match="Box and Discrete can be learned from"):
        numbers("Several")


def test_without_gymnasium_the_cure_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.delitem(sys.modules, "gantools_video.environments")
    monkeypatch.delattr("gantools_video.environments")
    with pytest.raises(UserError, match=r"pip install 'gantools-video\[env\]'"):
        clips.shape("env:Sum-v0")
