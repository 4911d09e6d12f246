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
    mind. The speaker distance is between windows of what was made and of the training recordings;
    ``real_speaker_distance`` is the same of the held-out recordings, of as many windows.
    ``per_utterance`` is what was found of each, for comparing two voices pair by pair.
    """
    real = [u.audio for u in utterances]
    wanted = [recognisers.sounds(u.phones) for u in utterances]
    shifted = wanted[len(wanted) // 2 :] + wanted[: len(wanted) // 2]
    texts = [recognisers.words(" ".join(written(u.text))) for u in utterances]
    found: dict[str, Any] = {}
    each: list[dict[str, Any]] = [{"name": u.name} for u in utterances]
    for whose, sounds in (("", made), ("real_", real)):
        heard = recognisers.sounds_heard(sounds, rate)
        phones = recognisers.error_rate(wanted, heard)
        found |= _rates(f"{whose}phoneme_error_rate", phones)
        if not whose:
            shuffled = recognisers.error_rate(shifted, heard)
            found |= _rates("shuffled_phoneme_error_rate", shuffled)
        words = recognisers.error_rate(texts, recognisers.words_heard(sounds, rate))
        found |= _rates(f"{whose}word_error_rate", words)
        quality = judges.quality(sounds, rate)
        found[f"{whose}dnsmos"] = float(quality.mean())
        found[f"{whose}dnsmos_interval"] = _interval(quality)
        for of, p, w, q in zip(each, phones.each, words.each, quality.tolist(), strict=True):
            of |= {f"{whose}phones": p, f"{whose}words": w, f"{whose}dnsmos": q}
    windows, held_out, known = (
        judges.voices(of, rate) for of in (made, real, [u.audio for u in training])
    )
    n = min(map(len, (windows, held_out, known)))
    found["speaker_windows"] = n
    if n >= 2:
        found["speaker_distance"] = judges.speaker_distance(windows, known, n)
        found["real_speaker_distance"] = judges.speaker_distance(held_out, known, n)
    recordings = [u.audio for u in training]
    for whose, sounds in (("", made), ("real_", real)):
        nearest = judges.nearest_recordings(sounds, recordings, rate)
        found[f"{whose}nearest_recording"] = float(nearest.similarity.max())
    return {**found, "per_utterance": each}


def _rates(name: str, found: ErrorRate) -> dict[str, Any]:
    return {name: found.rate, f"{name}_interval": [found.low, found.high]}


def _interval(values: np.ndarray, draws: int = 2_000) -> list[float]:
    """95 % of the mean, by the percentile bootstrap."""
    rows = np.random.default_rng(0).integers(len(values), size=(draws, len(values)))
    return np.percentile(values[rows].mean(1), [2.5, 97.5]).tolist()
