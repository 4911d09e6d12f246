"""The networks by name: four ways to the next frame.

Frames are [B, C, H, W] in [−1, 1], H and W multiples of :data:`gantools_video.blocks.STRIDE`. What
predicts takes the last P frames one behind the other in the channels, [B, P · C, H, W], and gives
the next: at the scales that it has, the full one last.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from gantools_video.blocks import Actions, block, scaled
from gantools_video.sprites import Sprites
from gantools_video.warp import Warp


class Encoder(nn.Sequential):
    """Frames -> a code, [B, 8 · width, H/8, W/8]."""

    def __init__(self, inputs: int, width: int) -> None:
        sides = [width * min(2**i, 8) for i in range(4)]
        levels = [block(inputs, sides[0])]
        for a, b in pairwise(sides):
            levels += [block(a, b, stride=2), block(b, b)]
        super().__init__(*levels)


class Decoder(nn.Sequential):
    """A code -> a map at stride 1, [B, outputs, H, W]."""

    def __init__(self, outputs: int, width: int) -> None:
        sides = [width * min(2**i, 8) for i in range(4)][::-1]
        levels = [block(sides[0], sides[0])]
        for a, b in pairwise(sides):
            levels += [nn.Upsample(scale_factor=2), block(a, b)]
        super().__init__(*levels, nn.Conv2d(sides[-1], outputs, 3, padding=1))


class Feedback(nn.Module):
    """Frames -> code -> next frame: nothing passes but the code.

    Codes are of length 1 per channel at every place (Karras et al. 2018's pixel norm), so that a
    normal draw can be one: :meth:`first` draws the frame with which a film begins from nothing.
    """

    def __init__(self, channels: int, past: int, width: int, actions: int = 0) -> None:
        super().__init__()
        self.channels = 8 * width
        self.encoder = Encoder(channels * past, width)
        self.decoder = Decoder(channels, width)
        self.actions = Actions(actions, 8 * width)

    def forward(
        self, past: Tensor, handed: None = None, action: Tensor | None = None
    ) -> tuple[list[Tensor], None]:
        """The next frame; nothing is handed on."""
        code = self.actions(self.encoder(past), action)
        return [self.first(code)], None

    def first(self, code: Tensor) -> Tensor:
        """The frame of a code [B, 8 · width, h, w]."""
        return self.decoder(code * (code.square().mean(1, keepdim=True) + 1e-8).rsqrt()).tanh()


class Pyramid(nn.Module):
    """Mathieu et al. 2016, eq. 3: Ŷₖ = u(Ŷₖ₋₁) + Gₖ(Xₖ, u(Ŷₖ₋₁)) at four scales, ⅛ to 1."""

    def __init__(self, channels: int, past: int, width: int, actions: int = 0) -> None:
        super().__init__()
        inputs = channels * past

        def level(first: int) -> nn.Sequential:
            return nn.Sequential(
                block(first, 2 * width),
                block(2 * width, 4 * width),
                block(4 * width, 2 * width),
                nn.Conv2d(2 * width, channels, 3, padding=1),
            )

        self.levels = nn.ModuleList(level(inputs + (k > 0) * channels + actions) for k in range(4))
        self.inputs, self.planes = inputs, actions

    def forward(
        self, past: Tensor, handed: None = None, action: Tensor | None = None
    ) -> tuple[list[Tensor], None]:
        """The next frame at ⅛, ¼, ½ of the size and in full; nothing is handed on."""
        made: list[Tensor] = []
        for k, level in enumerate(self.levels):
            x = scaled(past, 2 ** (3 - k))
            given = [x]
            if made:
                given.append(interpolate(made[-1], scale_factor=2))
            if self.planes:
                assert action is not None
                given.append(action[:, :, None, None].expand(-1, -1, *x.shape[2:]))
            drawn = level(torch.cat(given, 1))
            made.append((drawn + given[1] if made else drawn).clamp(-1, 1))
        return made, None


NETWORKS = {"warp": Warp, "sprites": Sprites, "feedback": Feedback, "mathieu": Pyramid}


def network(
    game: str,
    channels: int,
    past: int,
    width: int,
    actions: int = 0,
    damping: float = 0.0,
    layers: int = 1,
) -> nn.Module:
    """The untrained network of a game.

    Args:
        game: a key of :data:`NETWORKS`.
        channels: of a frame.
        past: P, how many frames it knows.
        width: of its first layers; an eighth of those of ``warp``.
        actions: numbers that say what an agent does; 0: there is none.
        damping: of :class:`Warp`; the others have none.
        layers: of :class:`Sprites`, the same.
    """
    more = {"warp": {"damping": damping}, "sprites": {"layers": layers}}.get(game, {})
    return NETWORKS[game](channels, past, width, actions, **more)
