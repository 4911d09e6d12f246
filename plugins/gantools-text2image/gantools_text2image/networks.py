"""The networks: generators that draw from codes and captions, discriminators that look at both.

Pictures are [B, 3, S, S] in [−1, 1], S a power of two from 8; captions are embeddings e [B, width],
codes z [B, codes].
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, leaky_relu, normalize

from gantools.nn import Bottleneck

SLOPE = 0.2
HALF = 0.5**0.5
"""Keeps the variance of a sum of two. DF-GAN's gains, which begin at 0, cost thousands of steps."""
CAPTION = 128
"""What a network makes of a caption before it uses it, in numbers."""


def widths(size: int, base: int, most: int) -> list[int]:
    """Channels at 4, 8, …, ``size`` pixels a side: ``base`` at 32, and twice that at each half."""
    return [min(most, max(base // 2, base * 32 // side)) for side in sides(size)]


def sides(size: int) -> list[int]:
    """4, 8, …, ``size``."""
    return [4 * 2**i for i in range(int(math.log2(size // 4)) + 1)]


class Affine(nn.Module):
    """γ(c) ⊙ x + β(c), channel by channel: [B, C, H, W], [B, c] -> [B, C, H, W].

    The text–image fusion of DF-GAN (Tao et al. 2022, section 3.3), with one layer for γ and β.
    """

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.layer = nn.Linear(condition, 2 * channels)
        nn.init.zeros_(self.layer.weight)
        with torch.no_grad():
            self.layer.bias.copy_(torch.cat([torch.ones(channels), torch.zeros(channels)]))

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """Scale and shift."""
        gamma, beta = self.layer(condition)[:, :, None, None].chunk(2, 1)
        return torch.addcmul(beta, gamma, x)


class FusionBlock(nn.Module):
    """Two convolutions, before each two rounds of affine fusion and leaky ReLU, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.affines = nn.ModuleList(
            Affine(channels, condition) for channels in (inputs, inputs, outputs, outputs)
        )
        self.convs = nn.ModuleList(
            nn.Conv2d(channels, outputs, 3, padding=1) for channels in (inputs, outputs)
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """[B, inputs, H, W], [B, condition] -> [B, outputs, H, W]."""
        h = x
        for i, conv in enumerate(self.convs):
            for affine in self.affines[2 * i : 2 * i + 2]:
                h = leaky_relu(affine(h, condition), SLOPE)
            h = conv(h)
        return (self.shortcut(x) + h) * HALF


class PlainBlock(nn.Module):
    """A convolution, batch normalisation and ReLU, as in DCGAN (Radford et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, condition: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H, W]; the condition has come in before."""
        return self.layers(x)


class Generator(nn.Module):
    """Draws: z [B, codes], e [B, text] -> pictures [B, 3, S, S].

    Args:
        size: S.
        text: numbers of a caption's embedding.
        codes: numbers of a code.
        base: channels at 32 pixels a side.
        fusion: whether captions come in at every layer (DF-GAN), or only with the code (GAN-CLS).
    """

    def __init__(
        self, size: int, text: int, codes: int, base: int = 32, *, fusion: bool = True
    ) -> None:
        super().__init__()
        self.caption = nn.Sequential(nn.Linear(text, CAPTION), nn.LeakyReLU(SLOPE))
        channels = widths(size, base, 4 * base)
        condition = codes + CAPTION
        self.first = nn.Linear(condition, channels[0] * 16)
        block = FusionBlock if fusion else PlainBlock
        pairs = pairwise([channels[0], *channels])
        self.blocks = nn.ModuleList(block(a, b, condition) for a, b in pairs)
        self.last = nn.Conv2d(channels[-1], 3, 3, padding=1)

    def forward(self, z: Tensor, e: Tensor) -> Tensor:
        """Pictures of captions."""
        condition = torch.cat([z, self.caption(e)], 1)
        x = self.first(condition).view(len(z), -1, 4, 4)
        for i, block in enumerate(self.blocks):
            if i:
                x = interpolate(x, scale_factor=2.0)
            x = block(x, condition)
        return self.last(leaky_relu(x, SLOPE)).tanh()


class Refiner(nn.Module):
    """StackGAN's second stage (Zhang et al. 2017): small pictures and captions -> large pictures.

    The small picture is taken down to a quarter, the caption is joined to every place, and two
    residual blocks and upsampling draw again what the first stage has drawn.
    """

    def __init__(self, text: int, base: int = 32) -> None:
        super().__init__()
        self.caption = nn.Sequential(nn.Linear(text, CAPTION), nn.LeakyReLU(SLOPE))
        self.down = nn.Sequential(
            nn.Conv2d(3, base, 3, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(base, 2 * base, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
        )
        self.join = nn.Conv2d(2 * base + CAPTION, 2 * base, 3, padding=1)
        channels = [2 * base, 2 * base, 2 * base, base]
        self.blocks = nn.ModuleList(FusionBlock(a, b, CAPTION) for a, b in pairwise(channels))
        self.last = nn.Conv2d(base, 3, 3, padding=1)

    def forward(self, small: Tensor, e: Tensor) -> Tensor:
        """[B, 3, S/2, S/2], [B, text] -> [B, 3, S, S]."""
        c = self.caption(e)
        x = self.down(small)
        x = self.join(torch.cat([x, c[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1))
        x = self.blocks[0](leaky_relu(x, SLOPE), c)
        for block in self.blocks[1:]:
            x = block(interpolate(x, scale_factor=2.0), c)
        return self.last(leaky_relu(x, SLOPE)).tanh()


class Sketch(nn.Module):
    """StackGAN's first stage: draws half the side, of a caption that is blurred.

    Conditioning augmentation (Zhang et al. 2017, section 3.2): ĉ = μ(e) + σ(e) ⊙ ε. The last 128
    numbers of the code are ε, so that a picture is a function of its code and caption.
    """

    def __init__(self, size: int, text: int, codes: int, base: int = 32) -> None:
        super().__init__()
        self.blur = Bottleneck(text, CAPTION)
        self.draw = Generator(size, CAPTION, codes - CAPTION, base)

    def forward(self, z: Tensor, e: Tensor) -> Tensor:
        """[B, codes], [B, text] -> [B, 3, size, size]."""
        z, noise = z[:, :-CAPTION], z[:, -CAPTION:]
        c = self.blur(e)
        return self.draw(z, c.mean + c.std * noise)


class Stack(nn.Module):
    """Both stages as one: z [B, codes], e [B, text] -> pictures [B, 3, S, S]."""

    def __init__(self, sketch: nn.Module, refiner: nn.Module) -> None:
        super().__init__()
        self.sketch, self.refiner = sketch, refiner

    def forward(self, z: Tensor, e: Tensor) -> Tensor:
        """Sketch, then draw again."""
        return self.refiner(self.sketch(z, e), e)


class DownBlock(nn.Module):
    """Half the side: two convolutions, and a shortcut that is pooled (DF-GAN's, section 3.2)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 4, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.LeakyReLU(SLOPE),
        )
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] -> [B, outputs, H/2, W/2]."""
        return (self.shortcut(avg_pool2d(x, 2)) + self.layers(x)) * HALF


class Discriminator(nn.Module):
    """Scores pictures with captions: x [B, 3, S, S], e [B, text] -> [B], one score for both.

    Picture and caption meet at 4 × 4 places; there is one output, for "real and fitting"
    (DF-GAN's one-way discriminator). :meth:`look` and :meth:`compare` are its two halves, so that
    one look serves several captions.

    Args:
        size: S.
        text: numbers of a caption's embedding.
        base: channels at 32 pixels a side.
        reader: reads captions, where that is learned with the game; it moves with this player.
    """

    def __init__(
        self, size: int, text: int, base: int = 32, reader: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.reader = reader
        channels = widths(size, base, 6 * base)[::-1]
        self.first = nn.Conv2d(3, channels[0], 3, padding=1)
        self.blocks = nn.Sequential(*(DownBlock(a, b) for a, b in pairwise(channels)))
        self.caption = nn.Linear(text, CAPTION)
        self.joint = nn.Conv2d(channels[-1] + CAPTION, 2 * CAPTION, 3, padding=1)
        self.last = nn.Conv2d(2 * CAPTION, 1, 4)
        self.picture_code = nn.Linear(channels[-1] * 16, CAPTION)
        self.caption_code = nn.Linear(text, CAPTION)

    def encode(self, tokens: Tensor) -> Tensor:
        """Embeddings of captions, [B, L] -> [B, text]."""
        assert self.reader is not None
        return self.reader(tokens)

    def look(self, x: Tensor) -> Tensor:
        """What it sees: [B, 3, S, S] -> [B, C, 4, 4]."""
        return self.blocks(self.first(x))

    def compare(self, seen: Tensor, e: Tensor) -> Tensor:
        """The scores of what was seen with captions: [B, C, 4, 4], [B, text] -> [B]."""
        c = self.caption(e)[:, :, None, None].expand(-1, -1, 4, 4)
        joined = leaky_relu(self.joint(torch.cat([seen, c], 1)), SLOPE)
        return self.last(joined).flatten()

    def codes(self, seen: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors [B, 128] of pictures and captions, alike where these belong together."""
        picture = self.picture_code(leaky_relu(seen, SLOPE).flatten(1))
        return normalize(picture), normalize(self.caption_code(e))

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """[B, 3, S, S], [B, text] -> [B]."""
        return self.compare(self.look(x), e)
