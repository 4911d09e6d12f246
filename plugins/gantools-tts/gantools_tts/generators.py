"""Generators: what is told of every frame -> sound.

All are called alike: ``generator(told, pulses, z) -> audio`` of

- told: [B, FRAME_FEATURES, T], 200 frames a second; what is told beyond the pulses' end is not
  made;
- pulses: [B, T · hop], the pitch as sound (:func:`gantools_tts.source.pulses`);
- z: what ``generator.draw(B, T, …)`` gave;
- audio: [B, T · hop] in [−1, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gantools_tts.features import FRAME_FEATURES, FRAME_RATE

GENERATORS = ("istft", "gan-tts")


class Block(nn.Module):
    """ConvNeXt's block in one dimension (Siuzdak 2023, "Vocos"): x + W₂ GELU(W₁ norm(conv(x)))."""

    def __init__(self, width: int, kernel: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.rise, self.fall = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
        self.gain = nn.Parameter(torch.full((width,), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """[B, width, T] -> the same."""
        y = self.norm(self.conv(x).transpose(1, 2))
        return x + (self.gain * self.fall(nn.functional.gelu(self.rise(y)))).transpose(1, 2)


class ISTFT(nn.Module):
    """Shapes pulses and noise by filters that change from frame to frame.

    Y(t, f) = exp(a + iθ) P(t, f) + exp(b) N(t, f) of the short-time spectra P of the pulses and N
    of white noise, which is z; a, θ, b [T, F] are what the network gives. A source and a filter, as
    the field's vocoders have (Engel et al. 2020, "DDSP"; Wang et al. 2019, "Neural
    source-filter"), made into sound by the inverse transform (Kaneko et al. 2022, "iSTFTNet").

    Args:
        rate: samples a second, a multiple of 200.
        width: channels.
        blocks: how many.
    """

    def __init__(self, rate: int, width: int = 192, blocks: int = 6) -> None:
        super().__init__()
        self.hop = rate // FRAME_RATE
        self.window_length = 5 * self.hop
        self.bins = self.window_length // 2 + 1
        self.register_buffer("window", torch.hann_window(self.window_length), persistent=False)
        self.begin = nn.Conv1d(FRAME_FEATURES, width, 7, padding=3)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.norm = nn.LayerNorm(width)
        self.end = nn.Linear(width, 3 * self.bins)
        with torch.no_grad():
            self.end.weight.mul_(0.1)
            a, _, b = self.end.bias.zero_().chunk(3)
            a.fill_(-2.2)  # as loud as speech, about: .1, root mean square
            b.fill_(-4.2)

    def draw(self, batch: int, frames: int, generator: torch.Generator | None = None) -> Tensor:
        """White noise, [B, T · hop]."""
        return torch.randn(batch, frames * self.hop, generator=generator)

    def filters(self, told: Tensor) -> Tensor:
        """a, θ and b, [B, 3, F, T]."""
        x = self.norm(self.blocks(self.begin(told)).transpose(1, 2))
        return self.end(x).float().transpose(1, 2).unflatten(1, (3, self.bins))

    def forward(self, told: Tensor, pulses: Tensor, z: Tensor) -> Tensor:
        """Sound, [B, T · hop]."""
        a, theta, b = self.filters(told)[..., : pulses.shape[1] // self.hop].unbind(1)
        pulse, noise = self.spectrum(pulses), self.spectrum(z)
        y = torch.polar(a.clamp(max=4).exp(), theta) * pulse + b.clamp(max=4).exp() * noise
        return self.sound(y)

    def spectrum(self, x: Tensor) -> Tensor:
        """[B, T · hop] -> complex [B, F, T]: frame t is about the middle of its samples."""
        n, hop = self.window_length, self.hop
        x = nn.functional.pad(x, ((n - hop) // 2, (n - hop) // 2))
        return torch.stft(x, n, hop, window=self.window, center=False, return_complex=True)

    def sound(self, y: Tensor) -> Tensor:
        """Complex [B, F, T] -> [B, T · hop]: windowed again, added up, over the squared windows."""
        n, hop, frames = self.window_length, self.hop, y.shape[-1]
        pieces = torch.fft.irfft(y, n, dim=1) * self.window[:, None]
        squares = (self.window**2)[:, None].expand(-1, frames)
        length = (frames - 1) * hop + n

        def added(x: Tensor) -> Tensor:
            return nn.functional.fold(x, (1, length), (1, n), stride=(1, hop)).flatten(1)

        edge = (n - hop) // 2
        weight = added(squares[None]).clamp(min=1e-3)
        return (added(pieces) / weight)[:, edge : length - edge]


class ConditionalNorm(nn.Module):
    """Batch normalisation whose scale and shift are linear in z (GAN-TTS, section 3.1)."""

    def __init__(self, channels: int, codes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels, affine=False)
        self.affine = nn.Linear(codes, 2 * channels)
        with torch.no_grad():
            self.affine.weight.mul_(0.1)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """[B, C, T], [B, codes] -> [B, C, T]."""
        scale, shift = self.affine(z)[..., None].chunk(2, 1)
        return self.norm(x) * (1 + scale) + shift


class GBlock(nn.Module):
    """GAN-TTS's generator block: four convolutions of dilations 1, 2, 4 and 8 in two residual
    pairs, upsampling in the first (Bińkowski et al. 2019, "High fidelity speech synthesis with
    adversarial networks", figure 1)."""

    def __init__(self, inputs: int, outputs: int, upsample: int, codes: int) -> None:
        super().__init__()
        self.upsample = upsample
        sides = (inputs, outputs, outputs, outputs)
        self.norms = nn.ModuleList(ConditionalNorm(side, codes) for side in sides)
        self.convs = nn.ModuleList(
            nn.Conv1d(side, outputs, 3, dilation=2**i, padding=2**i) for i, side in enumerate(sides)
        )
        self.skip = nn.Conv1d(inputs, outputs, 1)

    def _step(self, i: int, x: Tensor, z: Tensor, upsample: int = 1) -> Tensor:
        x = self.norms[i](x, z).relu()
        return self.convs[i](x if upsample == 1 else interpolate(x, scale_factor=upsample))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        """[B, inputs, T] -> [B, outputs, T · upsample]."""
        y = self._step(1, self._step(0, x, z, self.upsample), z)
        x = self.skip(x if self.upsample == 1 else interpolate(x, scale_factor=self.upsample)) + y
        return x + self._step(3, self._step(2, x, z), z)


class GANTTS(nn.Module):
    """The generator of GAN-TTS, at ``rate`` (a multiple of 80 · 200 / 5): seven blocks.

    Channels 8, 8, 4, 4, 4, 2, 1 times ``width``, 96 in the paper; upsampling 1, 1, 2, 2, 2, 2, 5 at
    16 kHz, where the paper has 1, 1, 2, 2, 2, 3, 5 for 24 kHz. The pulses are not used.
    """

    CODES = 128

    def __init__(self, rate: int, width: int = 24) -> None:
        super().__init__()
        self.hop = rate // FRAME_RATE
        last = self.hop // 40
        self.begin = nn.Conv1d(FRAME_FEATURES, 8 * width, 3, padding=1)
        sides = [width * n for n in (8, 8, 8, 4, 4, 4, 2, 1)]
        ups = (1, 1, 2, 2, 2, last, 5)
        self.blocks = nn.ModuleList(
            GBlock(a, b, up, self.CODES) for a, b, up in zip(sides, sides[1:], ups, strict=False)
        )
        self.norm = nn.BatchNorm1d(width)
        self.end = nn.Conv1d(width, 1, 3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.orthogonal_(module.weight)

    def draw(self, batch: int, frames: int, generator: torch.Generator | None = None) -> Tensor:
        """Codes, normal, [B, 128]."""
        return torch.randn(batch, self.CODES, generator=generator)

    def forward(self, told: Tensor, pulses: Tensor, z: Tensor) -> Tensor:
        """Sound, [B, T · hop]."""
        return self.coded(told, z)[:, : pulses.shape[1]]

    def coded(self, told: Tensor, z: Tensor) -> Tensor:
        """Sound, [B, T · hop], without the pulses."""
        x = self.begin(told)
        for block in self.blocks:
            x = block(x, z)
        return self.end(self.norm(x).relu()).tanh()[:, 0]


def generator(name: str, rate: int, width: int) -> nn.Module:
    """The untrained generator of a name."""
    return ISTFT(rate, width) if name == "istft" else GANTTS(rate, width)
