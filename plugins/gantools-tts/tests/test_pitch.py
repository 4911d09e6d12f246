"""Pitch: known tones, nothing where there is none, and as many frames as promised."""

import numpy as np
import pytest
from gantools_tts import features
from gantools_tts.pitch import pitch

RATE = 16_000


def voice(f0):
    """All of 14 harmonics, the h-th as loud as 1/h, of a pitch [T] in Hz."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    return 0.1 * sum(np.cos(h * phase) / h for h in range(1, 15))


def cents(found, expected):
    return np.abs(1200 * np.log2(found / expected))


@pytest.mark.parametrize("hz", [80, 120, 220, 400])
def test_a_steady_tone(hz):
    found = pitch(voice(np.full(RATE, float(hz))), RATE)
    assert found.dtype == np.float32
    assert cents(found[10:-10], hz).max() < 3


def test_a_glide_is_read_in_the_middle_of_each_frame():
    rising = np.linspace(120, 480, RATE)  # 9 cents or more between the middle and the beginning
    found = pitch(voice(rising), RATE)
    middles = np.interp((np.arange(200) + 0.5) / 200, np.arange(RATE) / RATE, rising)
    assert cents(found[20:-20], middles[20:-20]).max() < 4


def test_another_rate():
    found = pitch(voice(np.full(RATE, 220.0)), 22_050)
    assert cents(found[10:-10], 220 * 22_050 / RATE).max() < 12


def test_a_tone_begins_and_ends():
    sound = np.concatenate([np.zeros(RATE // 2), voice(np.full(RATE, 150.0)), np.zeros(RATE // 2)])
    voiced = pitch(sound, RATE) > 0
    assert voiced[110:290].all()
    assert not voiced[:90].any()
    assert not voiced[310:].any()


def test_silence_has_none_and_noise_next_to_none():
    noise = 0.1 * np.random.default_rng(0).normal(size=RATE)
    assert not pitch(0 * noise, RATE).any()
    assert (pitch(noise, RATE) > 0).mean() < 0.15


@pytest.mark.parametrize("rate", [16_000, 22_050])
@pytest.mark.parametrize("samples", [0, 1, 39, 40, 41, 79, 81, 119, 121, 1_000, 4_321])
def test_as_many_frames_as_a_recording_has(samples, rate):
    found = pitch(np.zeros(samples, np.float32), rate)
    assert len(found) == features.lengths(np.array([0, samples / rate])).sum()
