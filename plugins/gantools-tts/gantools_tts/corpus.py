"""Recordings of a person, from a folder as LJSpeech's, and a split that hides no text."""

from __future__ import annotations

import contextlib
import hashlib
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PureWindowsPath

import numpy as np

from gantools import Note, UserError
from gantools.data import cached
from gantools.files import left_out
from gantools_tts.recordings import PAUSE, Phone, Recording

SUFFIXES = ("", ".wav", ".flac", ".ogg")
"""Of a recording, after its id."""
LEAST_RATE = 8_000
SILENT = -60
"""dB: recordings below, root mean square against full scale, are taken for silent."""
FULL, CLIPPED = 0.999, 0.001
"""From where a sample counts as at full scale, and the part of samples there that is too much."""
SHORTEST, LONGEST, SLACK = 0.04, 0.5, 2.0
"""Seconds a phone of the fastest and the slowest speech, and of silence that is for nothing."""
ALIGNED = 1
"""Counted up whenever recordings are aligned otherwise than before."""
TEMPLATE, WHOLE = 4, 2
"""Words that texts share if they are of one family, and of the shortest text that is looked for
as a whole in others."""

Say = Callable[[str], Sequence[Phone]]


def read(
    folder: Path,
    rate: int,
    *,
    say: Say | None = None,
    progress: Callable[[int, int], None] = lambda done, rows: None,
) -> list[Recording]:
    """Read and align the recordings of a folder that can be used; nothing is written to it.

    The folder is laid out as LJSpeech's: ``metadata.csv`` in UTF-8 with a row ``id|text`` or
    ``id|text|text with numbers in words`` for each recording (the last is spoken), and the sound in
    ``wavs/id.wav`` or another file that libsndfile reads. Channels are averaged. The alignment is
    kept in the user's cache, by the sound and the phones.

    Args:
        folder: that of ``metadata.csv``.
        rate: samples a second that are wanted; others are resampled, and a Note says so.
        say: gives the phones of a text, a pause first and last, or raises a UserError;
            :func:`spoken` if left out.
        progress: called after each row with how many are done and how many there are.

    A Note says which rows cannot be used: no text or one that cannot be spoken, a second row of an
    id, a path out of the folder, a file that is missing, cannot be read or has less than 8,000
    samples a second, and a sound that is silent (below −60 dB), clipped (more than a thousandth of
    the samples at full scale), too short or too long for its text, or not of its text.

    Raises:
        UserError: there is no ``metadata.csv``, it cannot be read, or no row can be used.
    """
    from torch import from_numpy
    from torchaudio.functional import resample

    rows = _rows(folder)
    recordings, reasons, others = [], [], Counter[int]()
    seen: set[str] = set()
    for done, (number, row) in enumerate(rows, 1):
        try:
            name, text = _columns(number, row)
            if name in seen:
                raise UserError(f"{name!r} has a second row, {number}.")
            seen.add(name)
            file = _file(folder / "wavs", name)
            called = f"wavs/{file.relative_to(folder / 'wavs').as_posix()}"
            phones = _phones(name, text, say or spoken)
            audio, own = _sound(file, called, sum(phone.name != PAUSE for phone in phones))
            phones, starts = _aligned(called, audio, own, phones)
        except UserError as error:
            reasons.append(str(error))
        else:
            if own != rate:
                others[own] += 1
                audio = resample(from_numpy(audio), own, rate).numpy().clip(-1, 1)
                starts = np.append(starts[:-1], len(audio) / rate)
                starts = np.minimum(starts, starts[-1])
            recordings.append(Recording(name, text, audio, rate, phones, starts))
        progress(done, len(rows))
    if not recordings:
        why = " ".join(reasons[:3]) or "It has no rows; write one for each recording: id|text."
        raise UserError(f"No recording of {str(folder)!r} can be used. {why}")
    left_out(reasons, "1 recording" if len(reasons) == 1 else f"{len(reasons):,} recordings")
    if others:
        rates = ", ".join(f"{other:,}" for other in sorted(others))
        said = f"Resampled to {rate:,} samples a second, {others.total()} recordings of {rates}."
        warnings.warn(said, Note, stacklevel=2)
    return recordings


def spoken(text: str) -> tuple[Phone, ...]:
    """The phones of all sentences of a text, a pause first, last and between them.

    Raises:
        UserError: as :func:`gantools_tts.text.sentences` says.
    """
    from gantools_tts.phonemes import phones
    from gantools_tts.text import sentences

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)  # symbols without a sound, text by text
        return (Phone(PAUSE), *(phone for part in sentences(text) for phone in phones(part)[1:]))


def families(texts: Sequence[str]) -> list[int]:
    """Number the families of texts: those that share a template, directly or through others.

    Two texts are of one family if they share four words in a row, or if the whole of one, of two
    words or more, is within the other, or if they are the same; case and punctuation aside.

    Args:
        texts: any number.

    Returns:
        Of each text the number of its family: that of the first text that is of it.
    """
    words = [_words(text) for text in texts]
    whole = {tuple(word) for word in words if len(word) < TEMPLATE}
    earlier, first = [*range(len(texts))], dict[tuple[str, ...], int]()

    def founder(i: int) -> int:
        while earlier[i] != i:
            earlier[i] = i = earlier[earlier[i]]
        return i

    for i, text in enumerate(words):
        for gram in {tuple(text), *_grams(text)}:
            if gram in whole or len(gram) == TEMPLATE:
                one, other = founder(i), founder(first.setdefault(gram, i))
                earlier[max(one, other)] = min(one, other)
    return [founder(i) for i in range(len(texts))]


def split(
    recordings: Sequence[Recording], share: float, seed: int
) -> tuple[list[Recording], list[Recording]]:
    """Hold out whole :func:`families`, so that no text of the test or its template is trained on.

    Families are drawn until the share is full; one that is larger than what is left of it is
    trained on, and so are texts of one word, which are within others. So where nearly all texts are
    of one family, less is held out.

    Args:
        recordings: at least two families of them.
        share: to hold out, above 0 and below 1.
        seed: draws.

    Returns:
        What to train on and what to test on, in the order of ``recordings``.

    Raises:
        UserError: nothing can be held out.
    """
    of = families([recording.text for recording in recordings])
    size, most, held = Counter(of), round(share * len(of)), set[int]()
    phrases = sorted(i for i in size if len(_words(recordings[i].text)) >= WHOLE)
    for family in np.random.default_rng(seed).permutation(phrases).tolist():
        if size[family] <= most:
            most -= size[family]
            held.add(family)
    if not held:
        raise UserError(
            f"No text can be held out of {len(of)} recordings: nearly all of them share their "
            "words with each other, or they are too few. Add recordings of other texts."
        )
    train = [r for r, family in zip(recordings, of, strict=True) if family not in held]
    return train, [r for r, family in zip(recordings, of, strict=True) if family in held]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").casefold()
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", plain)


def _grams(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for count in range(WHOLE, TEMPLATE + 1):
        for i in range(len(words) - count + 1):
            yield tuple(words[i : i + count])


def _rows(folder: Path) -> list[tuple[int, bytes]]:
    """The rows that are not empty, with their numbers from 1."""
    file = folder / "metadata.csv"
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        raise UserError(
            f"There is no file {str(file)!r}. Write one with a row for each recording: id|text, "
            "and put the recordings beside it: wavs/id.wav."
        ) from None
    except OSError as error:
        raise UserError(f"Cannot read {str(file)!r}: {error.strerror}.") from None
    return [(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _columns(number: int, row: bytes) -> tuple[str, str]:
    """Id and text."""
    try:
        name, *texts = (part.strip() for part in row.decode("utf-8-sig").split("|"))
    except UnicodeDecodeError:
        raise UserError(f"Row {number} of metadata.csv is no text in UTF-8.") from None
    if not name or not texts:
        raise UserError(f"Row {number} of metadata.csv is not id|text.")
    text = next((text for text in texts[1::-1] if text), "")
    if not text:
        raise UserError(f"{name!r} has no text.")
    return name, text


def _file(folder: Path, name: str) -> Path:
    path = PureWindowsPath(name)  # knows the separators of all systems
    if path.anchor or ".." in path.parts:
        raise UserError(f"{name!r} leads out of the folder.")
    with contextlib.suppress(OSError):
        for suffix in SUFFIXES:
            if (file := folder / f"{name}{suffix}").is_file():
                return file
    raise UserError(f"'wavs/{name}.wav' is missing.")


def _phones(name: str, text: str, say: Say) -> tuple[Phone, ...]:
    try:
        phones = tuple(say(text))
    except UserError as error:
        raise UserError(f"{name!r} cannot be spoken: {error}") from None
    if all(phone.name == PAUSE for phone in phones):
        raise UserError(f"{name!r} has no text that can be spoken.")
    return phones


def _sound(file: Path, called: str, phones: int) -> tuple[np.ndarray, int]:
    """Samples, float32 [T], and their rate; the file is called by its path in the folder."""
    import soundfile

    try:
        with soundfile.SoundFile(file) as opened:
            rate, seconds = opened.samplerate, opened.frames / opened.samplerate
            if rate < LEAST_RATE:
                raise UserError(f"{called!r} has only {rate:,} samples a second.")
            if not SHORTEST * phones <= seconds <= SLACK + LONGEST * phones:
                long = "short" if seconds < SHORTEST * phones else "long"
                raise UserError(f"{called!r} is too {long} for its text: {seconds:.1f} s.")
            channels = opened.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError):
        raise UserError(f"{called!r} cannot be read as sound.") from None
    audio = channels.mean(1)
    if not len(audio) or not np.isfinite(audio).all():
        raise UserError(f"{called!r} is damaged.")
    if np.sqrt(np.mean(audio**2)) < 10 ** (SILENT / 20):
        raise UserError(f"{called!r} is silent.")
    if np.mean(np.abs(channels) >= FULL) > CLIPPED:
        raise UserError(f"{called!r} is clipped: record it less loud.")
    return audio, rate


def _aligned(
    name: str, audio: np.ndarray, rate: int, phones: tuple[Phone, ...]
) -> tuple[tuple[Phone, ...], np.ndarray]:
    """As :func:`gantools_tts.align.align` gives it, from the cache if it was ever found."""
    from torch import from_numpy, tensor

    from gantools_tts.align import AlignmentError, align

    def make():  # type: ignore[no-untyped-def]
        found, starts = align(audio, rate, phones)
        given = iter(enumerate(phones))  # one after the other in what was found
        of, phone = next(given)
        kept = []
        for one in found:
            if one is phone:
                kept.append(of)
                of, phone = next(given, (-1, None))
            else:
                kept.append(-1)
        return {"given": tensor(kept), "starts": from_numpy(starts)}

    digest = hashlib.sha256(f"{ALIGNED} {rate} {phones}".encode())
    digest.update(audio.tobytes())
    try:
        kept = cached(f"tts-aligned-{digest.hexdigest()[:24]}", make)
    except AlignmentError as error:
        raise UserError(f"{name!r} cannot be aligned. {error}") from None
    of = kept["given"].tolist()
    return tuple(phones[i] if i >= 0 else Phone(PAUSE) for i in of), kept["starts"].numpy()
