"""A voice around networks that are known."""

import numpy as np
import pytest
from gantools_tts.features import FRAME_FEATURES
from gantools_tts.recordings import PAUSE, Phone
from gantools_tts.voice import Voice, whole_frames

HI = Phone(PAUSE), Phone("HH"), Phone("AY", 1, last=True), Phone(PAUSE, mark=".")


class Known:
    """Every phone lasts ten frames, at 150 Hz; what is heard are the pulses."""

    def log_lengths(self, phones):
        return np.full(phones.shape[1], np.log(11))

    def octaves(self, frames):
        self.frames = frames
        return np.zeros(frames.shape[1]), np.ones(frames.shape[1])

    def sound(self, told, pulses, seed):
        self.told, self.seed = told, seed
        return pulses / 10


def periods(sound):
    return int((np.diff((sound > 0.4).astype(int)) == 1).sum())


def test_it_says_what_the_networks_tell():
    known = Known()
    sound = Voice(known, 16_000).speak(HI)
    assert sound.shape == (40 * 80,)
    assert known.told.shape == (FRAME_FEATURES, 40)
    assert np.abs(sound).max() == np.float32(0.99)  # pulses are louder, and cut off
    assert not known.told[-2].any()  # octaves above 150 Hz
    assert known.told[-1].all()
    assert periods(sound) == pytest.approx(30, abs=1)


def test_faster_is_shorter_and_higher_has_more_periods():
    voice = Voice(Known(), 16_000)
    assert len(voice.speak(HI, speed=2)) == 20 * 80
    assert periods(voice.speak(HI, pitch=12)) == pytest.approx(60, abs=1)


def test_a_text_is_said_sentence_by_sentence():
    known = Known()
    pieces = Voice(known, 16_000).say("Hello. Good morning!", seed=7)
    assert len(next(pieces)) > 0
    assert known.seed == 7
    assert len(next(pieces)) > 0
    assert known.seed == 8
    assert next(pieces, None) is None


def test_rounding_is_made_up_for_and_nothing_vanishes():
    lengths = whole_frames(np.log1p(np.full(10, 2.4)))
    assert lengths.sum() == 24
    assert set(lengths.tolist()) == {2, 3}
    assert whole_frames(np.full(5, -3.0)).tolist() == [1] * 5
    assert whole_frames(np.log1p(np.full(4, 10.0)), speed=2).tolist() == [5] * 4


def test_a_pause_that_nobody_would_make_is_not_made():
    class Brief(Known):
        def log_lengths(self, phones):
            return np.log1p([20.0, 5.0, 0.4, 6.0, 3.2, 6.0, 7.0])

    told = (*HI[:2], Phone(PAUSE, mark=","), HI[2], Phone(PAUSE, mark=","), HI[2], HI[3])
    known = Brief()
    Voice(known, 16_000).speak(told)
    assert known.told.shape[1] == 20 + 5 + 0 + 6 + 3 + 6 + 7
