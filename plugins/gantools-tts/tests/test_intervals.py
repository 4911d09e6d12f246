"""Intervals and differences of known samples."""

import numpy as np
import pytest
from gantools_tts import intervals, judges

DRAWS = np.random.default_rng(0)


def voice(seed, utterances, shift=0.0, own=0.0):
    """Windows of four numbers about ``shift``, three an utterance, which are alike by ``own``."""
    draws = np.random.default_rng(seed)
    common = own * draws.standard_normal((utterances, 1, 4))
    return [*(common + shift + draws.standard_normal((utterances, 3, 4))).astype(np.float32)]


def test_a_mean_by_the_normal_curve():
    values = np.random.default_rng(0).standard_normal(400)
    low, high = intervals.of_mean(values)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_the_distance_is_the_judges_own():
    a, known = voice(0, 20), np.concatenate(voice(1, 30))
    found, (low, high) = intervals.of_distance(a, known, 50)
    assert found == judges.speaker_distance(np.concatenate(a), known, 50)
    assert low <= found <= high


def test_the_jackknife_knows_how_far_distances_scatter():
    """Of 40 samples of utterances, whose windows are alike."""
    known = np.concatenate(voice(99, 200))
    found = [intervals.of_distance(voice(seed, 30, 0.5, own=1), known, 90) for seed in range(40)]
    scatter = np.std([distance for distance, _ in found])
    error = np.mean([(high - distance) / 1.96 for distance, (_, high) in found])
    assert error == pytest.approx(scatter, rel=0.35)


def test_there_is_no_interval_of_two():
    known = np.concatenate(voice(1, 30))
    assert intervals.of_distance(voice(0, 2), known, 6)[1] is None


def test_a_difference_that_is_there_and_one_that_is_not():
    a = DRAWS.standard_normal(60)
    noise = DRAWS.standard_normal(60) / 10
    better = intervals.between_means(a + 0.2 + noise, a)
    assert 0.1 < better.low < better.mean < better.high < 0.3
    assert better.p < 0.001
    same = intervals.between_means(a + noise - noise.mean(), a)
    assert same.mean == pytest.approx(0, abs=1e-9)
    assert same.p == pytest.approx(1)
    # Of three, each sign alike in one of eight draws: the least there is, both ways.
    assert intervals.between_means([1, 1, 1], [0, 0, 0]).p == pytest.approx(1 / 4, abs=0.02)


def test_which_voice_is_nearer(monkeypatch):
    monkeypatch.setattr(intervals, "SWAPS", 200)
    known = np.concatenate(voice(9, 60))
    far, near = voice(0, 30, shift=1.0), voice(1, 30)
    found = intervals.between_distances(far, near, known)
    assert found.p == pytest.approx(1 / 201)
    assert found.low > 0
    apart = judges.speaker_distance(np.concatenate(far), known, 90)
    assert found.mean == pytest.approx(
        apart - judges.speaker_distance(np.concatenate(near), known, 90), rel=0.2
    )
    other = intervals.between_distances(voice(2, 30), near, known)
    assert other.p > 0.05
    assert other.low < 0 < other.high


def test_windows_are_paired(monkeypatch):
    """Utterances of which one voice has no window are left out, and more windows than the other's."""
    monkeypatch.setattr(intervals, "SWAPS", 20)
    a, b, known = voice(0, 10), voice(1, 10), np.concatenate(voice(9, 60))
    paired = intervals.between_distances(a, b, known[:90])
    nothing = np.empty((0, 4), np.float32)
    more = [np.concatenate([x, x]) for x in b]
    assert intervals.between_distances([*a, a[0]], [*more, nothing], known[:90]) == paired
