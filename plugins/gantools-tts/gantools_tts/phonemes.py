"""English sentences as sounds, by gruut: a dictionary, and a model for words it does not have."""

from __future__ import annotations

import functools
import logging
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

from gantools_tts.recordings import PAUSE, VOWELS, Phone

# fmt: off
ARPABET = {
    "ɑ": "AA", "æ": "AE", "ə": "AH", "ʌ": "AH", "ɔ": "AO", "aʊ": "AW", "aɪ": "AY", "ɛ": "EH",
    "ɚ": "ER", "eɪ": "EY", "ɪ": "IH", "i": "IY", "oʊ": "OW", "ɔɪ": "OY", "ʊ": "UH", "u": "UW",
    "b": "B", "t͡ʃ": "CH", "d": "D", "ð": "DH", "f": "F", "ɡ": "G", "h": "HH", "d͡ʒ": "JH",
    "k": "K", "l": "L", "m": "M", "n": "N", "ŋ": "NG", "p": "P", "ɹ": "R", "s": "S", "ʃ": "SH",
    "t": "T", "θ": "TH", "v": "V", "w": "W", "j": "Y", "z": "Z", "ʒ": "ZH",
}
# fmt: on
"""The sounds of gruut's American English, without stress, as the CMU dictionary writes them."""
STRESS = {"ˈ": 1, "ˌ": 2}
MARKS = ("", ",", ".", "!", "?")
"""What a pause may be marked with; where marks meet, the later in this row is kept."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SCALES = ("hundred", "thousand", "million", "billion", "trillion")
"""After these gruut puts a comma into numbers, where nobody pauses."""


def phones(sentence: str) -> tuple[Phone, ...]:
    """Say which sounds a sentence is spoken with, in American English.

    Words that gruut's dictionary has are spoken as there, by their part of speech ("I read the
    record", "I record it"); others as its model guesses, or letter by letter if that finds no
    vowel. Capitals are letters unless they are a word: FBI, but NASA. Numbers, money, dates and
    times are put into words by gruut. A word that has digits in it is spelt too.

    The first call loads gruut, which takes seconds; call it once before time matters.

    Args:
        sentence: such as :func:`gantools_tts.text.sentences` gives.

    Returns:
        A pause, the phones with one where there is punctuation, and a pause with the mark that
        ends the sentence, "." if none does. What cannot be said is left out; of a sentence of
        nothing else the two pauses remain.
    """
    spoken = [Phone(PAUSE)]
    previous, written = "", sentence.lower()
    for word, sounds in _words(re.sub(r"[-–—]*[—–(){}\[\]]+|\s-+(?=\s)|--+", ", ", sentence)):
        if sounds:
            spoken += _phones(sounds)
            previous = word
        elif not (word == "," and previous in SCALES and previous not in written):
            if spoken[-1].name != PAUSE:
                spoken.append(Phone(PAUSE, mark=word))
            elif len(spoken) > 1:
                spoken[-1] = Phone(PAUSE, mark=max(spoken[-1].mark, word, key=MARKS.index))
    if spoken[-1].name != PAUSE or len(spoken) == 1:
        spoken.append(Phone(PAUSE))
    if spoken[-1].mark in ("", ","):
        spoken[-1] = Phone(PAUSE, mark=spoken[-1].mark or ".")
    return tuple(spoken)


def _words(sentence: str) -> Iterator[tuple[str, list[str]]]:
    """Words in small letters and their sounds in IPA; marks of :data:`MARKS` without any."""
    processor = _gruut()
    for part in processor.sentences(*processor(sentence)):
        for word in part.words:
            if word.is_minor_break:
                yield ",", []
            elif word.is_major_break:
                yield word.text.strip()[:1], []
            elif word.phonemes:
                yield word.text.lower(), list(word.phonemes)


def written(text: str) -> list[str]:
    """The words of a text as they are spoken, in small letters: numbers and abbreviations in words.

    Raises:
        UserError: as :func:`gantools_tts.text.sentences` says.
    """
    from gantools_tts.text import sentences

    return [word for part in sentences(text) for word, sounds in _words(part) if sounds]


def _phones(sounds: list[str]) -> list[Phone]:
    """A word."""
    said = []
    for i, sound in enumerate(sounds):
        name = ARPABET[sound.lstrip("ˈˌ")]
        stress = STRESS.get(sound[0], 0) if name in VOWELS else 0
        said.append(Phone(name, stress, last=i == len(sounds) - 1))
    return said


@functools.cache
def _gruut() -> Any:
    """gruut's English, with an index of its dictionary, which is else read from end to end for
    every word."""
    from gruut import TextProcessor
    from gruut.lang import en_is_initialism, get_settings
    from gruut.phonemize import SqlitePhonemizer
    from gruut.utils import find_lang_dir, remove_non_word_chars

    lexicon = sqlite3.connect(":memory:", check_same_thread=False)
    with sqlite3.connect(f"{find_lang_dir('en-us')}/lexicon.db") as file:
        file.backup(lexicon)
    lexicon.execute("CREATE INDEX by_word ON word_phonemes (word, pron_order)")
    simpler = [str.lower, remove_non_word_chars, lambda word: remove_non_word_chars(word.lower())]
    known: Any = SqlitePhonemizer(lexicon, word_transform_funcs=simpler)

    def spelt(word: str) -> bool:
        return en_is_initialism(word) and not (len(word) > 2 and known(word.lower(), None, False))

    logging.getLogger("gruut").setLevel(logging.CRITICAL)  # what it cannot read is spelt
    settings: Any = get_settings("en-us", lookup_phonemes=known, is_initialism=spelt)
    model: Any = settings.guess_phonemes

    def guessed(word: str, role: str | None = None) -> list[str]:
        written = re.findall("[a-z0-9]", word.lower())
        sounds = list(model("".join(written))) if "".join(written).isalpha() else []
        if any(ARPABET[sound.lstrip("ˈˌ")] in VOWELS for sound in sounds):
            return sounds
        names = [DIGITS[int(char)] if char.isdigit() else char for char in written]
        return [sound for name in names for sound in known(name, "gruut:letter")]

    settings.guess_phonemes = guessed
    return TextProcessor("en-us", settings={"en-us": settings, "en_US": settings})
