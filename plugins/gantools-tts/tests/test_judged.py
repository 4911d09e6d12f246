"""All figures of a voice, by judges whose judgments are known."""

import numpy as np
import pytest
from gantools_tts import judged, judges, recognisers
from gantools_tts.data import Utterance
from gantools_tts.recordings import PAUSE, Phone

RATE = 16_000


def utterance(name, text, *names):
    phones = (Phone(PAUSE), *map(Phone, names), Phone(PAUSE))
    lengths = np.full(len(phones), 4)
    frames = int(lengths.sum())
    return Utterance(name, text, phones, np.full(frames * 80, 0.5), lengths, np.zeros(frames))


@pytest.fixture
def known(monkeypatch):
    """What is heard of a sound is told by its first sample: .5 all of it, else nothing right."""
    spoken = [["HH", "AY"], ["N", "OW"]]

    def sounds(utterances, rate):
        return [s if x[0] == 0.5 else ["ZH"] for s, x in zip(spoken, utterances, strict=True)]

    def words(utterances, rate):
        return [["hi"] if x[0] == 0.5 else [] for x in utterances]

    monkeypatch.setattr(recognisers, "sounds_heard", sounds)
    monkeypatch.setattr(recognisers, "words_heard", words)
    monkeypatch.setattr(judges, "quality", lambda xs, rate: np.array([4.0 * x[0] for x in xs]))
    monkeypatch.setattr(judges, "voices", lambda xs, rate: np.array([[x[0]] for x in xs]))
    monkeypatch.setattr(judges, "speaker_distance", lambda a, b, n: abs(a.mean() - b.mean()))
    nearest = type("Nearest", (), {"similarity": np.array([0.25, 0.75])})
    monkeypatch.setattr(judges, "nearest_recordings", lambda *of: nearest)


def test_everything_is_judged_beside_the_recordings(known):
    said = [utterance("a", "Hi.", "HH", "AY"), utterance("b", "No 7.", "N", "OW")]
    made = [np.full(1600, level) for level in (0.5, 0.1)]
    found = judged.figures(said, made, said, RATE)
    assert found["phoneme_error_rate"] == 0.5  # the first is right
    assert found["real_phoneme_error_rate"] == 0
    assert found["shuffled_phoneme_error_rate"] == 1
    assert found["word_error_rate"] == pytest.approx(2 / 3)  # "no seven" are two
    assert found["dnsmos"] == pytest.approx(1.2)
    assert found["real_dnsmos"] == 2
    assert found["speaker_windows"] == 2
    assert found["speaker_distance"] == pytest.approx(0.2)
    assert found["real_speaker_distance"] == 0
    assert found["nearest_recording"] == 0.75
    first, second = found["per_utterance"]
    assert (first["name"], first["phones"], first["words"]) == ("a", (0, 2), (0, 1))
    assert (second["phones"], second["real_phones"], second["real_dnsmos"]) == ((2, 2), (0, 2), 2)
