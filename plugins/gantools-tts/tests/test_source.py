"""Pulses: every harmonic, equally strong, and nothing between them."""

import numpy as np
import pytest
from gantools_tts.source import pulses
from numpy.testing import assert_allclose

RATE = 16_000


@pytest.mark.parametrize("f0", [100, 160, 250])
def test_all_harmonics_are_there_and_nothing_else(f0):
    sound, _ = pulses(np.full(200, float(f0)), RATE)
    power = np.abs(np.fft.rfft(sound)) ** 2 / (RATE / 2) ** 2
    harmonics = np.arange(f0, RATE // 2 + (RATE // 2 % f0 > 0), f0)
    harmonics = harmonics[harmonics < RATE / 2]
    expected = 2 / int(RATE / 2 / f0)
    assert_allclose(power[harmonics], expected, rtol=1e-3)
    power[np.arange(0, RATE // 2 + 1, f0)] = 0
    assert power.max() < 1e-6
    assert sound.std() == pytest.approx(1, rel=0.02)


def test_a_pulse_in_each_period_of_a_glide():
    pitch = np.linspace(100, 200, 400)  # two seconds, 300 periods
    sound, _ = pulses(pitch, RATE)
    peaks = (sound[1:-1] > sound[:-2]) & (sound[1:-1] >= sound[2:]) & (sound[1:-1] > 5)
    assert abs(int(peaks.sum()) - 300) <= 1


def test_piece_by_piece_it_is_the_same():
    pitch = np.full(100, 123.0)
    whole, end = pulses(pitch, RATE)
    first, phase = pulses(pitch[:37], RATE)
    second, last = pulses(pitch[37:], RATE, phase)
    assert_allclose(np.concatenate([first, second]), whole, atol=1e-3)
    assert last == pytest.approx(end, abs=1e-6)


def test_silence_where_there_is_no_pitch():
    pitch = np.array([0.0] * 10 + [120.0] * 10 + [0.0] * 10)
    sound, _ = pulses(pitch, RATE)
    assert not sound[:800].any()
    assert not sound[1600:].any()
    assert sound[800:1600].std() > 0.5
    assert not pulses(np.zeros(5), RATE)[0].any()


def test_pulses_keep_to_the_phase_of_a_recording():
    t = np.arange(RATE) / RATE
    truth = 2 * np.pi * 201.5 * t + 1.2  # the pitch that is told is 1.5 Hz too low
    recording = 0.1 * np.cos(truth) + 0.05 * np.cos(2 * truth + 0.7)
    sound, _ = pulses(np.full(200, 200.0), RATE, like=recording)
    peaks = (
        np.flatnonzero((sound[1:-1] > sound[:-2]) & (sound[1:-1] >= sound[2:]) & (sound[1:-1] > 5))
        + 1
    )
    inner = peaks[(peaks > 800) & (peaks < RATE - 800)]
    assert len(inner) == pytest.approx(201.5 * 0.9, abs=1.1)
    off = np.angle(np.exp(1j * truth[inner]))
    assert np.abs(off).max() < 0.15  # a sample is .08 of a period's 2 pi
