"""Alignment: known times, pauses given and found, and what cannot be aligned.

The speech is eSpeak's, whose times are known, where it is installed.
"""

from itertools import pairwise

import numpy as np
import pytest
from gantools_tts.align import AlignmentError, _with_pauses, _words, align
from gantools_tts.recordings import PAUSE, Phone

TEXT = "HH OW P . F ER . DH AH . B EH S T , AE N D . T EY K . K EH R"


def sentence(written):
    """Phones with "." where a word ends and "," where a pause is, between pauses."""
    phones = [Phone(PAUSE)]
    for name in written.split():
        if name in ".,":
            phones[-1] = Phone(phones[-1].name, phones[-1].stress, last=True)
        if name == ",":
            phones.append(Phone(PAUSE, mark=","))
        elif name != ".":
            phones.append(Phone(name, stress=int(name[0] in "AEIOU")))
    phones[-1] = Phone(phones[-1].name, phones[-1].stress, last=True)
    return (*phones, Phone(PAUSE, mark="."))


@pytest.fixture(scope="module")
def speech():
    pytest.importorskip("espeakng_loader")
    from gantools_tts.espeak import speak

    return speak("x", "Hope for the best, and take care.", sentence(TEXT))


def names(phones):
    return [phone.name for phone in phones]


def test_known_times(speech):
    phones, starts = align(speech.audio, speech.rate, speech.phones)
    assert phones == speech.phones
    away = np.abs(starts - speech.starts)
    assert away.mean() < 0.02
    assert np.median(away) < 0.012
    assert starts[0] == 0
    assert starts[-1] == len(speech.audio) / speech.rate
    assert (np.diff(starts) >= 0).all()
    again, same = align(speech.audio, speech.rate, speech.phones)
    assert again == phones
    assert (same == starts).all()


def test_silence_before_moves_all(speech):
    _, starts = align(speech.audio, speech.rate, speech.phones)
    later = np.concatenate([np.zeros(8_000, np.float32), speech.audio])
    _, moved = align(later, speech.rate, speech.phones)
    assert np.abs(moved[1:] - starts[1:] - 0.5).max() < 0.06


def test_a_pause_that_was_not_given_is_found(speech):
    comma = next(i for i, phone in enumerate(speech.phones) if phone.mark == ",")
    middle = round(speech.starts[comma : comma + 2].mean() * speech.rate)
    slower = np.insert(speech.audio, middle, np.zeros(8_000, np.float32))
    given = tuple(phone for phone in speech.phones if phone.mark != ",")
    phones, starts = align(slower, speech.rate, given)
    assert names(phones) == names(speech.phones)
    assert phones[comma] == Phone(PAUSE)
    assert abs(starts[comma] - speech.starts[comma]) < 0.06
    assert abs(starts[comma + 1] - speech.starts[comma + 1] - 0.5) < 0.06


def test_a_pause_that_is_not_spoken_has_no_length(speech):
    given = (*speech.phones[:4], Phone(PAUSE, mark="!"), *speech.phones[4:])
    phones, starts = align(speech.audio, speech.rate, given)
    assert phones == given
    assert starts[4] == starts[5]


def test_another_rate(speech):
    import torch
    from torchaudio.functional import resample

    _, starts = align(speech.audio, speech.rate, speech.phones)
    other = resample(torch.from_numpy(speech.audio), 16_000, 22_050).numpy()
    _, same = align(other, 22_050, speech.phones)
    assert np.abs(same - starts).max() < 0.03


def test_what_is_not_spoken_cannot_be_aligned(speech):
    other = sentence("M AY . N UW . W IH N D OW Z . AA R . OW P AH N . AO L . Y IH R . L AO NG")
    with pytest.raises(AlignmentError, match="not what is spoken"):
        align(speech.audio, speech.rate, other)


def test_too_short_and_empty():
    noise = 0.1 * np.random.default_rng(0).normal(size=1_600)
    with pytest.raises(AlignmentError):
        align(noise, 16_000, sentence(TEXT))
    with pytest.raises(AlignmentError):
        align(noise[:0], 16_000, sentence(TEXT))
    with pytest.raises(AlignmentError, match="nothing to align"):
        align(noise, 16_000, (Phone(PAUSE), Phone(PAUSE)))


def test_words_end_at_pauses_too():
    phones = (Phone(PAUSE), Phone("AY"), Phone(PAUSE), Phone("N"), Phone("OW", last=True))
    assert list(_words((*phones, Phone("S")))) == [["AY"], ["N", "OW"], ["S"]]


@pytest.mark.parametrize(
    ("given", "aligned", "expected"),
    [
        ("_ A _", "_0 A1 _2", "_0 A1 _2"),
        ("_ A _", "A1", "_1 A1 _inf"),  # none found: no length
        ("_ A B _", "_0 A1 _2 _3 B4 _5", "_0 A1 _2 B4 _5"),  # two found are one
        ("_ A _ B _", "_0 A1 B4 _5", "_0 A1 _4 B4 _5"),
        ("_ A _ _ B _", "_0 A1 _2 B4 _5", "_0 A1 _2 _4 B4 _5"),  # the first given is as found
    ],
)
def test_pauses(given, aligned, expected):
    called = {"_": PAUSE, "A": "AA", "B": "B"}
    pairs = [(called[one[0]], float(one[1:])) for one in aligned.split()]
    found, starts = _with_pauses([Phone(called[name]) for name in given.split()], pairs)
    assert names(found) == [called[one[0]] for one in expected.split()]
    assert starts == [float(one[1:]) for one in expected.split()]
    assert all(a <= b for a, b in pairwise(starts))


def test_a_folder_is_aligned_into_a_table(tmp_path, monkeypatch):
    from gantools_tts import corpus
    from gantools_tts.recordings import Recording
    from gantools_tts.verbs import app
    from typer.testing import CliRunner

    phones = (Phone("sil"), Phone("AH", 1), Phone("P", last=True), Phone("sil", mark="."))
    starts = np.array([0.0, 0.1, 0.25, 0.4, 0.5])
    found = Recording("up", "Up.", np.zeros(8000, np.float32), 16_000, phones, starts)
    monkeypatch.setattr(corpus, "read", lambda folder, rate, progress: [found])
    out = tmp_path / "up.csv"
    done = CliRunner().invoke(app, ["align", str(tmp_path), "-o", str(out)])
    assert done.exit_code == 0, done.exception
    assert out.read_text(encoding="utf-8").splitlines() == [
        "name,phone,stress,word_ends,begin,end",
        "up,sil,0,0,0.000,0.100",
        "up,AH,1,0,0.100,0.250",
        "up,P,0,1,0.250,0.400",
        "up,sil,0,0,0.400,0.500",
    ]
