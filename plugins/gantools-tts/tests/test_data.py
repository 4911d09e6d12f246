"""Pieces of utterances, and what is kept of a voice."""

import numpy as np
import pytest
import torch
from gantools_tts import voices
from gantools_tts.data import MOST_PHONES, Batch, Pieces, Utterance
from gantools_tts.features import FRAME_FEATURES, PHONE_FEATURES
from gantools_tts.recordings import PAUSE, PHONES, Phone, Recording
from gantools_tts.voices import VoiceData

from gantools import UserError

PAUSES, VOWEL = PHONES.index(PAUSE), PHONES.index("AY")


def utterance(name="hi", seconds=0.4):
    """A pause, a vowel of 200 Hz, a pause."""
    audio = np.sin(np.arange(int(seconds * 16_000)) / 16_000 * 2 * np.pi * 200).astype(np.float32)
    audio[:1600] = audio[-1600:] = 0
    phones = Phone(PAUSE), Phone("AY", 1, last=True), Phone(PAUSE, mark="!")
    starts = np.array([0, 0.1, seconds - 0.1, seconds])
    pitch = np.zeros(round(seconds * 200), np.float32)
    pitch[20:-20] = 200
    return Utterance.of(Recording(name, "Hi!", audio, 16_000, phones, starts), pitch)


def test_an_utterance_is_whole_frames_of_sixteen_bits():
    u = utterance()
    assert u.lengths.tolist() == [20, 40, 20]
    assert len(u.pitch) == 80
    assert u.audio.shape == (80 * 80,)
    levels = u.audio.astype(np.float64) * 32767
    np.testing.assert_allclose(levels, np.round(levels), rtol=0, atol=0.01)


def test_a_piece_is_told_what_is_heard_in_it():
    rows = Pieces([utterance(), utterance(seconds=1.0)], 40, 16_000)
    batch = rows.draw(torch.tensor([3] * 50), torch.Generator().manual_seed(0))
    assert isinstance(batch, Batch)
    assert batch.told.shape == (50, FRAME_FEATURES, 40)
    assert batch.audio.shape == batch.pulses.shape == (50, 40 * 80)
    vowel = batch.told[:, VOWEL] > 0
    loud = batch.audio.view(50, 40, 80).abs().amax(2) > 0.1
    assert (vowel == loud).float().mean() > 0.95  # but for frames at the edges
    assert torch.equal(batch.told[:, -1] > 0, vowel)
    voiced = batch.pulses.view(50, 40, 80).abs().amax(2) > 0
    assert torch.equal(voiced, vowel)
    assert len(batch.told[:, -5, 20].unique()) > 10  # it lies anywhere


def test_long_utterances_have_more_pieces():
    rows = Pieces([utterance(), utterance(seconds=1.0)], 40, 16_000)
    assert rows.rows == [0, 0, 1, 1, 1, 1, 1]
    assert len(rows) == 7
    assert torch.equal(rows[torch.tensor([2])].audio, rows[torch.tensor([6])].audio)


def test_what_is_too_short_ends_in_silence():
    batch = Pieces([utterance()], 100, 16_000)[torch.tensor([0])]
    assert not batch.audio[0, 80 * 80 :].any()
    assert not batch.pulses[0, 80 * 80 :].any()
    assert (batch.told[0, PAUSES, 80:] == 1).all()


def test_whole_phrases_are_as_long_as_the_longest_of_the_batch():
    long = utterance()
    twice = (np.tile(x, 2) for x in (long.audio, long.lengths, long.pitch))
    more = Utterance("more", "", long.phones * 2, *twice)
    rows = Pieces([long, more], 80, 16_000)
    batch = rows[torch.tensor([0, 1])]
    assert batch.phones.shape == (2, PHONE_FEATURES, 6)
    assert batch.lengths.tolist() == [[20, 40, 20, 0, 0, 0], [20, 40, 20, 20, 40, 20]]
    assert not batch.phones[0, :, 3:].any()
    assert batch.phones[0, :, :3].any(0).all()
    assert rows[torch.tensor([0])].phones.shape == (1, PHONE_FEATURES, 3)


def test_a_voice_is_kept_exactly(tmp_path):
    voice = VoiceData(
        [utterance("a"), utterance("b", 0.7)], [utterance("v")], [utterance("c")], "mine"
    )
    voices.keep(voice, tmp_path / "voice.npz")
    again = voices.kept(tmp_path / "voice.npz")
    assert again.source == "mine"
    for part in ("train", "valid", "test"):
        ours, theirs = getattr(voice, part), getattr(again, part)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert (a.name, a.text, a.phones) == (b.name, b.text, b.phones)
            for x, y in ((a.audio, b.audio), (a.lengths, b.lengths), (a.pitch, b.pitch)):
                np.testing.assert_array_equal(x, y)
                assert x.dtype == y.dtype


def test_a_voice_that_is_not_there_is_said():
    with pytest.raises(UserError, match=r"There is no folder 'espaek'.*espeak"):
        voices.load("espaek", 50, 0)


def test_of_a_long_utterance_lengths_are_learned_from_in_part():
    hi = utterance()
    many = (np.tile(x, 40) for x in (hi.audio, hi.lengths, hi.pitch))
    rows = Pieces([Utterance("long", "", hi.phones * 40, *many)], 80, 16_000)
    batch = rows.draw(torch.arange(20), torch.Generator().manual_seed(0))
    assert batch.phones.shape == (20, PHONE_FEATURES, MOST_PHONES)
    vowels = batch.phones[:, VOWEL] > 0
    assert torch.equal(batch.lengths == 40, vowels)
    assert len(vowels[:, :3].unique(dim=0)) == 3  # it begins anywhere
