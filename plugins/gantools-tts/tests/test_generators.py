"""The generators: filters that are known, exact inverses, shapes, and what conditions what."""

import pytest
import torch
from gantools_tts.features import FRAME_FEATURES
from gantools_tts.generators import GANTTS, ISTFT, ConditionalNorm, generator
from torch.testing import assert_close

RATE, HOP = 16_000, 80


@pytest.mark.parametrize("name", ["istft", "gan-tts"])
@pytest.mark.parametrize("frames", [1, 7, 40])
def test_a_frame_is_five_milliseconds(name, frames):
    net = generator(name, RATE, 8).eval()
    told, pulses = torch.randn(2, FRAME_FEATURES, frames), torch.randn(2, frames * HOP)
    sound = net(told, pulses, net.draw(2, frames))
    assert sound.shape == (2, frames * HOP)
    assert sound.isfinite().all()


def test_what_is_taken_apart_is_put_together_again():
    net, x = ISTFT(RATE, 8), torch.randn(2, 50 * HOP)
    assert_close(net.sound(net.spectrum(x)), x, atol=1e-5, rtol=0)


def shaping(net, a, theta, b):
    """Has it give the same filters always."""
    with torch.no_grad():
        net.end.weight.zero_()
        parts = (torch.as_tensor(x).float().expand(net.bins) for x in (a, theta, b))
        net.end.bias.copy_(torch.cat(list(parts)))
    return net


def test_a_flat_filter_gives_the_pulses_and_no_noise():
    net = shaping(ISTFT(RATE, 8), 0.0, 0.0, -50.0)
    pulses = torch.randn(1, 30 * HOP)
    sound = net(torch.randn(1, FRAME_FEATURES, 30), pulses, net.draw(1, 30))
    assert_close(sound, pulses, atol=1e-5, rtol=0)


def test_noise_is_as_loud_as_it_is_told():
    net = shaping(ISTFT(RATE, 8), -50.0, 0.0, -2.0)
    z = net.draw(1, 30, torch.Generator().manual_seed(0))
    sound = net(torch.randn(1, FRAME_FEATURES, 30), torch.randn(1, 30 * HOP), z)
    assert_close(sound, torch.tensor(-2.0).exp() * z, atol=1e-5, rtol=0)


def test_a_band_is_let_through():
    net = ISTFT(RATE, 8)
    hertz = torch.linspace(0, RATE / 2, net.bins)
    shaping(net, torch.where((hertz - 1000).abs() < 300, 0.0, -12.0), 0.0, -50.0)
    time = torch.arange(100 * HOP) / RATE
    for tone, kept in ((1000, 1.0), (3000, 0.0)):
        x = torch.sin(2 * torch.pi * tone * time)[None]
        with torch.no_grad():
            sound = net(torch.randn(1, FRAME_FEATURES, 100), x, torch.zeros(1, 100 * HOP))
        middle = slice(20 * HOP, 80 * HOP)
        assert sound[0, middle].std() / x[0, middle].std() == pytest.approx(kept, abs=0.01)


def test_conditional_norm_is_batch_norm_scaled_and_shifted_by_z():
    norm, plain = ConditionalNorm(3, 2), torch.nn.BatchNorm1d(3, affine=False)
    with torch.no_grad():
        norm.affine.weight.zero_()
        norm.affine.weight[0, 0] = 1.0  # scale of the first channel
        norm.affine.weight[5, 1] = 2.0  # shift of the third
        norm.affine.bias.zero_()
    x, z = torch.randn(4, 3, 20), torch.tensor([[1.0, 0], [0, 1], [0, 0], [2, -1]])
    y = plain(x)
    expected = y.clone()
    expected[:, 0] = y[:, 0] * (1 + z[:, :1])
    expected[:, 2] = y[:, 2] + 2 * z[:, 1:]
    assert_close(norm(x, z), expected)


def test_z_and_what_is_told_are_heard():
    net = GANTTS(RATE, 8).eval()
    told = torch.randn(1, FRAME_FEATURES, 20)
    z, other = net.draw(2, 20).split(1)
    none = torch.zeros(1, 20 * HOP)
    assert (net(told, none, z) - net(told, none, other)).abs().max() > 1e-3
    assert (net(told, none, z) - net(told.flip(2), none, z)).abs().max() > 1e-3


def test_in_use_it_hears_nobody_beside_it():
    net = GANTTS(RATE, 8).eval()
    told, z = torch.randn(3, FRAME_FEATURES, 20), net.draw(3, 20)
    alone = net(told[:1], torch.zeros(1, 20 * HOP), z[:1])
    assert_close(net(told, torch.zeros(3, 20 * HOP), z)[:1], alone, atol=1e-5, rtol=0)


def test_draws_depend_on_the_generator_alone():
    for net in (ISTFT(RATE, 8), GANTTS(RATE, 8)):
        a, b, c = (net.draw(1, 5, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
