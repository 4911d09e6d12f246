"""How much of speech is understood: what recognisers hear, and how far it is from the text.

Utterances are float32 [T] in [−1, 1], T ≥ 1, all of one rate. What recognises anything resamples to
its own 16 kHz, and gives the same answer for an utterance whatever it heard before.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torchaudio.functional import edit_distance, resample

from gantools import UserError
from gantools_tts.phonemes import ARPABET
from gantools_tts.recordings import PAUSE, Phone

RATE = 16_000
"""Samples a second that every judge wants."""
QUIET = RATE // 2
"""Samples of silence that hama hears before and after an utterance: it loses what ends abruptly."""
RESAMPLES = 2000
"""How often utterances are drawn anew for an interval."""
JUDGES = ("hama", "onnxruntime", "resemblyzer", "speechmos")
"""What the extra ``judges`` installs."""
FOREIGN = {
    "ɒ": "AA",
    "ɐ": "AH",
    "eə": "EH",
    "ɝ": "ER",
    "ɜ": "ER",
    "e": "EY",
    "ɪə": "IH",
    "o": "OW",
    "ʉ": "UW",
    "g": "G",
    "ɫ": "L",
    "r": "R",
    "ɾ": "T",
}
"""Sounds that hama knows besides gruut's and that are heard in English, too."""

Judged = TypeVar("Judged")
Progress = Callable[[int, int], None]
"""Told how many utterances are done, and of how many."""


@dataclass(frozen=True)
class ErrorRate:
    """How much is misheard of many utterances."""

    rate: float
    """Edits over all of what was to be heard; 0 is faultless, and it may exceed 1."""
    low: float
    """The interval, 95 %: what other utterances of this kind might have given."""
    high: float
    edits: int
    """Insertions, deletions and substitutions, the fewest possible."""
    length: int
    """Phones or words that were to be heard."""
    each: tuple[tuple[int, int], ...]
    """Edits and length of each utterance."""


def error_rate(
    spoken: Sequence[Sequence[str]], heard: Sequence[Sequence[str]], seed: int = 0
) -> ErrorRate:
    """Compare what was heard with what was to be spoken.

    All edits over all of the length, so long utterances count for more. The interval is the
    percentile bootstrap over utterances (Bisani & Ney 2004, "Bootstrap estimates for confidence
    intervals in ASR performance evaluation", section 3), 2,000 draws.

    Args:
        spoken: phones or words of each utterance.
        heard: the same of each, in the same order.
        seed: draws the utterances of the interval.

    Raises:
        ValueError: they are not equally many, or nothing was to be spoken.
    """
    edits = np.array([edit_distance(a, b) for a, b in zip(spoken, heard, strict=True)])
    lengths = np.array([len(a) for a in spoken])
    if not lengths.sum():
        raise ValueError("nothing was to be spoken: there is no rate of errors")
    # How often each utterance is drawn; a draw of silent ones alone has no rate.
    draws = np.random.default_rng(seed).multinomial(
        len(edits), np.full(len(edits), 1 / len(edits)), RESAMPLES
    )
    drawn = draws @ lengths
    rates = (draws @ edits)[drawn > 0] / drawn[drawn > 0]
    low, high = np.percentile(rates, [2.5, 97.5]).tolist()
    total, length = int(edits.sum()), int(lengths.sum())
    each = tuple(zip(edits.tolist(), lengths.tolist(), strict=True))
    return ErrorRate(total / length, low, high, total, length, each)


def sounds(phones: Sequence[Phone]) -> list[str]:
    """Say what of some phones can be heard: their names, without stress or pauses."""
    return [phone.name for phone in phones if phone.name != PAUSE]


def words(text: str) -> list[str]:
    """Split a text as it is compared with what was heard: small letters, no marks, hyphens apart.

    Args:
        text: cleaned, with numbers in words; figures would be lost.
    """
    return re.findall(r"[a-z]+(?:'[a-z]+)*", text.lower().replace("’", "'"))


def sounds_heard(
    utterances: Sequence[np.ndarray], rate: int, progress: Progress | None = None
) -> list[list[str]]:
    """Hear phones: hama's recogniser (a CTC network of many languages, 191 symbols, greedy).

    Args:
        utterances: float32 [T] in [−1, 1] each.
        rate: samples a second.
        progress: called after each.

    Returns:
        Of each, names as in :data:`gantools_tts.recordings.PHONES`; a sound that English does not
        have stays in its own letters, and so is always an error.

    Raises:
        UserError: hama is not installed.
        ValueError: an utterance is not what it should be.
    """
    recogniser = _hama()

    def hear(audio: np.ndarray) -> list[str]:
        plain = map(_plain, recogniser(np.pad(audio, QUIET), RATE).phonemes)
        return [_names().get(symbol, symbol) for symbol in plain if symbol]

    return each(hear, utterances, rate, progress)


def words_heard(
    utterances: Sequence[np.ndarray], rate: int, progress: Progress | None = None
) -> list[list[str]]:
    """Hear words: pocketsphinx with its own model and trigrams of American English.

    It comes with the plugin. It aligns the recordings that are learned from, too
    (:mod:`gantools_tts.align`), so of the two recognisers it is the less independent.

    Args:
        utterances: float32 [T] in [−1, 1] each.
        rate: samples a second.
        progress: called after each.

    Returns:
        Of each, as :func:`words` writes them.

    Raises:
        ValueError: an utterance is not what it should be.
    """
    recogniser = _sphinx()

    def hear(audio: np.ndarray) -> list[str]:
        recogniser.start_utt()
        pcm = (audio * 32767).round().astype("<i2").tobytes()
        recogniser.process_raw(pcm, full_utt=True)  # normalised by itself, not by what was before
        recogniser.end_utt()
        found = recogniser.hyp()
        return words(found.hypstr) if found else []

    return each(hear, utterances, rate, progress)


def each(
    judge: Callable[[np.ndarray], Judged],
    utterances: Sequence[np.ndarray],
    rate: int,
    progress: Progress | None,
) -> list[Judged]:
    """Judge utterances one by one, at 16 kHz.

    Raises:
        ValueError: one has no samples, or not one axis, or is not finite, or leaves [−1, 1].
    """
    judged = []
    for number, audio in enumerate(utterances, 1):
        judged.append(judge(_at_16k(audio, rate, number)))
        if progress:
            progress(number, len(utterances))
    return judged


def check_judges() -> None:
    """Look whether all judges are installed, without loading them.

    Raises:
        UserError: one is not.
    """
    for name in JUDGES:
        if importlib.util.find_spec(name) is None:
            raise needs_judges(ModuleNotFoundError(f"No module named {name!r}"))


def needs_judges(error: ImportError) -> UserError:
    """Say how to install what is missing."""
    return UserError(
        f"Judging speech needs models that are not installed ({error}): "
        "pip install 'gantools-tts[judges]'"
    )


def _at_16k(audio: np.ndarray, rate: int, number: int) -> np.ndarray:
    if audio.ndim != 1 or not len(audio) or not np.abs(audio).max() <= 1:
        raise ValueError(
            f"utterance {number} cannot be judged: it must be [T], not {list(audio.shape)}, with "
            "samples that are all finite and in [−1, 1]"
        )
    sound = torch.from_numpy(np.asarray(audio, np.float32))
    return resample(sound, rate, RATE).clamp(-1, 1).numpy()


@functools.cache
def _names() -> dict[str, str]:
    return FOREIGN | {_plain(symbol): name for symbol, name in ARPABET.items()}


def _plain(symbol: str) -> str:
    """Without marks of length, tone and the like; empty if it is nothing but those."""
    letters = unicodedata.normalize("NFD", symbol)
    return "".join(x for x in letters if unicodedata.category(x) in ("Ll", "Lo"))


@functools.cache
def _hama() -> Any:
    try:
        from hama import ASRModel
    except ImportError as error:
        raise needs_judges(error) from None
    return ASRModel()


@functools.cache
def _sphinx() -> Any:
    from pocketsphinx import Decoder

    return Decoder(loglevel="FATAL")
