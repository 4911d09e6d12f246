"""How sure figures are: what other utterances of the same kind might have given.

All is drawn over utterances, for phones or windows of one are alike; N of them everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from gantools.metrics import frechet_distance
from gantools_tts import judges

RESAMPLES = 2_000
"""How often utterances are drawn anew for the interval of a mean."""
SIGNS, SWAPS = 20_000, 1_000
"""How often utterances are swapped between two voices, for means and for speaker distances."""
SURE = 1.96
"""Standard errors of a normal curve that 95 % are within."""


def of_mean(values: np.ndarray) -> list[float]:
    """95 % of the mean of float [N], by the percentile bootstrap."""
    values = np.asarray(values)
    rows = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    return np.percentile(values[rows].mean(1), [2.5, 97.5]).tolist()


def of_distance(
    windows: Sequence[np.ndarray], known: np.ndarray, n: int
) -> tuple[float, list[float] | None]:
    """A speaker distance and 95 % of it, by the jackknife that leaves out utterance by utterance;
    there is no interval of fewer than three.

    Drawing utterances anew would not do: those that are drawn twice leave fewer different windows,
    and the distance of fewer is larger.

    Args:
        windows: of each utterance, [Wᵢ, 256], as :func:`gantools_tts.judges.voices` gives them.
        known: windows of the voice that is compared with.
        n: as :func:`gantools_tts.judges.speaker_distance` has it, which gives the same distance.
    """
    of = np.repeat(np.arange(len(windows)), [len(x) for x in windows])
    drawn, against = judges.drawn(len(of), n), known[judges.drawn(len(known), n)]
    of, heard = of[drawn], np.concatenate(windows)[drawn]
    found, which = _distance(heard, against), np.unique(of)
    if len(which) < 3:
        return found, None
    error = _error([_distance(heard[of != i], against) for i in which])
    return found, [max(0.0, found - SURE * error), found + SURE * error]


class Difference(NamedTuple):
    """How far two voices are apart that said the same texts: the first less the second."""

    mean: float
    low: float
    """The interval, 95 %."""
    high: float
    p: float
    """How often a difference as large comes about, either way, where it makes none which voice is
    which: utterances are swapped between them at random (Fisher's permutation test)."""


def between_means(a: Sequence[float], b: Sequence[float]) -> Difference:
    """Compare what the same N utterances got, N numbers each."""
    apart = np.asarray(a) - np.asarray(b)
    signs = np.random.default_rng(1).choice([-1, 1], size=(SIGNS, len(apart)))
    found, (low, high) = float(apart.mean()), of_mean(apart)
    return Difference(found, low, high, _p(found, (signs * apart).mean(1)))


def between_distances(
    a: Sequence[np.ndarray], b: Sequence[np.ndarray], known: np.ndarray
) -> Difference:
    """Compare how far two voices' windows are from those of a known voice.

    Of each utterance both have as many windows as the one that has fewer, so all distances are of
    one n; the interval is the jackknife's, as :func:`of_distance` has it.

    Args:
        a: windows of each utterance, [Wᵢ, 256].
        b: the same of the other voice.
        known: of the voice that both are compared with, [M, 256].
    """
    counts = [min(map(len, pair)) for pair in zip(a, b, strict=True)]
    pairs = [(x[:w], y[:w]) for x, y, w in zip(a, b, counts, strict=True) if w]
    against = known[judges.drawn(len(known), min(len(known), sum(counts)))]

    def apart(pairs: Sequence[tuple[np.ndarray, ...]]) -> float:
        one, other = (_distance(np.concatenate(x), against) for x in zip(*pairs, strict=True))
        return one - other

    found = apart(pairs)
    error = _error([apart(pairs[:i] + pairs[i + 1 :]) for i in range(len(pairs))])
    swaps = np.random.default_rng(1).choice([-1, 1], size=(SWAPS, len(pairs)))
    swapped = [apart([x[::way] for x, way in zip(pairs, ways, strict=True)]) for ways in swaps]
    p = _p(found, np.array(swapped))
    return Difference(found, found - SURE * error, found + SURE * error, p)


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    return frechet_distance(torch.from_numpy(a), torch.from_numpy(b))


def _error(without: Sequence[float]) -> float:
    """The jackknife's standard error, of figures without one each."""
    return float(np.sqrt((len(without) - 1) * np.var(without)))


def _p(found: float, drawn: np.ndarray) -> float:
    """What was found is one of the draws (Phipson & Smyth 2010)."""
    return float((1 + (np.abs(drawn) >= abs(found) - 1e-12).sum()) / (1 + len(drawn)))
