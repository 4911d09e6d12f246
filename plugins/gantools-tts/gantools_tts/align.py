"""When each phone of a recording is spoken: forced alignment by PocketSphinx's acoustic model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from gantools import UserError
from gantools_tts.recordings import PAUSE, Phone

RATE, HOP, WINDOW = 16_000, 160, 410
"""Of the acoustic model: samples a second, between two frames, and of a frame."""
EDGE = 10
"""Frames of silence that are put before and after, so that a pause is found at both ends."""
WORST = -30
"""The least score a frame of speech, of the model's own logarithmic units, that is believed. The
right text has −9 to −18 in clean recordings, a text that is not spoken less than −35."""


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
    frames = _frames(_padded(audio, rate), phones)
    # A frame says most of its middle: where two meet is between their middles.
    middle = (WINDOW - HOP) / 2 / RATE
    times = {frame: (frame - EDGE) * HOP / RATE + middle for _, frame in frames}
    seconds = len(audio) / rate
    found, starts = _with_pauses(phones, [(name, times[frame]) for name, frame in frames])
    starts = np.array([0.0, *starts[1:], seconds]).clip(0, seconds)
    spoken = np.array([phone.name != PAUSE for phone in found])
    if (np.diff(starts)[spoken] <= 0).any():
        raise AlignmentError("The sound ends before its text does.")
    return found, starts


def _padded(audio: np.ndarray, rate: int) -> bytes:
    """16-bit samples at 16 kHz, with silence around them."""
    if rate != RATE:
        import torch
        from torchaudio.functional import resample

        sound = torch.from_numpy(np.asarray(audio, np.float32))
        audio = resample(sound, rate, RATE).numpy()
    samples = (np.asarray(audio).clip(-1, 1) * 32767).round().astype("<i2")
    return np.pad(samples, EDGE * HOP).tobytes()


def _frames(samples: bytes, phones: Sequence[Phone]) -> list[tuple[str, int]]:
    """Phones and found pauses with the frame at which each begins."""
    from pocketsphinx import Decoder

    words = ["-".join(word) for word in _words(phones)]
    if not words:
        raise AlignmentError("There is nothing to align: its text has no sounds.")
    decoder = Decoder(lm=None, dict=None, loglevel="FATAL")
    for word in set(words):
        decoder.add_word(word, word.replace("-", " "), False)
    try:
        decoder.set_align_text(" ".join(words))
        _decode(decoder, samples)
        decoder.set_alignment()
        _decode(decoder, samples)
    except RuntimeError:
        raise AlignmentError("Its text is not what is spoken, or spoken too fast.") from None
    # Values at once: PocketSphinx's entries change when the next is asked for.
    entries = [
        (phone.name if word.name in words else PAUSE, phone.start, phone.duration, phone.score)
        for word in decoder.get_alignment() or ()
        for phone in word
    ]
    spoken = [(duration, score) for name, _, duration, score in entries if name != PAUSE]
    if len(spoken) != sum(phone.name != PAUSE for phone in phones):
        raise AlignmentError("Its text is not what is spoken, or spoken too fast.")
    if sum(score for _, score in spoken) < WORST * sum(duration for duration, _ in spoken):
        raise AlignmentError("Its text does not sound like what is spoken.")
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
