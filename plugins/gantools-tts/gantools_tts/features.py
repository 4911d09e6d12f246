"""What the networks are told: of each phone, and of every five milliseconds.

Only numpy: a voice that was exported speaks without torch.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gantools_tts.recordings import PAUSE, PHONES, VOWELS, Phone

FRAME_RATE = 200
"""Frames a second."""
MARKS = (",", ".", "?", "!")
PITCH = 150.0
"""Hz; pitch is told as octaves above it."""

_NUMBER = {name: i for i, name in enumerate(PHONES)}
PHONE_FEATURES = len(PHONES) + 2 + 1 + len(MARKS) + 3
"""Numbers that tell of a phone: which it is, its stress, whether it ends a word, the mark of the
next pause, and where it lies in its word and its phrase, and how long that phrase is."""
FRAME_FEATURES = PHONE_FEATURES + 3 + 2
"""Numbers that tell of a frame: those of its phone, where in it the frame lies, how long it is,
and the pitch."""


def of_phones(phones: Sequence[Phone]) -> np.ndarray:
    """Tell what is to be spoken: float32 [PHONE_FEATURES, N]."""
    told = np.zeros((PHONE_FEATURES, len(phones)), np.float32)
    for i, phone in enumerate(phones):
        told[_NUMBER[phone.name], i] = 1
        if phone.stress:
            told[len(PHONES) + phone.stress - 1, i] = 1
        told[len(PHONES) + 2, i] = phone.last
    marks, places = told[len(PHONES) + 3 : -3], told[-3:]
    for begin, end in _phrases(phones):
        if end < len(phones) and phones[end].mark in MARKS:
            marks[MARKS.index(phones[end].mark), begin : end + 1] = 1
        syllables = np.cumsum([phone.name in VOWELS for phone in phones[begin:end]])
        if len(syllables):
            places[0, begin:end] = syllables / 10
            places[1, begin:end] = (syllables[-1] - syllables) / 10
            places[2, begin:end] = syllables[-1] / 10
    return told


def _phrases(phones: Sequence[Phone]) -> list[tuple[int, int]]:
    """From pause to pause: the first phone of each phrase, and the pause that ends it."""
    ends = [i for i, phone in enumerate(phones) if phone.name == PAUSE] + [len(phones)]
    begins = [0, *(end + 1 for end in ends[:-1])]
    return [(a, b) for a, b in zip(begins, ends, strict=True) if a < len(phones) and b > a]


def of_frames(phones: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Tell what is spoken in each frame, all but the pitch: float32 [FRAME_FEATURES − 2, T].

    Args:
        phones: what :func:`of_phones` gave, [PHONE_FEATURES, N].
        lengths: int [N], frames of each phone; T in all.
    """
    of = np.repeat(np.arange(len(lengths)), lengths)
    inside = np.arange(len(of)) - np.repeat(np.cumsum(lengths) - lengths, lengths) + 0.5
    length = lengths[of]
    place = np.stack([inside / length, (length - inside) / length, np.log(length) - 3])
    return np.concatenate([phones[:, of], place]).astype(np.float32)


def of_pitch(pitch: np.ndarray) -> np.ndarray:
    """Tell the pitch [T] in Hz, 0 where there is none: octaves above ``PITCH``, and whether there
    is one, float32 [2, T]. Where there is none it goes straight on from what is around."""
    voiced = pitch > 0
    if not voiced.any():
        return np.zeros((2, len(pitch)), np.float32)
    at = np.arange(len(pitch))
    octaves = np.interp(at, at[voiced], np.log2(pitch[voiced] / PITCH))
    return np.stack([octaves, voiced]).astype(np.float32)


def lengths(starts: np.ndarray) -> np.ndarray:
    """Whole frames of each phone, int [N], that begin where ``starts`` [N + 1] (seconds) says."""
    return np.diff(np.round(np.asarray(starts) * FRAME_RATE)).astype(np.int64)
