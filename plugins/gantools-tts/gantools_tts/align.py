"""When each phone of a recording is spoken: forced alignment by PocketSphinx's acoustic model."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import numpy as np

from gantools import UserError
from gantools_tts.recordings import PAUSE, Phone

RATE, HOP, WINDOW = 16_000, 160, 410
"""Of the acoustic model: samples a second, between two frames, and of a frame."""
EDGE = 10
"""Frames of silence that are put before and after, so that a pause is found at both ends."""
NOISES = (1e-4, 0.0, 1e-3)
"""Root mean square of noise that is added, −80 dB: the model does not know digital silence. Where
the second pass does not find its way with it, which happens by chance, others are tried."""
WORST = -30
"""The least score a frame of speech, in the model's own logarithmic units, that is believed. The
right text has −9 to −22 in clean recordings; other texts, most of which the model cannot align at
all, less than −34."""


class AlignmentError(UserError):
    """The phones are not what is spoken, or cannot be told apart."""


def align(
    audio: np.ndarray, rate: int, phones: Sequence[Phone]
) -> tuple[tuple[Phone, ...], np.ndarray]:
    """Find when phones are spoken, and where the speaker pauses between words.

    Viterbi alignment with the en-US model in PocketSphinx's wheel, whose phones are the CMU
    dictionary's: first of words, each pronounced as given, silence allowed between them, then of
    the phones within each word. Frames come every 10 ms, and a phone has at least three of them.
    The same sound and phones always give the same.

    Args:
        audio: float [T] in [−1, 1]; resampled to 16 kHz.
        rate: samples a second.
        phones: to find, a pause first and last.

    Returns:
        The phones as spoken and their starts, as a :class:`~gantools_tts.recordings.Recording` has
        them. All that were given are there, in order: a pause that is not spoken has length 0, for
        its mark tells of the tune. Where the speaker pauses and none was given there is one more,
        without a mark.

    Raises:
        AlignmentError: there is nothing to align, the sound is too short for it, or something else
            is spoken.
    """
    if all(phone.name == PAUSE for phone in phones):
        raise AlignmentError("There is nothing to align: its text has no sounds.")
    sound = _padded(audio, rate)
    for noise in NOISES:
        with contextlib.suppress(AlignmentError):
            frames = _frames(_samples(sound, noise), phones)
            break
    else:
        raise AlignmentError("Its text is not what is spoken, or spoken too fast.")
    # A frame says most of its middle: where two meet is between their middles.
    middle = (WINDOW - HOP) / 2 / RATE
    times = {frame: (frame - EDGE) * HOP / RATE + middle for _, frame in frames}
    seconds = len(audio) / rate
    found, begun = _with_pauses(phones, [(name, times[frame]) for name, frame in frames])
    starts = np.array([0.0, *begun[1:], seconds]).clip(0, seconds)
    spoken = np.array([phone.name != PAUSE for phone in found])
    if (np.diff(starts)[spoken] <= 0).any():
        raise AlignmentError("The sound ends before its text does.")
    return found, starts


def _padded(audio: np.ndarray, rate: int) -> np.ndarray:
    """At 16 kHz, with silence around it."""
    if rate != RATE:
        import torch
        from torchaudio.functional import resample

        audio = resample(torch.from_numpy(np.asarray(audio, np.float32)), rate, RATE).numpy()
    return np.pad(audio, EDGE * HOP)


def _samples(sound: np.ndarray, noise: float) -> bytes:
    noisy = sound + noise * np.random.default_rng(0).normal(size=len(sound))
    return (noisy.clip(-1, 1) * 32767).round().astype("<i2").tobytes()


def _frames(samples: bytes, phones: Sequence[Phone]) -> list[tuple[str, int]]:
    """Phones and found pauses with the frame at which each begins."""
    from pocketsphinx import Decoder

    words = ["-".join(word) for word in _words(phones)]
    decoder = Decoder(lm=None, dict=None, loglevel="FATAL")
    for word in set(words):
        decoder.add_word(word, word.replace("-", " "), False)
    try:
        decoder.set_align_text(" ".join(words))
        _decode(decoder, samples)
        decoder.set_alignment()
        _decode(decoder, samples)
    except RuntimeError as error:
        raise AlignmentError(str(error)) from None
    # Values at once: PocketSphinx's entries change when the next is asked for.
    entries = [
        (phone.name if word.name in words else PAUSE, phone.start, phone.duration, phone.score)
        for word in decoder.get_alignment() or ()
        for phone in word
    ]
    spoken = [(duration, score) for name, _, duration, score in entries if name != PAUSE]
    if len(spoken) != sum(phone.name != PAUSE for phone in phones):
        raise AlignmentError("The end of the text is not reached.")
    if sum(score for _, score in spoken) < WORST * sum(duration for duration, _ in spoken):
        raise AlignmentError("The text is not what is spoken.")
    return [(name, start) for name, start, _, _ in entries]


def _decode(decoder, samples: bytes) -> None:  # type: ignore[no-untyped-def]
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()


def _words(phones: Sequence[Phone]) -> Iterator[list[str]]:
    word: list[str] = []
    for phone in phones:
        if phone.name != PAUSE:
            word.append(phone.name)
        if word and (phone.last or phone.name == PAUSE):
            yield word
            word = []
    if word:
        yield word


def _with_pauses(
    phones: Sequence[Phone], aligned: Sequence[tuple[str, float]]
) -> tuple[tuple[Phone, ...], list[float]]:
    """The phones with all pauses, given or found, and the start of each."""
    found: list[Phone] = []
    starts: list[float] = []
    at = 0
    for phone in phones:
        silent = at
        while at < len(aligned) and aligned[at][0] == PAUSE:
            at += 1
        if silent < at:
            found.append(phone if phone.name == PAUSE else Phone(PAUSE))
            starts.append(aligned[silent][1])
        elif phone.name == PAUSE:
            found.append(phone)
            starts.append(aligned[at][1] if at < len(aligned) else np.inf)
        if phone.name != PAUSE:
            found.append(phone)
            starts.append(aligned[at][1])
            at += 1
    return tuple(found), starts
