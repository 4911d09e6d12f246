"""All figures of a voice, by judges whose judgments are known."""

from collections import Counter

import numpy as np
import pytest
from gantools_tts import judged, judges
from gantools_tts.data import Utterance
from gantools_tts.recordings import PAUSE, Phone

RATE = 16_000


def utterance(name, text, *names):
    phones = (Phone(PAUSE), *map(Phone, names), Phone(PAUSE))
    lengths = np.full(len(phones), 4)
    frames = int(lengths.sum())
    return Utterance(
        name, text, phones, np.full(frames * 80, 0.5, np.float32), lengths, np.zeros(frames)
    )


@pytest.fixture
def known(monkeypatch, gantools_cache):
    """What is heard of a sound is told by its loudest sample: .5 all of it, else nothing right.
    Counts how often each judge was asked."""
    asked = Counter()

    def phones(sound, rate):
        asked["phones"] += 1
        first = ["HH", "AY"] if len(sound) == len(said()[0].audio) else ["N", "OW"]
        return first if sound.max() == 0.5 else ["ZH"]

    def words(sound, rate):
        asked["words"] += 1
        return ["hi"] if sound.max() == 0.5 else []

    def mark(sound, rate):
        asked["dnsmos"] += 1
        return 4.0 * float(sound.max())

    def voices(sound, rate):
        asked["voices"] += 1
        draws = np.random.default_rng(len(sound))
        return (sound.max() + draws.random((2, judges.VOICE)) / 100).tolist()

    heard = {"phones": phones, "words": words, "dnsmos": mark, "voices": voices}
    monkeypatch.setattr(judged, "JUDGES", {name: ("no-package", f) for name, f in heard.items()})
    nearest = judges.Nearest(np.array([0.25, 0.75]), np.zeros(2, int), np.zeros(2))
    monkeypatch.setattr(judges, "nearest_recordings", lambda *of: nearest)
    monkeypatch.setattr(judged, "phaseless", lambda sounds: [x / 2 for x in sounds])
    return asked


def said():
    return [utterance("a", "Hi.", "HH", "AY"), utterance("b", "No 7.", "N", "OW", "S")]


def test_everything_is_judged_beside_the_recordings(known):
    texts = said()
    made = [np.full(len(u.audio), x, np.float32) for u, x in zip(texts, (0.5, 0.1), strict=True)]
    found = judged.figures(texts, made, texts, RATE)
    assert found["phoneme_error_rate"] == 3 / 5  # the first is right
    assert found["real_phoneme_error_rate"] == 1 / 5
    assert found["griffinlim_phoneme_error_rate"] == 1
    assert found["shuffled_phoneme_error_rate"] == 1
    assert found["word_error_rate"] == pytest.approx(2 / 3)  # "no seven" are two
    assert found["dnsmos"] == pytest.approx(1.2)
    assert found["real_dnsmos"] == 2
    assert found["griffinlim_dnsmos"] == pytest.approx(0.6)
    assert found["speaker_windows"] == 4
    assert found["speaker_distance"] > 1
    assert found["real_speaker_distance"] == pytest.approx(0, abs=1e-6)
    assert found["nearest_recording"] == 0.75
    first, second = found["per_utterance"]
    assert (first["name"], first["phones"], first["words"]) == ("a", (0, 2), (0, 1))
    assert (second["phones"], second["real_phones"], second["real_dnsmos"]) == ((3, 3), (1, 3), 2)


def test_of_one_window_there_is_no_distance(known, monkeypatch):
    def one(sound, rate):
        return np.zeros((int(len(sound) == 800), judges.VOICE)).tolist()

    monkeypatch.setitem(judged.JUDGES, "voices", ("no-package", one))
    texts = said()
    made = [np.zeros(count, np.float32) for count in (800, 801)]
    found = judged.figures(texts, made, texts, RATE)
    assert found["speaker_windows"] < 2
    for whose in ("", "griffinlim_", "real_"):
        assert found[f"{whose}speaker_distance"] is None
        assert found[f"{whose}speaker_distance_interval"] is None


def test_recordings_are_judged_once(known):
    texts = said()
    made = [u.audio / 2 for u in texts]
    first = judged.figures(texts, made, texts, RATE)
    assert known == {"phones": 6, "words": 4, "dnsmos": 6, "voices": 6}
    known.clear()
    assert judged.figures(texts, made, texts, RATE) == first
    assert known == {"phones": 4, "words": 2, "dnsmos": 4, "voices": 4}


def test_another_version_judges_anew(known, monkeypatch):
    sound = np.ones(9, np.float32)
    assert judged.judge("dnsmos", [sound, sound], RATE, keep=True) == [4, 4]
    assert known == {"dnsmos": 1}
    monkeypatch.setattr(judged, "VERSION", -1)
    judged.judge("dnsmos", [sound], RATE, keep=True)
    assert known == {"dnsmos": 2}


def test_phaseless_sound_has_the_magnitudes():
    draws = np.random.default_rng(0)
    t = np.arange(RATE) / RATE
    sound = np.sin(2 * np.pi * 300 * t).astype(np.float32) / 2
    short = draws.uniform(-0.5, 0.5, 100).astype(np.float32)
    again, brief = judged.phaseless([sound, short])
    assert again.shape == sound.shape
    assert brief.shape == short.shape
    strongest = np.abs(np.fft.rfft(again)).argmax()
    assert strongest == pytest.approx(300, abs=2)
    assert np.abs(again[2000:-2000]).max() == pytest.approx(0.5, abs=0.1)
