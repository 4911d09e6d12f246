"""What all judges say of a voice, beside the same of the recordings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gantools_tts import judges, recognisers
from gantools_tts.data import Utterance
from gantools_tts.phonemes import written
from gantools_tts.recognisers import ErrorRate


def figures(
    utterances: Sequence[Utterance],
    made: Sequence[np.ndarray],
    training: Sequence[Utterance],
    rate: int,
) -> dict[str, Any]:
    """Judge what a voice made of the texts of held-out recordings.

    Error rates come with their intervals of 95 % over utterances. ``shuffled`` compares each
    utterance with the phones of another, half of them on: a recogniser that guesses would not
    mind. The speaker distance is that of as many windows as there are of the fewer; the same of
    two halves of the real training recordings is ``real_speaker_distance``, at the same n.
    """
    real = [u.audio for u in utterances]
    wanted = [recognisers.sounds(u.phones) for u in utterances]
    shifted = wanted[len(wanted) // 2 :] + wanted[: len(wanted) // 2]
    texts = [recognisers.words(" ".join(written(u.text))) for u in utterances]
    found: dict[str, Any] = {}
    for whose, sounds in (("", made), ("real_", real)):
        heard = recognisers.sounds_heard(sounds, rate)
        found |= _rates(f"{whose}phoneme_error_rate", recognisers.error_rate(wanted, heard))
        if not whose:
            shuffled = recognisers.error_rate(shifted, heard)
            found |= _rates("shuffled_phoneme_error_rate", shuffled)
        words = recognisers.words_heard(sounds, rate)
        found |= _rates(f"{whose}word_error_rate", recognisers.error_rate(texts, words))
        quality = judges.quality(sounds, rate)
        found[f"{whose}dnsmos"] = float(quality.mean())
        found[f"{whose}dnsmos_interval"] = _interval(quality)
    windows = judges.voices(made, rate)
    known = np.random.default_rng(0).permutation(judges.voices([u.audio for u in training], rate))
    n = min(len(windows), len(known) // 2)
    found["speaker_windows"] = n
    if n >= 2:
        found["speaker_distance"] = judges.speaker_distance(windows, known[n:], n)
        found["real_speaker_distance"] = judges.speaker_distance(known[:n], known[n:], n)
    recordings = [u.audio for u in training]
    for whose, sounds in (("", made), ("real_", real)):
        nearest = judges.nearest_recordings(sounds, recordings, rate)
        found[f"{whose}nearest_recording"] = float(nearest.similarity.max())
    return found


def _rates(name: str, found: ErrorRate) -> dict[str, Any]:
    return {name: found.rate, f"{name}_interval": [found.low, found.high]}


def _interval(values: np.ndarray, draws: int = 2_000) -> list[float]:
    """95 % of the mean, by the percentile bootstrap."""
    rows = np.random.default_rng(0).integers(len(values), size=(draws, len(values)))
    return np.percentile(values[rows].mean(1), [2.5, 97.5]).tolist()
