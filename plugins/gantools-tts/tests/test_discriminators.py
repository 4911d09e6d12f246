"""The ensemble: where windows lie, what they see, and what they are told."""

import pytest
import torch
from gantools_tts.discriminators import FOLDS, SEEN, Spectrogram, Window, cut, ensemble
from gantools_tts.features import FRAME_FEATURES
from gantools_tts.losses import RESOLUTIONS
from torch.testing import assert_close

RATE, HOP = 16_000, 80


def test_windows_are_cut_where_they_are_asked_for():
    x = torch.arange(2 * 3 * 10.0).view(2, 3, 10)
    assert_close(cut(x, torch.tensor([0, 6]), 4), torch.stack([x[0, :, :4], x[1, :, 6:]]))
    assert_close(cut(x[:, 0], torch.tensor([2, 5]), 2), torch.stack([x[0, 0, 2:4], x[1, 0, 5:7]]))


def test_several_windows_of_each():
    x = torch.arange(2 * 10.0).view(2, 10)
    found = cut(x, torch.tensor([0, 6, 5, 1]), 3)
    assert_close(found, torch.stack([x[0, :3], x[1, 6:9], x[0, 5:8], x[1, 1:4]]))


@pytest.mark.parametrize("k", FOLDS)
def test_all_hear_about_as_much(k):
    critic = Window(RATE, k, 4, conditional=False)
    assert 24 <= critic.windows * critic.frames <= 48


def test_five_are_told_and_five_are_not():
    critics = ensemble("windows", RATE, 4)
    assert list(critics) == [f"{kind}-{k}" for kind in ("told", "free") for k in FOLDS]
    for name, critic in critics.items():
        frames = 3 * critic.k
        told = torch.randn(2, FRAME_FEATURES, frames) if name.startswith("told") else None
        assert critic(torch.randn(2, frames * HOP), told).shape == (2, frames)


@pytest.mark.parametrize("k", FOLDS)
def test_a_score_hears_the_sound_and_reads_what_is_told_of_the_same_frames(k):
    critic = Window(RATE, k, 4, conditional=True)
    audio = torch.randn(1, 3 * k * HOP, requires_grad=True)
    told = torch.randn(1, FRAME_FEATURES, 3 * k, requires_grad=True)
    middle = (3 * k) // 2
    by_audio, by_told = torch.autograd.grad(critic(audio, told)[0, middle], (audio, told))
    heard = by_audio[0].view(3 * k, HOP).abs().sum(1)
    read = by_told[0].abs().sum(0)
    assert heard[middle] > 0
    assert read.argmax() in range(middle - 1, middle + 2)
    centre = (heard * torch.arange(3 * k)).sum() / heard.sum()
    assert abs(centre - middle) < 1 + k / 8  # the window ends


@pytest.mark.parametrize("k", FOLDS)
def test_the_middle_hears_the_whole_window_and_all_are_as_wide(k):
    critic = Window(RATE, k, 4, conditional=False)
    audio = torch.randn(1, 3 * k * HOP, requires_grad=True)
    (heard,) = torch.autograd.grad(critic(audio)[0, (3 * k) // 2], audio)
    frames = heard[0].view(3 * k, HOP).abs().sum(1) > 0
    assert frames.float().mean() > 0.9
    assert critic.end.in_channels == 32


def test_layers_end_with_the_scores():
    critic = Window(RATE, 4, 4, conditional=False)
    x = torch.randn(2, 12 * HOP)
    assert_close(critic.layers(x)[-1][:, 0], critic(x))


def test_another_rate_has_to_be_of_small_factors():
    assert Window(24_000, 8, 4, conditional=False)(torch.randn(1, 24 * 120)).shape == (1, 24)
    with pytest.raises(ValueError, match="7 is left over"):
        Window(11_200, 1, 4, conditional=False)


def test_spectrograms_are_looked_at_by_three_and_phases_are_not():
    torch.manual_seed(0)
    critics = ensemble("spectrograms", RATE, 4)
    assert list(critics) == [f"spectrum-{n}" for n in RESOLUTIONS]
    sound = 0.1 * torch.randn(2, SEEN * HOP)
    for critic in critics.values():
        *found, scores = critic.layers(sound)
        assert len(found) == 4
        assert_close(critic(sound), scores.flatten(1))
        assert_close(critic(-sound), critic(sound))
        assert not torch.allclose(critic(2 * sound), critic(sound))


def test_a_spectrogram_s_score_is_of_its_time():
    critic = Spectrogram(256, 4)
    sound = torch.randn(1, SEEN * HOP, requires_grad=True)
    scores = critic.layers(sound)[-1][0, 0].sum(0)
    (heard,) = torch.autograd.grad(scores[len(scores) // 4], sound)
    first, last = heard[0].nonzero()[[0, -1], 0].tolist()
    assert first < SEEN * HOP // 4 < last < SEEN * HOP // 2
