"""A voice: text -> sound, sentence by sentence. Only numpy; networks are given to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np

from gantools_tts import features
from gantools_tts.features import FRAME_RATE
from gantools_tts.recordings import PAUSE, Phone
from gantools_tts.source import pulses

LOUDEST = 0.99
"""What sound is cut to."""
SHORTEST = 1
"""Frames that a phone lasts at least."""
PAUSED = 3
"""Frames of a pause within a sentence that is made; a shorter one is none, as in recordings."""


SOON = FRAME_RATE
"""Frames of the first sentence that are said before the rest of it: a second."""
AROUND = 60
"""Frames on either side that a frame's sound depends on, at most: so far generators look."""


class Networks(Protocol):
    """What a voice needs of its networks: arrays in, arrays out."""

    codes: int | None
    """Numbers of z, which is random; None: white noise as long as the sound."""

    def log_lengths(self, phones: np.ndarray) -> np.ndarray:
        """[PHONE_FEATURES, N] -> ln(1 + frames), [N]."""

    def octaves(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[FRAME_FEATURES − 2, T] -> octaves above 150 Hz, and the logit of a pitch, [T] each."""

    def sound(self, told: np.ndarray, pulses: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[FRAME_FEATURES, T], [T · hop], [codes or T · hop] -> sound, [T · hop]."""


class Voice:
    """Speaks.

    Args:
        networks: that learned it.
        rate: samples a second.
    """

    def __init__(self, networks: Networks, rate: int) -> None:
        self.networks, self.rate = networks, rate

    def say(
        self, text: str | Iterable[str], speed: float = 1.0, pitch: float = 0.0, seed: int = 0
    ) -> Iterator[np.ndarray]:
        """Say a text, sentence by sentence: each as it is ready, float32 [T] in [−1, 1].

        The first second of the first is given before the rest of it, so that nobody waits for a
        long sentence; lengths and pitch are of all of it, and it sounds as if it had been made at
        once.

        Args:
            text: of any length, or its pieces as they come.
            speed: 2 is twice as fast.
            pitch: semitones higher.
            seed: of what is random in the sound.

        Raises:
            UserError: there is nothing to say, or it is not in Latin letters.
        """
        from gantools_tts.phonemes import phones
        from gantools_tts.text import sentences

        for number, sentence in enumerate(sentences(text)):
            frames, hertz = self.spoken(phones(sentence), speed, pitch)
            soon = min(len(hertz), SOON) if number == 0 else 0
            for begin, end in ((0, soon), (soon, len(hertz))):
                if begin < end:
                    yield self.sound(frames, hertz, seed + number, begin, end)

    def speak(
        self, phones: Sequence[Phone], speed: float = 1.0, pitch: float = 0.0, seed: int = 0
    ) -> np.ndarray:
        """Say phones, with lengths and a pitch that are predicted: float32 [T] in [−1, 1]."""
        return self.sound(*self.spoken(phones, speed, pitch), seed)

    def spoken(
        self, phones: Sequence[Phone], speed: float = 1.0, pitch: float = 0.0
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict how phones are said: what is told of T frames, [FRAME_FEATURES − 2, T], and the
        pitch [T] in Hz."""
        told = features.of_phones(phones)
        log_lengths = self.networks.log_lengths(told)
        for i, phone in enumerate(phones[1:-1], 1):
            if phone.name == PAUSE and np.expm1(log_lengths[i]) < PAUSED:
                log_lengths[i] = 0
        lengths = whole_frames(log_lengths, speed)
        frames = features.of_frames(told, lengths)
        octaves, voiced = self.networks.octaves(frames)
        hertz = features.PITCH * 2 ** (np.clip(octaves, -2, 2) + pitch / 12) * (voiced > 0)
        return frames, hertz.astype(np.float32)

    def sound(
        self,
        frames: np.ndarray,
        pitch: np.ndarray,
        seed: int = 0,
        begin: int = 0,
        end: int | None = None,
    ) -> np.ndarray:
        """Say frames [FRAME_FEATURES − 2, T] at a pitch [T] in Hz: float32 [T · hop]; of all that,
        frames ``begin`` to ``end``, which sound as they do in the whole."""
        hop, count = self.rate // FRAME_RATE, len(pitch)
        end = count if end is None else end
        first, last = max(0, begin - AROUND), min(count, end + AROUND)
        samples = slice(first * hop, last * hop)
        told = np.concatenate([frames, features.of_pitch(pitch)])[:, first:last]
        source, _ = pulses(pitch, self.rate)
        codes = self.networks.codes
        z = np.random.default_rng(seed).standard_normal(codes or count * hop, dtype=np.float32)
        made = self.networks.sound(told, source[samples], z if codes else z[samples])
        kept = made[(begin - first) * hop : (end - first) * hop]
        return np.clip(kept, -LOUDEST, LOUDEST)


def whole_frames(log_lengths: np.ndarray, speed: float = 1.0) -> np.ndarray:
    """ln(1 + d) [N] -> whole frames, int64 [N], ``speed`` times as fast; what one is rounded by is
    made up for by the next. What has exactly no length keeps none."""
    there = log_lengths != 0
    wanted = np.maximum(np.expm1(log_lengths), SHORTEST) / speed * there
    ends = np.round(np.cumsum(wanted))
    return np.maximum(np.diff(ends, prepend=0), SHORTEST * there).astype(np.int64)
