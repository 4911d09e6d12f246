"""The next frame by things that move as wholes, each on its own way."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gantools_video.sampling import sampled
from gantools_video.tracking import FARTHEST, SEEN, Spectra, in_front, paths, tracks

UNIT = 4.0
"""Pixels of a step that the network calls 1."""


class Going(NamedTuple):
    """What a rollout of :class:`Sprites` hands from step to step."""

    background: Tensor
    """[B, C, 1, 1]."""
    sprites: Tensor
    """What things look like, each where it was in the last known frame, about the background,
    [B · L, C, H, W]."""
    known: Tensor
    """Where they were in it, [B · L, 2]."""
    places: Tensor
    """Where they were in the P known frames and in the K predicted ones, [B · L, P + K, 2], the
    centres of what is seen of them, x and y in pixels from the frame's middle."""
    extent: Tensor
    """How far they reach beyond that, left and right, and up and down, [B · L, 2 axes, 2]."""


class Sprites(nn.Module):
    """Cuts what moves out of what is known, and predicts where it goes.

    Sprites and how they went are found (:func:`gantools_video.tracking.tracks`), their
    :class:`Dynamics` are learned. In front is what differs most from the background, which is
    plain. A frame is interpolated once however many steps ahead it is, by cubics, so it does not
    blur; and what was predicted is not looked at again but for where things are.

    As in "Learning flexible sprites in video layers" (Jojic & Frey 2001), and with a network for
    the motion, as in "Learning to decompose and disentangle representations for video prediction"
    (Hsieh et al. 2018).

    Args:
        channels: of a frame.
        past: P, how many frames are known.
        width: an eighth of the channels within.
        actions: numbers that say what an agent does.
        layers: L, how many things there are.
    """

    def __init__(
        self, channels: int, past: int, width: int, actions: int = 0, layers: int = 2
    ) -> None:
        super().__init__()
        self.channels, self.past, self.layers = channels, past, layers
        self.dynamics = Dynamics(past, 8 * width, actions)

    def forward(
        self, past: Tensor, going: Going | None = None, action: Tensor | None = None
    ) -> tuple[list[Tensor], Going]:
        """The next frame, and what the step after it needs."""
        if going is None:
            going = self.begun(past)
        if action is not None:
            action = action.repeat_interleave(self.layers, 0)
        before = going.places[:, -self.past :]
        now = before[:, -1] + self.dynamics(before, going.extent, past.shape[:1:-1], action)
        away = (going.known - now)[..., None, None].expand(-1, -1, *past.shape[2:])
        moved = sampled(going.sprites, away, "bicubic")
        frame = going.background + in_front(moved.unflatten(0, (len(past), -1)))
        places = torch.cat([going.places, now[:, None]], 1)
        return [frame.clamp(-1, 1)], going._replace(places=places)

    def begun(self, past: Tensor) -> Going:
        """What is found in the known frames."""
        found = tracks(past.float().unflatten(1, (-1, self.channels)), self.layers)
        centre, extent = outlines(found.sprites)
        places = centre[:, None] + found.paths
        return Going(found.background, found.sprites, centre, places, extent)

    def astray(self, going: Going, true: Tensor) -> Tensor:
        """How far things are from where they are found in true frames, pixels, along an axis; the
        mean of all that are seen, [].

        Blank frames are nearer to the truth than a thing at a wrong place, so by pixels alone
        things would learn to leave.

        Args:
            going: after K steps.
            true: the frames of these steps, [B, K, C, H, W] in [−1, 1].
        """
        film = torch.cat([true[:, :1], true], 1) - going.background[:, None]  # the first: known
        way = paths(going.sprites, Spectra.of(film), 0)[:, 1:]
        far = (going.places[:, self.past :] - going.known[:, None] - way).abs().mean((1, 2))
        seen = (going.sprites.abs().amax((1, 2, 3)) > SEEN).to(far)
        return (far * seen).sum() / seen.sum().clamp(min=1)


class Dynamics(nn.Module):
    """Where a thing goes next: the mean of the steps of whole pixels, by their probabilities.

    For x and y alike, one after the other, it sees the places and steps of the last P frames along
    that axis, the steps along the other, and how far the thing reaches; places are in parts of the
    frame, so what happens at its borders can be learned. It computes in float32 always: a tenth of
    a pixel counts.

    Args:
        past: P.
        width: of the layers within.
        actions: numbers that say what an agent does.
    """

    def __init__(self, past: int, width: int, actions: int = 0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(past + 2 * (past - 1) + 2 + actions, width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, 2 * FARTHEST + 3),
        )
        self.register_buffer("steps", torch.arange(-FARTHEST - 1.0, FARTHEST + 2), persistent=False)

    def forward(
        self, places: Tensor, extent: Tensor, size: tuple[int, ...], action: Tensor | None = None
    ) -> Tensor:
        """The step, [N, 2], x and y in pixels.

        Args:
            places: [N, P, 2], pixels from the frame's middle.
            extent: [N, 2, 2], pixels.
            size: W and H.
            action: [N, A].
        """
        with torch.autocast(places.device.type, enabled=False):
            quarter = places.new_tensor(size) / 4
            steps = places.diff(dim=1).mT / UNIT
            seen = [(places / quarter).mT, steps, steps.flip(1), extent / quarter[:, None]]
            if action is not None:
                seen.append(action.float()[:, None].expand(-1, 2, -1))
            return self.layers(torch.cat(seen, 2)).softmax(-1) @ self.steps


class Straight(nn.Module):
    """:class:`Dynamics` with nothing learned: on as in the last two steps. It is the control that
    shows what learning adds to what is found."""

    def forward(
        self, places: Tensor, extent: Tensor, size: tuple[int, ...], action: Tensor | None = None
    ) -> Tensor:
        """The step, [N, 2], x and y in pixels."""
        known = places[:, -3:]
        return (known[:, -1] - known[:, 0]) / (known.shape[1] - 1)


def outlines(sprites: Tensor) -> tuple[Tensor, Tensor]:
    """The centre of what is seen of sprites, [N, 2], x and y in pixels from the frame's middle; and
    how far they reach from it to either side, [N, 2 axes, 2]. Of what is not seen both are 0."""
    strength = sprites.abs().amax(1)
    strength = strength * (strength > SEEN)
    centres, extents = [], []
    for axis in (1, 2):  # summed over rows: along x
        along = strength.sum(axis)
        at = torch.arange(along.shape[1], device=along.device) - (along.shape[1] - 1) / 2
        centre = (along * at).sum(1) / along.sum(1).clamp(min=1e-6)
        away = (at - centre[:, None]) * (along > 0)
        centres.append(centre)
        extents.append(torch.stack([away.amin(1), away.amax(1)], 1))
    return torch.stack(centres, 1), torch.stack(extents, 1)
