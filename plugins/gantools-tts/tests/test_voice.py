"""A voice around networks that are known."""

import itertools

import numpy as np
import pytest
import torch
from gantools_tts.features import FRAME_FEATURES, PHONE_FEATURES
from gantools_tts.generators import generator
from gantools_tts.model import STEP, Model
from gantools_tts.prosody import Prosody
from gantools_tts.recordings import PAUSE, Phone
from gantools_tts.voice import AROUND, SOON, Voice, whole_frames

HI = Phone(PAUSE), Phone("HH"), Phone("AY", 1, last=True), Phone(PAUSE, mark=".")


class Known:
    """Every phone lasts ten frames, at 150 Hz; what is heard are the pulses."""

    codes = None

    def log_lengths(self, phones):
        return np.full(phones.shape[1], np.log(11))

    def octaves(self, frames):
        self.frames = frames
        return np.zeros(frames.shape[1]), np.ones(frames.shape[1])

    def sound(self, told, pulses, z):
        self.told, self.z = told, z
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


def noise(seed, samples):
    return np.random.default_rng(seed).standard_normal(samples, dtype=np.float32)


def test_a_text_is_said_sentence_by_sentence():
    known = Known()
    pieces = Voice(known, 16_000).say("Hello. Good morning!", seed=7)
    for seed in (7, 8):
        sound = next(pieces)
        assert len(sound) > 0
        assert (known.z == noise(seed, len(sound))).all()
    assert next(pieces, None) is None


def test_of_a_long_sentence_a_second_is_ready_before_the_rest_is_made():
    known = Known()
    text = "We are sorry that all of our agents are busy at this moment. " + "Please wait. " * 2
    pieces = Voice(known, 16_000).say(text)
    assert len(next(pieces)) == SOON * 80
    assert known.told.shape[1] == SOON + AROUND  # and no more of it
    assert len(next(pieces)) > SOON * 80
    assert len([*pieces]) == 2  # sentences after the first come whole


def test_no_more_of_a_text_is_read_than_is_needed():
    """So a book is not held in memory."""
    read = []

    def lines():
        for number in range(10_000):
            read.append(number)
            yield "Please hold the line while we look for an agent.\n"

    for _, _ in zip(range(4), Voice(Known(), 16_000).say(lines()), strict=False):
        pass
    assert len(read) < 10


@pytest.fixture(params=["istft", "gan-tts"])
def voice(request):
    torch.manual_seed(0)
    net, prosody = generator(request.param, 16_000, 8), Prosody()
    for of in (*net.parameters(), *prosody.parameters()):  # so that all that is near is heard
        of.data += 0.03 * torch.randn(of.shape)
    return Model({"generator": request.param, "width": 8, "rate": 16_000}, net, prosody)


def test_pieces_sound_as_in_the_whole(voice):
    draws = np.random.default_rng(0)
    frames = draws.standard_normal((FRAME_FEATURES - 2, 300)).astype(np.float32)
    pitch = draws.uniform(100, 200, 300).astype(np.float32)
    whole = voice.sound(frames, pitch, seed=3)
    assert 0.01 < whole.std() < 1
    cuts = (0, 1, 110, 190, 300)
    pieces = [voice.sound(frames, pitch, 3, a, b) for a, b in itertools.pairwise(cuts)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("count", [1, STEP - 1, STEP, 2 * STEP + 7])
def test_lengths_that_are_rounded_up_are_not_heard(voice, count):
    net, prosody = voice.modules.values()
    told, phones = (torch.randn(1, n, count) for n in (FRAME_FEATURES, PHONE_FEATURES))
    pulses, z = torch.randn(1, count * 80), net.draw(1, count)
    exact = (net(told, pulses, z), prosody.log_lengths(phones), *prosody.octaves(told[:, :-2]))
    told, phones, pulses, z = (x[0].numpy() for x in (told, phones, pulses, z))
    nets = voice.networks
    rounded = nets.sound(told, pulses, z), nets.log_lengths(phones), *nets.octaves(told[:-2])
    for one, other in zip(exact, rounded, strict=True):
        np.testing.assert_allclose(other, one[0].numpy(), rtol=1e-5, atol=1e-5)


def test_networks_see_few_lengths(voice):
    """For torch keeps memory for each."""
    seen, made = set(), set()
    for conv in (x for net in voice.modules.values() for x in net.modules()):
        if isinstance(conv, torch.nn.Conv1d):
            conv.register_forward_hook(lambda conv, heard, found: seen.add(heard[0].shape[-1]))
    for count in range(1, 4 * STEP, 3):
        phones = np.zeros((PHONE_FEATURES, count), np.float32)
        frames = np.zeros((FRAME_FEATURES - 2, count), np.float32)
        voice.networks.log_lengths(phones)
        voice.networks.octaves(frames)
        made.add(len(voice.sound(frames, np.full(count, 100.0, np.float32))))
    assert len(made) == 67
    upsampled = {1} if voice.networks.codes is None else {1, 2, 4, 8, 16, 80}
    assert seen <= {n * STEP * up for n in range(1, 5) for up in upsampled}


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
