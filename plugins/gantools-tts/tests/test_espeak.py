"""The synthetic voice: what it is told to say, when each phone begins, and that it repeats."""

import subprocess
import sys
import warnings
from itertools import pairwise

import numpy as np
import pytest
from gantools_tts import espeak
from gantools_tts.espeak import UnspokenError, speak
from gantools_tts.recordings import PAUSE, PHONES, Phone

from gantools import Note, UserError

pytest.importorskip("espeakng_loader")

SEE, TOP = "S IY1", "T AA1 P"


def said(*words, mark="."):
    """Phones of words, each "HH AH0 L OW1" or a mark at which there is a pause."""
    phones = [Phone(PAUSE)]
    for word in words:
        if word in ",.?!":
            phones.append(Phone(PAUSE, mark=word))
            continue
        *others, last = word.split()
        phones += [
            Phone(sound.rstrip("012"), int(sound[2:] or 0), sound is last)
            for sound in [*others, last]
        ]
    return (*phones, Phone(PAUSE, mark=mark))


def levels(recording):
    """Of each phone, the root mean square of its sound."""
    ends = np.round(recording.starts * recording.rate).astype(int)
    return [float(np.sqrt(np.mean(recording.audio[a:b] ** 2))) for a, b in pairwise(ends)]


def test_every_phone_has_its_time():
    phones = said(SEE, ",", "HH AH0 L OW1", "W ER1 L D", mark="!")
    found = speak("a", "See, hello world!", phones)
    assert (found.name, found.text, found.rate) == ("a", "See, hello world!", 16_000)
    assert found.phones == phones
    assert found.audio.dtype == np.float32
    assert found.audio.ndim == 1
    assert found.starts.shape == (len(phones) + 1,)
    assert found.starts[0] == 0
    assert found.starts[-1] == len(found.audio) / found.rate
    assert (np.diff(found.starts) > 0.01).all()
    assert np.diff(found.starts)[[0, -1]].min() >= 0.1
    level = levels(found)
    assert max(level[0], level[3], level[-1]) < 1e-3 < 1e-2 < level[1] < level[2]


def test_a_stop_is_closed_and_then_opens():
    found = speak("", "", said("P AE1 P AE1 T AE1 K AE1"))
    for i, phone in enumerate(found.phones[2:-1], 2):
        begin, end = np.round(found.starts[i : i + 2] * found.rate).astype(int)
        if phone.name in "PTK":
            closure, burst = np.split(found.audio[begin:end] ** 2, [(end - begin) // 3])
            assert closure.mean() < 1e-3 * burst.mean()
            assert found.audio[begin : begin + 160].std() < 2e-3
            assert found.audio[begin - 160 : begin].std() > 2e-3


def test_sounds_that_espeak_joins_or_links_are_told_apart():
    words = ["S T AA1 R T", "K OW1 L D", "N IH1 R", "F AY1 R", "HH ER1", "AE1 P AH0 L", "M IY1"]
    words += ["OW1 N", "F AO1 R", "AH0", "V EH1 R IY0", "B EH1 T ER0", "AH0 R AW1 N D"]
    found = speak("", "", said(*words))
    assert (np.diff(found.starts) > 0.01).all()
    vowel, r = np.diff(found.starts)[3:5]
    assert vowel / (vowel + r) == pytest.approx(espeak.SHARE)


def test_all_phones_are_spoken_between_vowels():
    for sound in PHONES[1:]:
        name = sound + "1" if sound in PHONES[1:16] else sound
        assert len(speak("", "", said(f"M {name} IY0 M")).starts) == 7


def test_the_same_is_spoken_whatever_was_before():
    one, other = said(SEE, TOP), said("W IY1 V", mark="?")
    first = speak("", "", one).audio
    second = speak("", "", other).audio
    np.testing.assert_array_equal(speak("", "", one).audio, first)
    np.testing.assert_array_equal(speak("", "", one).audio, first)
    np.testing.assert_array_equal(speak("", "", other).audio, second)


def test_a_question_does_not_end_as_a_statement():
    statement, question = (
        speak("", "", said("W IY1 M", "M AY1 N", mark=mark)).audio for mark in ".?"
    )
    assert len(statement) != len(question) or np.abs(statement - question).max() > 0.05


def test_voices_differ_in_pace_and_sound():
    plain = speak("", "", said(SEE, TOP))
    assert len(speak("", "", said(SEE, TOP), speed=320).audio) < 0.8 * len(plain.audio)
    for other in ({"variant": "f2"}, {"pitch": 90}):
        audio = speak("", "", said(SEE, TOP), **other).audio
        assert audio.shape != plain.audio.shape or np.abs(audio - plain.audio).max() > 0.05
    with pytest.raises(UserError, match=r"no variant 'stef'. Did you mean 'steph'"):
        speak("", "", said(SEE), variant="stef")


def test_what_cannot_be_spoken():
    for wrong in ((), said(), said(SEE)[1:], said(SEE)[:-1], said("QQ1")):
        with pytest.raises(ValueError, match="begins and ends with a pause"):
            speak("", "", wrong)


def test_phones_that_espeak_changes_are_left_out_with_a_word(monkeypatch):
    told = [("a", "See.", said(SEE)), ("b", "Top.", said(TOP))]
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        assert [found.name for found in espeak.recordings(told)] == ["a", "b"]
    run = espeak._run

    def deaf(notation, *voice):
        samples, events = run(notation, *voice)
        return samples, [event for event in events if event[0] != "t"]

    monkeypatch.setattr(espeak, "_run", deaf)
    with pytest.raises(UnspokenError, match="A: for t in t A: p"):
        speak(*told[1])
    with pytest.warns(Note, match="1 utterances that espeak spoke otherwise: A: for t"):
        assert [found.name for found in espeak.recordings(told)] == ["a"]


def test_without_the_wheel(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(UserError, match=r"pip install 'gantools-tts\[espeak\]'"):
        speak("", "", said(SEE))


def test_without_its_data(monkeypatch, tmp_path):
    monkeypatch.setattr("espeakng_loader.get_data_path", lambda: str(tmp_path / "gone"))
    with pytest.raises(UserError, match="cannot read its data in"):
        speak("", "", said(SEE))
    monkeypatch.undo()
    assert len(speak("", "", said(SEE)).starts) == 5


def test_the_module_is_quick_to_import():
    told = "import sys, gantools_tts.espeak; print({'torch', 'torchaudio'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
