"""How high a voice is, in every frame."""

from __future__ import annotations

import warnings

import numpy as np

from gantools_tts.features import FRAME_RATE

LOWEST, HIGHEST = 60.0, 600.0
"""Hz, of voices; pitch beyond them is not found."""


def pitch(audio: np.ndarray, rate: int) -> np.ndarray:
    """Find the pitch in the middle of every frame.

    DIO (Morise et al. 2009, "Fast and Reliable F0 Estimation Method Based on the Period Extraction
    of Vocal Fold Vibration of Singing Voice and Speech") refined by StoneMask, both of WORLD. Its
    Harvest takes thirty times as long, and finds a pitch in most of what has none: unvoiced
    consonants and pauses.

    Args:
        audio: float [T] in [−1, 1].
        rate: samples a second, 8,000 or more.

    Returns:
        float32 [round(T / rate · 200)], as many as :func:`gantools_tts.features.lengths` counts in
        a recording: Hz at (i + ½) · 5 ms, 0 where there is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of pkg_resources, when it is imported
        from pyworld import dio, stonemask

    frames = int(np.round(len(audio) / rate * FRAME_RATE))
    found = np.zeros(frames, np.float32)
    late = np.ascontiguousarray(audio[round(rate / FRAME_RATE / 2) :], np.float64)
    if frames and len(late):
        rough, times = dio(late, rate, LOWEST, HIGHEST, frame_period=1000 / FRAME_RATE)
        fine = stonemask(late, rough, times, rate)[:frames]
        found[: len(fine)] = fine
    return found
