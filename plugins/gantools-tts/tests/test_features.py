"""What is told of phones and frames, by hand."""

import numpy as np
from gantools_tts import features
from gantools_tts.recordings import PAUSE, PHONES, Phone
from numpy.testing import assert_allclose

HI_YOU = (
    Phone(PAUSE),
    Phone("HH"),
    Phone("AY", 1, last=True),
    Phone(PAUSE, mark=","),
    Phone("Y"),
    Phone("UW", 2, last=True),
    Phone(PAUSE, mark="?"),
)
N = len(PHONES)


def test_phones_are_told_one_by_one():
    told = features.of_phones(HI_YOU)
    assert told.shape == (features.PHONE_FEATURES, 7)
    assert [PHONES[i] for i in told[:N].argmax(0)] == [phone.name for phone in HI_YOU]
    assert_allclose(told[:N].sum(0), 1)
    assert_allclose(told[N : N + 2], [[0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1, 0]])
    assert_allclose(told[N + 2], [0, 0, 1, 0, 0, 1, 0])


def test_a_phrase_knows_the_mark_that_ends_it_and_its_syllables():
    told = features.of_phones(HI_YOU)
    comma, stop, question, shout = told[N + 3 : N + 7]
    assert_allclose(comma, [0, 1, 1, 1, 0, 0, 0])
    assert_allclose(question, [0, 0, 0, 0, 1, 1, 1])
    assert not stop.any()
    assert not shout.any()
    before, after, length = 10 * told[-3:]
    assert_allclose(before, [0, 0, 1, 0, 0, 1, 0])
    assert_allclose(after, [0, 1, 0, 0, 1, 0, 0])
    assert_allclose(length, [0, 1, 1, 0, 1, 1, 0])


def test_frames_know_their_phone_and_where_in_it_they_are():
    phones = np.arange(features.PHONE_FEATURES * 3.0).reshape(-1, 3)
    frames = features.of_frames(phones, np.array([1, 0, 4]))
    assert frames.shape == (features.FRAME_FEATURES - 2, 5)
    assert_allclose(frames[0], [0, 2, 2, 2, 2])
    assert_allclose(frames[-3], [0.5, 1 / 8, 3 / 8, 5 / 8, 7 / 8])
    assert_allclose(frames[-3] + frames[-2], 1)
    assert_allclose(frames[-1], np.log([1, 4, 4, 4, 4]) - 3)


def test_pitch_goes_on_where_there_is_none():
    octaves, voiced = features.of_pitch(np.array([0, 150, 0, 0, 1200, 0]))
    assert_allclose(octaves, [0, 0, 1, 2, 3, 3])
    assert_allclose(voiced, [0, 1, 0, 0, 1, 0])
    assert not features.of_pitch(np.zeros(3)).any()


def test_lengths_add_up_whatever_the_rounding():
    starts = np.array([0, 0.0024, 0.0124, 0.0175, 0.1])
    lengths = features.lengths(starts)
    assert lengths.tolist() == [0, 2, 2, 16]
