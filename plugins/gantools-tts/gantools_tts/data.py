"""Recordings made ready: pieces of equal length with what is told of them, and whole phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from gantools_tts import features
from gantools_tts.features import FRAME_RATE
from gantools_tts.recordings import PAUSE, Phone, Recording
from gantools_tts.source import pulses

LOUDEST = 32_767
"""Of 16 bits."""
MOST_PHONES = 96
"""In a row, of an utterance, that lengths are learned from at once: about eight seconds."""


@dataclass(frozen=True)
class Utterance:
    """A recording with all that is told of it; T frames, N phones."""

    name: str
    text: str
    phones: tuple[Phone, ...]
    audio: np.ndarray
    """float32 [T · hop], of 16 bits."""
    lengths: np.ndarray
    """int [N], frames of each phone, T in all."""
    pitch: np.ndarray
    """float32 [T], Hz, 0 where there is none."""

    @classmethod
    def of(cls, recording: Recording, pitch: np.ndarray) -> Utterance:
        """Cut to whole frames; the pitch is that of :func:`gantools_tts.pitch.pitch`."""
        lengths = features.lengths(recording.starts)
        hop, frames = recording.rate // FRAME_RATE, int(lengths.sum())
        audio = np.zeros(frames * hop, np.float32)
        sound = np.round(recording.audio[: len(audio)] * LOUDEST).astype(np.int16)
        audio[: len(sound)] = sound.astype(np.float32) / LOUDEST
        fitted = np.zeros(frames, np.float32)
        fitted[: len(pitch)] = pitch[:frames]
        return cls(recording.name, recording.text, recording.phones, audio, lengths, fitted)


class Batch(NamedTuple):
    """What a turn learns from."""

    told: Tensor
    """Of pieces, [B, FRAME_FEATURES, T]."""
    audio: Tensor
    """Their sound, [B, T · hop]; before the pulses, for the first of a shape is what fakes are
    like."""
    pulses: Tensor
    """Their pitch as sound, in phase with the recordings, [B, T · hop]."""
    phones: Tensor
    """Of the utterances that they are of, [B, PHONE_FEATURES, N], zeros beyond the end; of long
    ones a part."""
    lengths: Tensor
    """Frames of each of these phones, [B, N], 0 beyond the end, and of pauses that nobody made."""


class Pieces:
    """Rows for batches: of each utterance as many pieces as it is long, anywhere in it.

    An utterance that is shorter than a piece has one, and silence after it, of which a pause is
    told.

    Args:
        utterances: at least one.
        frames: of a piece.
        rate: samples a second.
    """

    def __init__(self, utterances: Sequence[Utterance], frames: int, rate: int) -> None:
        self.utterances, self.frames, self.hop = utterances, frames, rate // FRAME_RATE
        self.rate = rate
        self.phones = [features.of_phones(u.phones) for u in utterances]
        self.rows = [
            number
            for number, u in enumerate(utterances)
            for _ in range(max(1, round(len(u.pitch) / frames)))
        ]
        """The utterance of each row."""
        pause = features.of_phones([Phone(PAUSE)])
        self.silence = np.concatenate([pause, np.zeros((5, 1), np.float32)])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Tensor) -> Batch:
        """The beginnings of utterances."""
        return self._batch(rows, torch.zeros(len(rows)))

    def draw(self, rows: Tensor, generator: torch.Generator) -> Batch:
        """Pieces of utterances."""
        return self._batch(rows, torch.rand(len(rows), generator=generator))

    def _batch(self, rows: Tensor, places: Tensor) -> Batch:
        numbers = [self.rows[row] for row in rows.tolist()]
        most = min(MOST_PHONES, max(len(self.utterances[number].phones) for number in numbers))
        of = zip(numbers, places.tolist(), strict=True)
        picked = [self._piece(number, place, most) for number, place in of]
        return Batch(*(torch.from_numpy(np.stack(part)) for part in zip(*picked, strict=True)))

    def _piece(self, number: int, place: float, most: int) -> tuple[np.ndarray, ...]:
        u, phones = self.utterances[number], self.phones[number]
        first = int(place * (max(0, len(u.pitch) - self.frames) + 1))
        there = slice(first, first + self.frames)
        told = np.concatenate([features.of_frames(phones, u.lengths), features.of_pitch(u.pitch)])
        told, pitch = told[:, there], u.pitch[there]
        audio = u.audio[first * self.hop : (first + self.frames) * self.hop]
        lacking = self.frames - len(pitch)
        if lacking:
            told = np.concatenate([told, np.repeat(self.silence, lacking, 1)], 1)
            pitch, audio = np.pad(pitch, (0, lacking)), np.pad(audio, (0, lacking * self.hop))
        sound, _ = pulses(pitch, self.rate, like=audio)
        begin = int(place * (max(0, len(u.lengths) - most) + 1))
        phones, lengths = phones[:, begin : begin + most], u.lengths[begin : begin + most]
        more = most - len(lengths)
        return told, audio, sound, np.pad(phones, ((0, 0), (0, more))), np.pad(lengths, (0, more))
