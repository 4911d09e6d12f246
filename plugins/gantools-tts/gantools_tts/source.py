"""The sound that a voice shapes: pulses where it is voiced, noise elsewhere. Only numpy."""

from __future__ import annotations

import numpy as np

from gantools_tts.features import FRAME_RATE

HARMONICS_END = 0.5
"""Harmonics up to this part of the sampling rate."""


LOCKED = 7
"""Frames, 35 ms, over which a recording's fundamental is listened to for its phase."""


def pulses(
    pitch: np.ndarray, rate: int, phase: float = 0.0, like: np.ndarray | None = None
) -> tuple[np.ndarray, float]:
    """All harmonics of a pitch, as strong as each other: a pulse a period, of unit power.

    x(t) = Σₕ cos(h φ(t)) / √(H / 2), φ the integral of 2π f₀, of all H harmonics h f₀ below half
    the sampling rate; summed in closed form (Dirichlet's kernel).

    Args:
        pitch: float [T], Hz at every frame, 0 where there is none.
        rate: samples a second.
        phase: φ at the beginning, so that a sound can be made piece by piece.
        like: a recording [T · rate / FRAME_RATE] whose fundamental's phase φ keeps to, so that what
            is made of the pulses can be compared with it sample by sample.

    Returns:
        float32 [T · rate / FRAME_RATE], 0 where there is no pitch; and φ at its end.
    """
    hop = rate // FRAME_RATE
    voiced = pitch > 0
    if not voiced.any():
        return np.zeros(len(pitch) * hop, np.float32), phase
    at = np.arange(len(pitch))
    filled = np.interp(at, at[voiced], pitch[voiced])
    f0 = np.interp(np.arange(len(pitch) * hop) / hop - 0.5, at, filled)
    angle = phase + np.cumsum(2 * np.pi * f0 / rate)
    if like is not None:
        angle += _ahead(like, angle, hop)
    count = np.floor(HARMONICS_END * rate / f0)
    half = np.sin(angle / 2)
    exact = np.abs(half) > 1e-4
    summed = np.where(
        exact, np.sin((count + 0.5) * angle) / (2 * np.where(exact, half, 1)) - 0.5, count
    )
    sound = summed / np.sqrt(count / 2) * np.repeat(voiced, hop)
    return sound.astype(np.float32), float(angle[-1] % (2 * np.pi))


def _ahead(like: np.ndarray, angle: np.ndarray, hop: int) -> np.ndarray:
    """By how much the fundamental of a sound is ahead of cos ``angle``, at each sample [T · hop]:
    it is shifted down by that angle, and what is slow in it is kept."""
    slow = (like * np.exp(-1j * angle)).reshape(-1, hop).sum(1)
    slow = np.convolve(slow, np.hanning(LOCKED + 2)[1:-1])[LOCKED // 2 :][: len(slow)]
    return np.angle(np.interp(np.arange(len(like)) / hop - 0.5, np.arange(len(slow)), slow))
