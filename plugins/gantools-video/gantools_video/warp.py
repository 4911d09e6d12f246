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

    The last known frame x₀ is taken for L layers, which move each by itself and may pass through
    each other: x̂ = μ + Σ a(p) (x₀ − μ)(p + w(p)) + r(p) over them, μ the mean of what is known.
    The flow v of a layer in a step (pixels) leads to the frame before, and w to the last frame that
    was known: w(p) = v(p) + w′(p + v(p)), w′ of the step before, 0 at first. So a frame is
    interpolated once however many steps ahead it is, and does not blur. How much of a layer is seen
    moves on too: a(p) = m(p) a′(p + v(p)), at first the part α of x₀ that is its own; and so does
    what is drawn: r(p) = m r′(p + v) + s(p), m and v those of what is seen there.

    What moves goes on as it did: v = u + δ, u the flow of the step before where it has gone
    (:func:`onward`); that of what is known is found by :func:`gantools_video.flow.flow`, and damped
    where it was not steady (:func:`steadiness`), for a camera that shakes does not go on. The
    network learns δ, m, s and α. Beside the frames, their mean taken off, u and a it sees how good
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
        layers: L.
    """

    def __init__(
        self,
        channels: int,
        past: int,
        width: int,
        actions: int = 0,
        damping: float = 0.0,
        layers: int = 1,
    ) -> None:
        super().__init__()
        self.channels, self.damping, self.layers = channels, damping, layers
        inside, several = 8 * width, layers > 1
        seen = channels * past + layers * (2 + 2 + channels + several + (damping > 0))
        self.begin = nn.Conv2d(PATCH**2 * seen, inside, 3, padding=1)
        self.actions = Actions(actions, inside)
        self.blocks = nn.Sequential(*[Residual(inside) for _ in range(BLOCKS)])
        self.said = (2 * layers, layers, channels, layers * several)
        self.end = nn.Conv2d(inside, PATCH**2 * sum(self.said), 1)
        with torch.no_grad():  # at first everything goes on as it did
            self.end.weight.mul_(0.1)
            self.end.bias.zero_()

    def forward(
        self, past: Tensor, motion: Motion, action: Tensor | None = None
    ) -> tuple[list[Tensor], Motion]:
        """The next frame, and what the step after it needs."""
        known = motion.flow is None
        if known:
            motion = self.begun(past, motion)
        assert motion.flow is not None
        assert motion.older is not None
        # What was said before is seen, but is not taught through what is said of it, nor by where
        # w′ is looked up: such gradients explode with the length of a rollout. They pass by the
        # sums and products that w, a and r are.
        past, last, older = past.detach(), motion.flow.detach(), motion.older.detach()
        steady, kept = motion.steady, motion.kept.detach()
        before, now = (self.each(x) for x in past.split(self.channels, 1)[-2:])
        goes = last * steady**self.damping if known and steady is not None else last
        u = onward(goes, kept)
        seen = [u / UNIT, (last - sampled(older, last)) / UNIT, (now - sampled(before, last)) / 2]
        if self.layers > 1:
            seen.append(kept)
        if steady is not None:
            seen.append(steady)
            steady = sampled(steady, u)
        centred = (past - past.mean((1, 2, 3), keepdim=True)) / 2
        x = torch.cat([centred, *(y.unflatten(0, (len(past), -1)).flatten(1, 2) for y in seen)], 1)
        x = self.begin(pixel_unshuffle(x, PATCH))
        x = self.blocks(self.actions(x, action))
        out = pixel_shuffle(self.end(smooth(x)), PATCH).float()
        delta, fades, s, owned = out.split(self.said, 1)
        delta, m = (y.unflatten(1, (self.layers, -1)).flatten(0, 1) for y in (delta, fades))
        m = (-relu(m)).exp()
        v = (u + UNIT * delta).clamp(-REACH, REACH)
        a = motion.kept
        if known and self.layers > 1:
            a = owned.softmax(1).flatten(0, 1)[:, None]
        a = m * sampled(a, v)
        share = (a + 1e-3).unflatten(0, (len(past), -1))
        share = (share / share.sum(1, keepdim=True)).flatten(0, 1)
        v_seen, m_seen = ((share * y).unflatten(0, (len(past), -1)).sum(1) for y in (v, m))
        motion = motion._replace(
            where=v + sampled(motion.where, v.detach()),
            kept=a,
            drawn=m_seen * sampled(motion.drawn, v_seen) + s,
            flow=v,
            older=last,
            steady=steady,
        )
        return [motion.frame()], motion

    def begun(self, past: Tensor, motion: Motion) -> Motion:
        """With the flow of what is known, and how steady it is, alike in all layers."""
        frames = past.split(self.channels, 1)[::-1]
        pairs = islice(pairwise(frames), 3 if self.damping else 2)
        flows = [flow(x, before).clamp(-REACH, REACH) for x, before in pairs]
        return motion._replace(
            where=self.each(motion.where),
            kept=self.each(motion.kept),
            flow=self.each(flows[0]),
            older=self.each(flows[:2][-1]),
            steady=self.each(steadiness(flows)) if self.damping else None,
        )

    def each(self, x: Tensor) -> Tensor:
        """The same for every layer, [B, …] -> [B · L, …]."""
        return x.repeat_interleave(self.layers, 0)
