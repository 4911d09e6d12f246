"""What a voice is learned from and tested on: espeak's, or a folder of recordings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gantools import UserError
from gantools.data import keep_arrays, kept_arrays
from gantools.errors import did_you_mean
from gantools_tts.data import LOUDEST, Utterance
from gantools_tts.pitch import pitch
from gantools_tts.recordings import PHONES, Phone, Recording

RATE = 16_000
"""Samples a second of all voices."""
ESPEAK = "espeak"
HELD_OUT, VALIDATION = 0.15, 0.05
"""The parts of a folder's recordings that are the test, and that a training is watched by."""
TESTS = 100
"""Sentences of espeak's that are the test."""
KEPT = "voice.npz"
MARKS = ("", ",", ".", "?", "!")


@dataclass(frozen=True)
class VoiceData:
    """Utterances of one voice."""

    train: list[Utterance]
    valid: list[Utterance]
    """What a training is watched by, of families that are neither in ``train`` nor in ``test``."""
    test: list[Utterance]
    """Of phrases whose families are not in ``train``."""
    source: str
    """Whose they are, for reports."""


def load(source: str, count: int, seed: int) -> VoiceData:
    """Make or read the recordings of a voice, and hold families of phrases out.

    Args:
        source: ``"espeak"``, or a folder laid out as LJSpeech's (:mod:`gantools_tts.corpus`).
        count: sentences that espeak says to be learned from.
        seed: draws the sentences, and what is held out.

    Raises:
        UserError: there is no such folder, or too little in it can be used; espeak is not there.
    """
    if source == ESPEAK:
        from gantools_tts import espeak, sentences
        from gantools_tts.phonemes import phones

        drawn, test = sentences.split(count, TESTS, seed)
        train = [of for of in drawn if of[0] not in sentences.VALIDATION]
        valid = [of for of in drawn if of[0] in sentences.VALIDATION]
        parts = [
            espeak.recordings((f"{family}-{i}", text, phones(text)) for i, (family, text) in of)
            for of in map(enumerate, (train, valid, test))
        ]
        said = f"espeak-ng's voice, which is synthetic: {sum(map(len, parts)):,} sentences"
        return VoiceData(*([utterance(r) for r in part] for part in parts), said)
    folder = Path(source).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"There is no folder {source!r}.{did_you_mean(source, [ESPEAK])} A voice is 'espeak', "
            "or a folder with metadata.csv (id|text) and wavs/id.wav."
        )
    from gantools_tts import corpus

    recordings = corpus.read(folder, RATE)
    train, test = corpus.split(recordings, HELD_OUT, seed)
    try:
        train, valid = corpus.split(train, VALIDATION / (1 - HELD_OUT), seed)
    except UserError:  # so few families that none can be spared
        valid = train
    minutes = sum(len(r.audio) / r.rate for r in recordings) / 60
    said = f"{folder.resolve().name!r}: {len(recordings):,} recordings, {minutes:.1f} minutes"
    return VoiceData(*([utterance(r) for r in part] for part in (train, valid, test)), said)


def utterance(recording: Recording) -> Utterance:
    """A recording with its pitch, cut to whole frames."""
    return Utterance.of(recording, pitch(recording.audio, recording.rate))


def keep(voice: VoiceData, path: Path) -> None:
    """Write a voice's utterances into a .npz file of their own."""
    utterances = voice.train + voice.valid + voice.test
    facts = {
        "source": voice.source,
        "train": len(voice.train),
        "valid": len(voice.valid),
        "said": json.dumps([(u.name, u.text) for u in utterances]),
    }
    keep_arrays(
        path,
        facts,
        audio=[np.round(u.audio * LOUDEST).astype(np.int16) for u in utterances],
        pitch=[u.pitch for u in utterances],
        lengths=[u.lengths for u in utterances],
        phones=[_numbers(u.phones) for u in utterances],
    )


def kept(path: Path) -> VoiceData:
    """Read what :func:`keep` wrote.

    Raises:
        UserError: it is torn.
    """
    facts, parts = kept_arrays(path, "audio", "pitch", "lengths", "phones")
    utterances = [
        Utterance(name, text, _phones(phones), audio.astype(np.float32) / LOUDEST, lengths, pitch)
        for name, text, audio, pitch, lengths, phones in zip(
            *zip(*json.loads(facts["said"]), strict=True), *parts, strict=True
        )
    ]
    train, valid = facts["train"], facts["valid"]
    parts = utterances[:train], utterances[train : train + valid], utterances[train + valid :]
    return VoiceData(*parts, facts["source"])


def _numbers(phones: Sequence[Phone]) -> np.ndarray:
    return np.array(
        [(PHONES.index(p.name), p.stress, p.last, MARKS.index(p.mark)) for p in phones], np.int8
    )


def _phones(numbers: np.ndarray) -> tuple[Phone, ...]:
    return tuple(
        Phone(PHONES[name], stress, bool(last), MARKS[mark])
        for name, stress, last, mark in numbers.tolist()
    )
