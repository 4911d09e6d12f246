"""What all judges say of a voice, beside the same of the recordings, and of Griffin-Lim's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import torch
from torchaudio.transforms import Spectrogram

from gantools.data import cached
from gantools_tts import intervals, judges, recognisers
from gantools_tts.data import Utterance
from gantools_tts.griffinlim import griffin_lim
from gantools_tts.phonemes import written
from gantools_tts.recognisers import ErrorRate

VERSION = 1
"""Counted up whenever something is judged otherwise than before."""
Judge = Callable[[np.ndarray, int], Any]
JUDGES: dict[str, tuple[str, Judge]] = {
    "phones": ("hama", lambda sound, rate: recognisers.sounds_heard([sound], rate)[0]),
    "words": ("pocketsphinx", lambda sound, rate: recognisers.words_heard([sound], rate)[0]),
    "dnsmos": ("speechmos", lambda sound, rate: float(judges.quality([sound], rate)[0])),
    "voices": ("resemblyzer", lambda sound, rate: judges.voices([sound], rate).tolist()),
}
"""The package of each, and what it says of one sound: what it hears, a mark, windows."""
MAGNITUDES = 1024, 256
"""Samples of a window and from one to the next of the spectrogram that Griffin-Lim sounds."""


def figures(
    utterances: Sequence[Utterance],
    made: Sequence[np.ndarray],
    training: Sequence[Utterance],
    rate: int,
) -> dict[str, Any]:
    """Judge what a voice made of the texts of held-out recordings.

    Figures come with their intervals of 95 % over utterances. ``shuffled`` compares each utterance
    with the phones of another, half of them on: a recogniser that guesses would not mind. The
    speaker distance is between windows of what was made and of the training recordings, None of
    fewer than two; all of a voice are of one number of windows, ``speaker_windows``.
    ``real_`` is the same of the held-out recordings, and ``griffinlim_`` of what Griffin-Lim makes
    of the magnitudes of what was made: its phases are what it lacks. ``per_utterance`` is what was
    found of each, for comparing two voices pair by pair.
    """
    real = [u.audio for u in utterances]
    wanted = [recognisers.sounds(u.phones) for u in utterances]
    shifted = wanted[len(wanted) // 2 :] + wanted[: len(wanted) // 2]
    texts = [recognisers.words(" ".join(written(u.text))) for u in utterances]
    recordings = [u.audio for u in training]
    known = np.concatenate(windows_of(recordings, rate, keep=True))
    found: dict[str, Any] = {}
    each: list[dict[str, Any]] = [{"name": u.name} for u in utterances]
    windows: dict[str, list[np.ndarray]] = {}
    for whose, sounds in (("", made), ("griffinlim_", phaseless(made)), ("real_", real)):
        keep = whose == "real_"
        heard = judge("phones", sounds, rate, keep)
        phones = recognisers.error_rate(wanted, heard)
        found |= _rates(f"{whose}phoneme_error_rate", phones)
        if not whose:
            shuffled = recognisers.error_rate(shifted, heard)
            found |= _rates("shuffled_phoneme_error_rate", shuffled)
        quality = np.array(judge("dnsmos", sounds, rate, keep))
        found[f"{whose}dnsmos"] = float(quality.mean())
        found[f"{whose}dnsmos_interval"] = intervals.of_mean(quality)
        for row, p, q in zip(each, phones.each, quality.tolist(), strict=True):
            row |= {f"{whose}phones": p, f"{whose}dnsmos": q}
        windows[whose] = windows_of(sounds, rate, keep)
        if whose != "griffinlim_":
            words = recognisers.error_rate(texts, judge("words", sounds, rate, keep))
            found |= _rates(f"{whose}word_error_rate", words)
            for row, w in zip(each, words.each, strict=True):
                row[f"{whose}words"] = w
            nearest = judges.nearest_recordings(sounds, recordings, rate)
            found[f"{whose}nearest_recording"] = float(nearest.similarity.max())
    n = min(len(known), *(sum(map(len, of)) for of in windows.values()))
    found["speaker_windows"] = n
    for whose, of in windows.items():
        distance, interval = intervals.of_distance(of, known, n) if n >= 2 else (None, None)
        found |= {f"{whose}speaker_distance": distance}
        found |= {f"{whose}speaker_distance_interval": interval}
    return {**found, "per_utterance": each}


def windows_of(sounds: Sequence[np.ndarray], rate: int, keep: bool = False) -> list[np.ndarray]:
    """Of each sound what :func:`gantools_tts.judges.voices` hears, float32 [W, 256], W ≥ 0."""
    said = judge("voices", sounds, rate, keep)
    return [np.array(of, np.float32).reshape(-1, judges.VOICE) for of in said]


def judge(name: str, sounds: Sequence[np.ndarray], rate: int, keep: bool = False) -> list[Any]:
    """Ask one of :data:`JUDGES` about each sound, float32 [T] in [−1, 1].

    Args:
        keep: what is said in the user's cache, and take what is there. So are recordings heard
            once, not at every evaluation.
    """
    package, ask = JUDGES[name]
    if not keep:
        return [ask(sound, rate) for sound in sounds]
    return [_kept((name, _version(package), rate), s, partial(ask, s, rate)) for s in sounds]


def phaseless(sounds: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Sounds by :func:`gantools_tts.griffinlim.griffin_lim` of their magnitudes alone."""
    window, hop = MAGNITUDES
    by = Spectrogram(window, hop_length=hop, power=1)
    given = [torch.from_numpy(np.pad(x, (0, max(0, window - len(x))))) for x in sounds]
    again = [griffin_lim(by(x), by, len(x)).numpy() for x in given]
    return [x[: len(sound)] for x, sound in zip(again, sounds, strict=True)]


def _kept(of: tuple[Any, ...], sound: np.ndarray, ask: Callable[[], Any]) -> Any:
    """What is said of a sound, from the cache if it was ever said; anything that JSON has."""
    digest = hashlib.sha256(repr((VERSION, *of)).encode())
    digest.update(np.asarray(sound, np.float32).tobytes())
    kept = cached(f"tts-judged-{digest.hexdigest()[:24]}", lambda: {"json": _bytes(ask())})
    return json.loads(kept["json"].numpy().tobytes())


def _bytes(said: Any) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(json.dumps(said).encode(), np.uint8).copy())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # the judge will say so
        return ""


def _rates(name: str, found: ErrorRate) -> dict[str, Any]:
    return {name: found.rate, f"{name}_interval": [found.low, found.high]}
