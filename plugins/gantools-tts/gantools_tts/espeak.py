"""The default voice: phones spoken by eSpeak NG, a formant synthesiser, with the time of each.

It is a synthetic teacher: it says anything, and tells when each phone begins, so that text to
speech can be learned without a recording. eSpeak NG is under the GPL, version 3 or later; it is
called from the wheel espeakng-loader where that is installed, an extra that nothing else needs.
"""

from __future__ import annotations

import _ctypes
import ctypes
import itertools
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gantools import Note, UserError
from gantools.errors import did_you_mean
from gantools_tts.recordings import CONSONANTS, PAUSE, PHONES, VOWELS, Phone, Recording

RATE, ESPEAK_RATE = 16_000, 22_050
"""Samples a second of a recording, and of what espeak speaks."""
LEAST = 0.015
"""Seconds. What is shorter by espeak's times is heard in the phone before, as in "cold"."""
EDGE = 0.1
"""Seconds of silence that are added before and after an utterance."""
SHARE = 0.6
"""The part of "ar" or "ol" that is the vowel's where espeak speaks the two as one sound, as in
"start" and "cold": there is no boundary to be heard."""

_SPOKEN = (
    "A: a V O: aU aI E 3: eI I i: oU OI U u: b tS d D f g h dZ k l m n N p r s S t T v w j z Z"
)
_MNEMONICS = dict(zip((*VOWELS, *CONSONANTS), _SPOKEN.split(), strict=True))
_UNSTRESSED = {"AH": "@", "ER": "3", "IH": "I", "IY": "i"}
_BEFORE_R = {"AA": "A@", "AO": "O@", "EH": "e@", "IH": "i@3", "IY": "i@3", "UH": "U@"}
_PAUSE = "_:"
_STRESS = ("%", "'", ",")  # without "%" espeak makes a schwa of some vowels
_LINKS = (";", "r-", "r")  # that espeak puts between vowels
_VARIANTS = (("t", "t#"), ("n", "N"), ("I", "i"), ("@", "3"))  # that it chooses by context

_SYNCHRONOUS, _PHONEME_EVENTS, _NEVER_EXIT, _UTF8, _PHONEMES = 2, 1, 1 << 15, 1, 1 << 8
_SPEED, _PITCH, _PHONEME = 1, 3, 7


class UnspokenError(Exception):
    """espeak did not speak the phones as they were given, so that their times are not known."""


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("milliseconds", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


_Listener = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def speak(
    name: str,
    text: str,
    phones: Sequence[Phone],
    *,
    variant: str = "",
    speed: int = 160,
    pitch: int = 50,
) -> Recording:
    """Speak phones in General American, as they are given; the same always sounds the same.

    Stress, words and the marks at the pauses make espeak's intonation: that of a question before a
    "?". The times are espeak's own; silence that it makes before a phone is that phone's, so the
    closure of a stop is the stop's.

    Args:
        name: the recording's.
        text: what the phones say, for the recording.
        phones: N of them, a pause first and last.
        variant: another voice, by the name of one of espeak's variants, such as "f2" or "steph".
        speed: words a minute, 80 to 450.
        pitch: 0 to 99.

    Returns:
        A recording at 16 kHz, with 0.1 s more silence at both ends than espeak makes.

    Raises:
        UserError: espeakng-loader is not installed or its data cannot be read, or there is no such
            variant.
        UnspokenError: espeak spoke other phones than these.
        ValueError: a phone is unknown, there is none but pauses, or the first or last is no pause.
    """
    import torch
    from torchaudio.functional import resample

    names = [phone.name for phone in phones]
    if set(names) <= {PAUSE} or names[0] != PAUSE or names[-1] != PAUSE or set(names) - set(PHONES):
        raise ValueError("What is spoken begins and ends with a pause, and all of it is in PHONES.")
    sounds = _sounds(phones)
    samples, events = _run(_notation(phones, sounds), variant, speed, pitch)
    begins = _begins(sounds, samples, events)

    edge = round(EDGE * ESPEAK_RATE)
    signal = torch.from_numpy(np.pad(samples, edge) / np.float32(2**15))
    audio = resample(signal, ESPEAK_RATE, RATE, lowpass_filter_width=64).clamp(-1, 1).numpy()
    starts = np.array([0, *(edge + np.array(begins)) / ESPEAK_RATE, len(audio) / RATE])
    return Recording(name, text, audio, RATE, tuple(phones), starts)


def recordings(
    utterances: Iterable[tuple[str, str, Sequence[Phone]]],
    *,
    variant: str = "",
    speed: int = 160,
    pitch: int = 50,
) -> list[Recording]:
    """Speak many, each a (name, text, phones); a Note counts what espeak spoke otherwise.

    The other arguments, and what is raised, are those of :func:`speak`.
    """
    spoken, unspoken = [], []
    for name, text, phones in utterances:
        try:
            spoken.append(speak(name, text, phones, variant=variant, speed=speed, pitch=pitch))
        except UnspokenError as error:
            unspoken.append(str(error))
    if unspoken:
        said = f"Left out, {len(unspoken)} utterances that espeak spoke otherwise: {unspoken[0]}"
        warnings.warn(said, Note, stacklevel=2)
    return spoken


def _sounds(phones: Sequence[Phone]) -> list[str]:
    """espeak's mnemonic of each phone; "" of an R that is in that of the vowel before it."""
    sounds: list[str] = []
    for before, phone, after in zip((None, *phones), phones, (*phones[1:], None), strict=False):
        if phone.name == PAUSE:
            sounds.append(_PAUSE)
        elif phone.name in VOWELS:
            plain = _MNEMONICS[phone.name]
            sounds.append(plain if phone.stress else _UNSTRESSED.get(phone.name, plain))
        elif phone.name == "R" and after and after.name not in VOWELS:
            coloured = before and not before.last and _BEFORE_R.get(before.name)
            if coloured:
                sounds[-1] = coloured
            sounds.append("" if coloured else _UNSTRESSED["ER"])
        else:
            sounds.append(_MNEMONICS[phone.name])
    return sounds


def _notation(phones: Sequence[Phone], sounds: Sequence[str]) -> str:
    """Phones as espeak reads them: ``[[h|@|l|'oU|]], [[w|'3:|l|d|]]?``"""
    written = ""
    for phone, sound in list(zip(phones, sounds, strict=True))[1:-1]:
        if phone.mark:
            written += f"]]{phone.mark} [["
        elif phone.name == PAUSE:
            written += f" {sound} "
        elif sound:
            full = phone.name in VOWELS and (phone.stress or sound not in _UNSTRESSED.values())
            written += (_STRESS[phone.stress] if full else "") + sound + "|"
        if phone.last:
            written += " "
    return f"[[{written}]]{phones[-1].mark}"


def _run(
    notation: str, variant: str, speed: int, pitch: int
) -> tuple[np.ndarray, list[tuple[str, int]]]:
    """What espeak says, int16, and each sound by its mnemonic, with its first sample."""
    try:
        import espeakng_loader
    except ImportError:
        raise UserError(
            "The synthetic voice needs eSpeak NG: pip install 'gantools-tts[espeak]'."
        ) from None
    data = Path(espeakng_loader.get_data_path())
    variants = sorted(path.name for path in (data / "voices" / "!v").glob("*"))
    if variant and variant not in variants:
        meant = did_you_mean(variant, variants)
        raise UserError(f"espeak has no variant {variant!r}.{meant} It has {', '.join(variants)}.")

    heard: list[np.ndarray] = []
    events: list[tuple[str, int]] = []

    @_Listener
    def listen(wave: Any, count: int, happened: Any) -> int:
        if wave:
            heard.append(np.ctypeslib.as_array(wave, (count,)).copy())
        for event in itertools.takewhile(lambda event: event.type, happened):
            if event.type == _PHONEME:
                events.append((event.name.decode().lstrip("%',="), event.sample))
        return 0

    # The library goes on from what it spoke last, and can be reset only by loading it anew.
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    try:
        options = _PHONEME_EVENTS | _NEVER_EXIT
        rate = library.espeak_Initialize(_SYNCHRONOUS, 0, str(data).encode(), options)
        if rate != ESPEAK_RATE:
            raise UserError(f"espeak cannot read its data in {data}: a shorter path may help.")
        library.espeak_SetSynthCallback(listen)
        voice = f"en-us+{variant}" if variant else "en-us"
        if library.espeak_SetVoiceByName(voice.encode()):
            raise UserError(f"espeak cannot read its voice {voice} in {data}.")
        library.espeak_SetParameter(_SPEED, speed, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        spoken = notation.encode() + b"\0"
        library.espeak_Synth(spoken, len(spoken), 0, 1, 0, _UTF8 | _PHONEMES, None, None)
    finally:
        library.espeak_Terminate()
        unload: Any = getattr(_ctypes, "FreeLibrary" if os.name == "nt" else "dlclose")
        unload(library._handle)
    return np.concatenate(heard), events


def _begins(
    sounds: Sequence[str], samples: np.ndarray, events: Sequence[tuple[str, int]]
) -> list[float]:
    """The samples at which all sounds but the first, a pause, begin.

    Raises:
        UnspokenError: the events are of other sounds.
    """
    said: list[tuple[str, int]] = []
    for mnemonic, sample in (*events, (_PAUSE, len(samples))):
        paused = mnemonic.startswith("_")  # pauses have several names, and follow each other
        if not (paused and said and said[-1][0] == _PAUSE):
            said.append((_PAUSE if paused else mnemonic, sample))

    begins: list[float] = []
    last, left = (_PAUSE, 0), iter(said)
    for sound in sounds[1:]:
        if not sound:
            begins.append(len(samples))  # mended below
            continue
        this = next((event for event in left if event[0] == sound or event[0] not in _LINKS), last)
        if this[0] != sound and (sound, this[0]) not in _VARIANTS:
            raise UnspokenError(f"{this[0]} for {sound} in {' '.join(sounds[1:-1])}.")
        begin = this[1]
        if last[0] != _PAUSE:
            loud = np.flatnonzero(samples[last[1] : begin])
            begin = last[1] + (int(loud[-1]) + 1 if len(loud) else 0)
        begins.append(begin)
        last = this
    for i in range(1, len(begins) - 1):
        if begins[i + 1] - begins[i] < LEAST * ESPEAK_RATE:  # it is in the sound before
            begins[i] = begins[i - 1] + SHARE * (begins[i + 1] - begins[i - 1])
    return begins
