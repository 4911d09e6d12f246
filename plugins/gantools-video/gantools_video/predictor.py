"""A trained network with what it was made by: all that predicting needs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from gantools import UserError, models
from gantools_video.blocks import STRIDE
from gantools_video.motion import Motion
from gantools_video.networks import network
from gantools_video.rollout import rollout, steps

SHIPPED = Path(__file__).with_name("model")
"""The folder of the model that comes with the plugin."""
AT_ONCE = 32
"""Films, or tiles of one, that are predicted at once."""


class Predictor:
    """Predicts frames in [0, 1].

    Args:
        asked: what :func:`gantools_video.networks.network` was given; and "size", the side of the
            frames that it was trained on.
        net: the network.
        about: command, seed, data and figures, for people.
    """

    def __init__(
        self, asked: Mapping[str, Any], net: nn.Module, about: Mapping[str, Any] = {}
    ) -> None:
        self.asked, self.about = dict(asked), dict(about)
        self.net = net.eval().to(memory_format=torch.channels_last)  # twice as fast
        self.past: int = asked["past"]
        self.channels: int = asked["channels"]
        self.size: int = asked["size"]
        self.actions: int = asked["actions"]

    @torch.no_grad()
    def __call__(self, past: Tensor, count: int, actions: Tensor | None = None) -> Tensor:
        """Predict from the last frames, at their size: [B, ≥ P, C, H, W] -> [B, count, C, H, W].

        Args:
            past: in [0, 1].
            actions: [B, ≥ count, A], what is done from the last frame on; of environments only.
        """
        known, height, width = padded(past[:, -self.past :] * 2 - 1)
        films = known.split(AT_ONCE)
        given = [None] * len(films) if actions is None else actions.split(AT_ONCE)
        made = [
            rollout(self.net, self._there(film), count, self._there(done))[-1].to(past)
            for film, done in zip(films, given, strict=True)
        ]
        return ((torch.cat(made) + 1) / 2).clamp(0, 1)[..., :height, :width]

    @torch.no_grad()
    def tiled(self, past: Tensor, count: int) -> Iterator[Tensor]:
        """The next frames of one film of any size, in squares of the size that was trained on.

        Squares overlap by half and are blended; each is predicted by itself, so what moves from
        one to another is lost.

        Args:
            past: [≥ P, C, H, W] in [0, 1].

        Yields:
            [C, H, W] in [0, 1].
        """
        height, width = past.shape[-2:]
        side, half = self.size, self.size // 2
        known = past[-self.past :]
        more = [max(side, -(-length // half) * half + half) - length for length in (width, height)]
        known = pad(known, (half, more[0], half, more[1]), mode="replicate")
        rows, columns = ((length - side) // half + 1 for length in known.shape[-2:])
        tiles = known.unfold(2, side, half).unfold(3, side, half)  # [P, C, rows, columns, S, S]
        tiles = tiles.permute(2, 3, 0, 1, 4, 5).flatten(0, 1)
        ramp = torch.sin(torch.pi * (torch.arange(side) + 0.5) / side) ** 2  # halves sum to 1
        going = [steps(self.net, self._there(part)) for part in (tiles * 2 - 1).split(AT_ONCE)]
        for _ in range(count):
            made = torch.cat([next(films)[0][-1].to(past) for films in going])
            frame = ((made + 1) / 2).clamp(0, 1) * (ramp[:, None] * ramp)
            sheet = past.new_zeros(self.channels, *known.shape[-2:])
            for number, (row, column) in enumerate(itertools.product(range(rows), range(columns))):
                y, x = row * half, column * half
                sheet[:, y : y + side, x : x + side] += frame[number]
            yield sheet[:, half : half + height, half : half + width].clamp(0, 1)

    @torch.no_grad()
    def resized(self, past: Tensor, count: int) -> Iterator[Tensor]:
        """The next frames of one film of any size, predicted with its short side at the trained
        size. What ``warp`` only moves is taken from the last frame at full size, so it stays sharp.

        Args:
            past: [≥ P, C, H, W] in [0, 1].

        Yields:
            [C, H, W] in [0, 1].
        """
        full, (height, width) = self._there(past[-1:] * 2 - 1), past.shape[-2:]
        factor = self.size / min(height, width)
        small = interpolate(
            past[-self.past :] * 2 - 1,
            size=[max(STRIDE, round(side * factor)) for side in (height, width)],
            mode="area" if factor < 1 else "bilinear",
        )
        known, *sides = padded(self._there(small[None]))

        def larger(x: Tensor) -> Tensor:
            x = x[..., : sides[0], : sides[1]]
            return interpolate(x, size=(height, width), mode="bilinear", align_corners=False)

        scale = full.new_tensor([width / sides[1], height / sides[0]]).view(1, 2, 1, 1)
        for made, motion in itertools.islice(steps(self.net, known), count):
            frame = larger(made[-1])
            if isinstance(motion, Motion):
                frame = motion._replace(
                    source=full,
                    where=larger(motion.where) * scale,
                    kept=larger(motion.kept),
                    drawn=larger(motion.drawn),
                ).frame()
            yield ((frame[0] + 1) / 2).clamp(0, 1).to(past)

    def _there(self, x: Any) -> Any:
        """Where the network is."""
        at = next(self.net.parameters(), None)
        return x if at is None or x is None else x.to(at.device)

    def save(self, folder: Path) -> None:
        """Write the model into a folder; see :func:`gantools.models.save`."""
        models.save(folder, {"network": self.net}, self.asked, self.about, application="video")

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Predictor:
        """Read what was written.

        Raises:
            UserError: there is no whole model in the folder, or it is another version's.
        """
        kept = models.load(folder, application="video")
        asked = kept.config
        try:
            net = network(**{name: value for name, value in asked.items() if name != "size"})
            net.load_state_dict(kept.states["network"])
            return cls(asked, net, kept.about)
        except (KeyError, RuntimeError, TypeError):
            raise UserError(
                f"The model in {str(folder)!r} was made by another version of gantools-video: "
                "train it again."
            ) from None


def padded(frames: Tensor) -> tuple[Tensor, int, int]:
    """Frames [B, P, C, H, W] whose sides are multiples of the stride, and what H and W were.

    The last row and column go on.
    """
    height, width = frames.shape[-2:]
    more = (0, -width % STRIDE, 0, -height % STRIDE, 0, 0)
    return pad(frames, more, mode="replicate"), height, width
