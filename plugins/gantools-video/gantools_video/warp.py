"""The next frame by moving what was last known."""

from __future__ import annotations

from itertools import islice, pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle, relu

from gantools_video.blocks import Actions, Residual, smooth
from gantools_video.flow import flow
from gantools_video.motion import Motion, onward, steadiness
from gantools_video.sampling import sampled

PATCH = 4
"""Side of the squares of pixels that ``warp`` looks at."""
BLOCKS = 5
"""Of its residual blocks: it sees about 90 pixels."""
UNIT = 4.0
"""Pixels of motion that its network calls 1."""
REACH = 32.0
"""Pixels that anything moves in a step at most, in either direction."""


class Warp(nn.Module):
    """Moves what was last known, and draws what it cannot.

    The frame is x̂(p) = μ + a(p) (x₀ − μ)(p + w(p)) + r(p), x₀ the last known one and μ the mean of
    what is known. The flow v of a step (pixels) leads to the frame before, and w to the last that
    was known: w(p) = v(p) + w′(p + v(p)), w′ of the step before, 0 at first. So a frame is
    interpolated once however many steps ahead it is, and does not blur. How much of it is kept
    moves on too, a(p) = m(p) a′(p + v(p)), 1 at first; and so does what is drawn:
    r(p) = m(p) r′(p + v(p)) + s(p).

    What moves goes on as it did: v = u + δ, u the flow of the step before where it has gone
    (:func:`onward`); that of what is known is found by :func:`gantools_video.flow.flow`, and damped
    where it was not steady (:func:`steadiness`), for a camera that shakes does not go on. The
    network learns δ, m and s. Beside the frames, their mean taken off, and u it sees how good
    the flow before was: by how much it differs from that before it, what it left unexplained, and
    how steady it was. It looks at squares of :data:`PATCH` pixels: a few wide layers over a few
    places take a fraction of the time of thin ones over all pixels.

    Args:
        channels: of a frame.
        past: how many frames are known.
        width: an eighth of the channels within.
        actions: numbers that say what an agent does.
        damping: γ, what is known goes on by c^γ of its motion, c its steadiness; 0: all of it, and
            steadiness is not looked at.
    """

    def __init__(
        self,
        channels: int,
        past: int,
        width: int,
        actions: int = 0,
        damping: float = 0.0,
    ) -> None:
        super().__init__()
        self.channels, self.damping = channels, damping
        inside, seen = 8 * width, channels * past + 2 + 2 + channels + (damping > 0)
        self.begin = nn.Conv2d(PATCH**2 * seen, inside, 3, padding=1)
        self.actions = Actions(actions, inside)
        self.blocks = nn.Sequential(*[Residual(inside) for _ in range(BLOCKS)])
        self.said = (2, 1, channels)
        self.end = nn.Conv2d(inside, PATCH**2 * sum(self.said), 1)
        with torch.no_grad():  # at first everything goes on as it did
            self.end.weight.mul_(0.1)
            self.end.bias.zero_()

    def forward(
        self, past: Tensor, motion: Motion | None = None, action: Tensor | None = None
    ) -> tuple[list[Tensor], Motion]:
        """The next frame, and what the step after it needs."""
        known = motion is None
        if motion is None:
            motion = self.begun(past)
        # What was said before is seen, but is not taught through what is said of it, nor by where
        # w′ is looked up: such gradients explode with the length of a rollout. They pass by the
        # sums and products that w, a and r are.
        past, last, older = past.detach(), motion.flow.detach(), motion.older.detach()
        steady, kept = motion.steady, motion.kept.detach()
        before, now = past.split(self.channels, 1)[-2:]
        goes = last * steady**self.damping if known and steady is not None else last
        u = onward(goes, kept)
        seen = [u / UNIT, (last - sampled(older, last)) / UNIT, (now - sampled(before, last)) / 2]
        if steady is not None:
            seen.append(steady)
            steady = sampled(steady, u)
        centred = (past - past.mean((1, 2, 3), keepdim=True)) / 2
        x = self.begin(pixel_unshuffle(torch.cat([centred, *seen], 1), PATCH))
        x = self.blocks(self.actions(x, action))
        out = pixel_shuffle(self.end(smooth(x)), PATCH).float()
        delta, fades, s = out.split(self.said, 1)
        m = (-relu(fades)).exp()
        v = (u + UNIT * delta).clamp(-REACH, REACH)
        motion = motion._replace(
            where=v + sampled(motion.where, v.detach()),
            kept=m * sampled(motion.kept, v),
            drawn=m * sampled(motion.drawn, v) + s,
            flow=v,
            older=last,
            steady=steady,
        )
        return [motion.frame()], motion

    def begun(self, past: Tensor) -> Motion:
        """That of the last known frame, with the flow of what is known, and how steady it is."""
        frames = past.split(self.channels, 1)[::-1]
        pairs = islice(pairwise(frames), 3 if self.damping else 2)
        flows = [flow(x, before).clamp(-REACH, REACH) for x, before in pairs]
        still = torch.zeros_like(past[:, :2])
        return Motion(
            source=frames[0],
            mean=past.mean((1, 2, 3), keepdim=True),
            where=still,
            kept=torch.ones_like(still[:, :1]),
            drawn=torch.zeros_like(frames[0]),
            flow=flows[0],
            older=flows[:2][-1],
            steady=steadiness(flows) if self.damping else None,
        )
