"""Corpora: rows that cannot be used are left out with the reason, the cache, families, the split.

Alignment, which has tests of its own, is replaced by equal lengths.
"""

import warnings

import numpy as np
import pytest
import soundfile
from gantools_tts import align, corpus, phonemes
from gantools_tts.corpus import families, read, split
from gantools_tts.recordings import PAUSE, Phone, Recording

from gantools import Note, UserError

RATE = 16_000


@pytest.fixture(autouse=True)
def _no_other_notes(tmp_path, monkeypatch):
    """A Note that a test does not expect fails it; the cache is empty."""
    monkeypatch.setenv("GANTOOLS_CACHE", str(tmp_path / "cache"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        yield


@pytest.fixture(autouse=True)
def aligned(monkeypatch):
    """Texts that were aligned; a pause is found after the first phone, "zzz" cannot be aligned."""
    calls = []

    def equal(audio, rate, phones):
        calls.append(len(audio))
        if phones[1].name == "Z":
            raise align.AlignmentError("It is not what is spoken.")
        found = (*phones[:2], Phone(PAUSE), *phones[2:])
        return found, np.linspace(0, len(audio) / rate, len(found) + 1)

    monkeypatch.setattr(align, "align", equal)
    return calls


def say(text):
    """A phone for each letter."""
    if not text.isascii():
        raise UserError("It is not Latin.")
    letters = [char for char in text.lower() if char.isalpha()]
    phones = ("Z" if char == "z" else "AA" for char in letters)
    return (Phone(PAUSE), *map(Phone, phones), Phone(PAUSE, mark="."))


def tone(seconds=1.0, rate=RATE, level=0.1):
    return level * np.sin(2 * np.pi * 200 * np.arange(round(seconds * rate)) / rate)


@pytest.fixture
def folder(tmp_path):
    """Make a corpus of rows and sounds, (name of the file, samples, rate)."""

    def make(rows, sounds):
        (tmp_path / "voice" / "wavs").mkdir(parents=True)
        data = rows if isinstance(rows, bytes) else "\n".join(rows).encode()
        (tmp_path / "voice" / "metadata.csv").write_bytes(data)
        for name, samples, rate in sounds:
            subtype = "FLOAT" if name == "damaged.wav" else None
            soundfile.write(tmp_path / "voice" / "wavs" / name, samples, rate, subtype=subtype)
        return tmp_path / "voice"

    return make


def test_what_can_be_used_is_read(folder, tmp_path):
    stereo = np.stack([tone(level=0.1), tone(level=0.3)], 1)
    sounds = [("a.wav", tone(), RATE), ("b.flac", stereo, RATE), ("c.ogg", tone(), RATE)]
    root = folder(["\ufeffa|Hello.", "", "b.flac|5 men|Five men", "c|Again, again||"], sounds)
    before = sorted(tmp_path.glob("voice/**/*"))
    told = []
    a, b, c = read(root, RATE, say=say, progress=lambda done, rows: told.append((done, rows)))
    assert [r.text for r in (a, b, c)] == ["Hello.", "Five men", "Again, again"]
    assert (a.name, a.rate, a.audio.dtype) == ("a", RATE, np.float32)
    assert np.abs(a.audio - tone()).max() < 1e-4
    assert np.abs(b.audio - tone(level=0.2)).max() < 1e-4
    assert a.phones[0] == a.phones[2] == Phone(PAUSE)  # given, and found
    assert a.phones[-1] == Phone(PAUSE, mark=".")
    assert len(a.phones) == 8
    assert np.allclose(a.starts, np.linspace(0, 1, 9))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert sorted(tmp_path.glob("voice/**/*")) == before


def test_an_alignment_is_made_once(folder, aligned):
    root = folder(["a|Hello"], [("a.wav", tone(), RATE)])
    (first,), (again,) = read(root, RATE, say=say), read(root, RATE, say=say)
    assert len(aligned) == 1
    assert again.phones == first.phones
    assert (again.starts == first.starts).all()
    read(root, RATE, say=lambda text: say(text + "o"))
    soundfile.write(root / "wavs" / "a.wav", tone(level=0.2), RATE)
    read(root, RATE, say=say)
    assert len(aligned) == 3


BAD = [
    ("a", "'a' has a second row, 2"),
    ("none|", "'none' has no text"),
    ("a row", "Row 4 of metadata.csv is not id"),
    ("greek|Καλημέρα", "'greek' cannot be spoken: It is not Latin"),
    ("mute|...", "'mute' has no text that can be spoken"),
    ("../a|Hello", "'../a' leads out"),
    ("..\\a|Hello", "leads out"),
    ("/etc/a|Hello", "leads out"),
    ("gone|Hello", "'wavs/gone.wav' is missing"),
    ("x" * 300 + "|Hello", "is missing"),
    ("text|Hello", "'wavs/text.wav' cannot be read"),
    ("low|Hello", "'wavs/low.wav' has only 6,000"),
    ("silent|Hello", "'wavs/silent.wav' is silent"),
    ("clipped|Hello", "'wavs/clipped.wav' is clipped"),
    ("damaged|Hello", "'wavs/damaged.wav' is damaged"),
    ("short|Hello", "'wavs/short.wav' is too short for its text: 0.1 s"),
    ("long|Hello", "'wavs/long.wav' is too long for its text: 6.0 s"),
    ("zzz|zzz", "'wavs/zzz.wav' cannot be aligned. It is not what is spoken"),
]
SOUNDS = [
    ("a.wav", tone(), RATE),
    ("greek.wav", tone(), RATE),
    ("mute.wav", tone(), RATE),
    ("low.wav", tone(rate=6_000), 6_000),
    ("silent.wav", tone(level=0.0005), RATE),
    ("clipped.wav", tone(level=1.5).clip(-1, 1), RATE),
    ("damaged.wav", np.append(tone(), np.nan), RATE),
    ("short.wav", tone(0.1), RATE),
    ("long.wav", tone(6), RATE),
    ("zzz.wav", tone(), RATE),
]


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_a_bad_row_is_left_out(folder, row, reason):
    row = "a|Again" if row == "a" else row
    root = folder(["a|Hello", row] if "4" not in reason else ["a|Hello", "", "", row], SOUNDS)
    (root / "wavs" / "text.wav").write_text("no sound")
    with pytest.warns(Note, match="Left out, 1 recording: ") as notes:
        (good,) = read(root, RATE, say=say)
    assert good.text == "Hello"
    assert reason in str(notes[0].message)


def test_all_bad_rows_together(folder):
    root = folder([row for row, _ in BAD[1:]] + ["a|Hello"], SOUNDS)
    (root / "wavs" / "text.wav").write_text("no sound")
    with pytest.warns(
        Note, match=f"Left out, {len(BAD) - 1} recordings: 'none' has no text.*And 14"
    ):
        assert len(read(root, RATE, say=say)) == 1


def test_a_row_in_another_encoding(folder):
    root = folder("a|Hello\nb|Café".encode("latin-1"), SOUNDS)
    with pytest.warns(Note, match="Row 2 of metadata.csv is no text in UTF-8"):
        assert len(read(root, RATE, say=say)) == 1


def test_nothing_to_read(folder, tmp_path):
    with pytest.raises(UserError, match=r"no file.*metadata.csv.*Write one"):
        read(tmp_path / "nowhere", RATE, say=say)
    root = folder(["a,Hello", "b,Hello"], SOUNDS)
    with pytest.raises(UserError, match=r"No recording.*Row 1 of metadata.csv is not id|text"):
        read(root, RATE, say=say)
    (root / "metadata.csv").write_text("\n")
    with pytest.raises(UserError, match="no rows"):
        read(root, RATE, say=say)


def test_other_rates_are_resampled(folder):
    sounds = [("a.wav", tone(rate=22_050), 22_050), ("b.wav", tone(rate=8_000), 8_000)]
    root = folder(["a|Hello", "b|Hello"], sounds)
    with pytest.warns(Note, match=r"to 16,000 .*, 2 recordings of 8,000, 22,050") as notes:
        recordings = read(root, RATE, say=say)
    assert len(notes) == 1
    for recording in recordings:
        assert recording.rate == len(recording.audio) == RATE
        assert np.abs(recording.audio - tone())[100:-100].max() < 1e-3
        assert recording.starts[-1] == 1


def test_a_text_is_spoken_sentence_by_sentence(monkeypatch):
    monkeypatch.setattr(phonemes, "phones", say)
    phones = corpus.spoken("Go on. Why not?")
    assert [i for i, phone in enumerate(phones) if phone.name == PAUSE] == [0, 5, 12]
    assert [phone.mark for phone in phones if phone.name == PAUSE] == ["", ".", "."]


def test_families():
    texts = [
        "Please enter your agent number.",
        "That agent is gone. Please, enter your password!",  # two in a row with the first
        "please ENTER your number now",  # three
        "then press the pound key",
        "To go on, please enter your agent code, then press the star key.",  # four with the first
        "Thank you.",
        "thank you",
        "Well, thank you for calling.",  # has the whole of it
        "seven",
        "Seven.",
        "Seven apples are here today",  # one word is not looked for in others
        "It\u2019s on",
        "it's on",
    ]
    assert families(texts) == [0, 1, 2, 3, 0, 5, 5, 5, 8, 8, 10, 11, 11]


def test_families_are_joined_through_others():
    assert families(["a b c d", "e f g h", "x a b c d e f g h"]) == [0, 0, 0]
    assert families([]) == []


def recordings(texts):
    none = np.zeros(0)
    return [Recording(str(i), text, none, RATE, (), none) for i, text in enumerate(texts)]


def test_whole_families_are_held_out():
    numbers = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    texts = [f"{a} {b} {b} {a} {kind}" for a in numbers for b in numbers[:5] for kind in "xyz"]
    texts += numbers
    train, test = split(recordings(texts), 0.2, seed=1)
    assert sorted(int(r.name) for r in train + test) == list(range(160))
    assert abs(len(test) - 32) < 3
    of = families(texts)
    assert not {of[int(r.name)] for r in train} & {of[int(r.name)] for r in test}
    assert not {r.text for r in test} & set(numbers)
    again = split(recordings(texts), 0.2, seed=1)[1]
    assert [r.name for r in again] == [r.name for r in test]
    assert [r.name for r in split(recordings(texts), 0.2, seed=2)[1]] != [r.name for r in test]


def test_a_family_that_is_too_large_is_trained_on():
    texts = [f"this is a long template {i}" for i in range(18)] + ["other words", "more words"]
    for seed in range(5):
        _, test = split(recordings(texts), 0.1, seed)
        assert {r.text for r in test} == {"other words", "more words"}
    with pytest.raises(UserError, match="No text can be held out of 18"):
        split(recordings(texts[:18]), 0.1, 0)
