"""What a voice is learned from: sound, the phones that are spoken in it, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

VOWELS = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"),
)
CONSONANTS = (
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S"),
    *("SH", "T", "TH", "V", "W", "Y", "Z", "ZH"),
)
PAUSE = "sil"
"""Silence: before and after every utterance, and wherever a speaker pauses."""
PHONES = (PAUSE, *VOWELS, *CONSONANTS)
"""The sounds of English as the CMU dictionary writes them, ARPAbet without stress."""


@dataclass(frozen=True)
class Phone:
    """A sound of a text."""

    name: str
    """One of :data:`PHONES`."""
    stress: int = 0
    """Of a vowel: 0 none, 1 primary, 2 secondary; 0 of all others."""
    last: bool = False
    """It ends a word."""
    mark: str = ""
    """Of a pause within or after a text: the punctuation that asks for it, one of , . ? ! or
    nothing."""


@dataclass(frozen=True)
class Recording:
    """An utterance."""

    name: str
    """By which messages call it."""
    text: str
    audio: np.ndarray
    """float32 [T] in [−1, 1], one channel."""
    rate: int
    """Samples a second."""
    phones: tuple[Phone, ...]
    """N of them, a pause first and last."""
    starts: np.ndarray
    """float64 [N + 1], seconds from the beginning of ``audio`` at which each phone begins, and at
    which the last ends; not falling, 0 first, T / rate last."""
