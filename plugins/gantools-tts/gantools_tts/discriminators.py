"""The ensemble of random window discriminators of GAN-TTS, and one of spectrograms."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from gantools_tts.features import FRAME_FEATURES, FRAME_RATE
from gantools_tts.losses import RESOLUTIONS, magnitudes

FOLDS = (1, 2, 4, 8, 16)
"""k: a window has 240 · k samples at 16 kHz, 15 to 240 ms, folded into k channels, so that all
cost the same."""
FRAMES = 3
"""Of a window for every k."""
WINDOWS = 8
"""Of a piece, for k = 1; where k is greater fewer, so that all hear about as much."""
SEEN = 48
"""Frames of which a spectrogram is looked at, 240 ms."""
LOUD = 0.1
"""Root mean square of speech as it is recorded: what is heard is divided by it."""


class Window(nn.Module):
    """Scores a window of sound, by itself or against what is told of it.

    A window of 3 k frames is folded into k channels (GAN-TTS, section 3.2), then halved and more
    until there is one place for a frame, where what is told is added if it is conditional. Further
    layers look ever farther around each frame, until the middle ones hear the whole window.

    Args:
        rate: samples a second.
        k: of :data:`FOLDS`.
        width: of the first layer.
        conditional: whether it is told what should be heard.
    """

    def __init__(self, rate: int, k: int, width: int, conditional: bool) -> None:
        super().__init__()
        self.k, self.frames = k, FRAMES * k
        self.windows = max(1, WINDOWS // k)
        steps = _factors(rate // FRAME_RATE // k)
        # The last is as wide for all k: longer windows are halved less often.
        sides = [8 * width // 2**i for i in range(len(steps), -1, -1)]
        self.begin = nn.Conv1d(k, sides[0], 5, padding=2)
        self.down = nn.ModuleList(
            nn.Conv1d(a, b, 2 * step + 1, step, step)
            for (a, b), step in zip(pairwise(sides), steps, strict=True)
        )
        last = sides[-1]
        self.told = nn.Conv1d(FRAME_FEATURES, last, 3, padding=1) if conditional else None
        self.late = nn.ModuleList(
            nn.Conv1d(last, last, 3, padding=d, dilation=d)
            for d in (1, 2, 4, 8, 16)
            if d == 1 or d <= self.frames // 3
        )
        self.end = nn.Conv1d(last, 1, 1)

    def layers(self, audio: Tensor, told: Tensor | None = None) -> list[Tensor]:
        """All that it finds, the scores [B, 1, 3 k] last.

        Args:
            audio: [B, 3 k · hop].
            told: [B, FRAME_FEATURES, 3 k], of one that is conditional.
        """
        x = (audio / LOUD).unflatten(1, (-1, self.k)).mT
        x = nn.functional.leaky_relu(self.begin(x), 0.2)
        found = []
        for layer in self.down:
            x = nn.functional.leaky_relu(layer(x), 0.2)
            found.append(x)
        if self.told is not None:
            assert told is not None
            x = x + self.told(told)
        for layer in self.late:
            x = x + layer(nn.functional.leaky_relu(x, 0.2))
            found.append(x)
        return [*found, self.end(nn.functional.leaky_relu(x, 0.2))]

    def forward(self, audio: Tensor, told: Tensor | None = None) -> Tensor:
        """Scores, [B, 3 k]."""
        return self.layers(audio, told)[-1][:, 0]


class Spectrogram(nn.Module):
    """Scores the log magnitudes of a window of sound, at every time and in every band.

    Jang et al. 2021, "UnivNet", section 2.2, with fewer channels.

    Args:
        n: samples of the transform; it is taken every n / 4.
        width: of the first layer.
    """

    frames, windows, told = SEEN, 2, None

    def __init__(self, n: int, width: int) -> None:
        super().__init__()
        self.n = n
        sides = (1, width, 2 * width, 2 * width)
        self.down = nn.ModuleList(
            nn.Conv2d(a, b, (9, 3), (2, 1), (4, 1)) for a, b in pairwise(sides)
        )
        self.late = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.end = nn.Conv2d(2 * width, 1, 3, padding=1)
        for layer in (*self.down, self.late):
            nn.init.kaiming_normal_(layer.weight, 0.2)

    def layers(self, audio: Tensor) -> list[Tensor]:
        """All that it finds, the scores [B, 1, F / 8, times] last; of sound [B, T]."""
        x = magnitudes(audio / LOUD, self.n).log()[:, None] / 2
        found = []
        for layer in (*self.down, self.late):
            x = nn.functional.leaky_relu(layer(x), 0.2)
            found.append(x)
        return [*found, self.end(x)]

    def forward(self, audio: Tensor) -> Tensor:
        """Scores, [B, n]."""
        return self.layers(audio)[-1].flatten(1)


ENSEMBLES = ("windows", "spectrograms")


def ensemble(name: str, rate: int, width: int) -> nn.ModuleDict:
    """The discriminators of a game, by their names.

    Args:
        name: ``windows``, the paper's, of which five are told what should be heard, and five are
            not; or ``spectrograms``, of three resolutions.
        rate: samples a second.
        width: of the first layers.
    """
    if name == "spectrograms":
        return nn.ModuleDict({f"spectrum-{n}": Spectrogram(n, width) for n in RESOLUTIONS})
    return nn.ModuleDict(
        {
            f"{'told' if conditional else 'free'}-{k}": Window(rate, k, width, conditional)
            for conditional in (True, False)
            for k in FOLDS
        }
    )


def cut(x: Tensor, first: Tensor, length: int) -> Tensor:
    """From each of x [B, …, T] the ``length`` that begin at ``first`` [n · B], n times one after
    the other: [n · B, …, length]."""
    x = x.repeat(len(first) // len(x), *[1] * (x.dim() - 1))
    at = first[:, None] + torch.arange(length, device=x.device)
    shape = (len(x), *[1] * (x.dim() - 2), length)
    return x.gather(-1, at.view(shape).expand(*x.shape[:-1], length))


def _factors(n: int) -> list[int]:
    """Prime factors with twos in pairs, the greatest first: 80 -> 5, 4, 4."""
    found = []
    for step in (5, 4, 3, 2):
        while n % step == 0:
            found.append(step)
            n //= step
    if n > 1:
        raise ValueError(f"{n} is left over of a frame's samples")
    return found
