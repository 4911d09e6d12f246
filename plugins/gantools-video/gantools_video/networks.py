"""The networks: three ways to the next frame, and a discriminator of a few frames in a row.

Frames are [B, C, H, W] in [−1, 1], H and W multiples of :data:`STRIDE`. What predicts takes the
last P frames one behind the other in the channels, [B, P · C, H, W], and gives the next: at the
scales that it has, the full one last.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    avg_pool2d,
    gelu,
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
    relu,
)

from gantools_video.flow import flow
from gantools_video.sampling import sampled, splatted

STRIDE = 8
"""From one place of a code to the next, in pixels."""
SLOPE = 0.2
"""Of the activation, below 0."""
PATCH = 4
"""Side of the squares of pixels that ``warp`` looks at."""
BLOCKS = 5
"""Of its residual blocks: it sees about 90 pixels."""
UNIT = 4.0
"""Pixels of motion that its network calls 1."""
REACH = 32.0
"""Pixels that anything moves in a step at most, in either direction."""
AROUND = 15
"""Side of the square in which it is looked how steady motion is, pixels."""
STILL = 0.02
"""Square pixels of motion in a step that are as good as none."""


class Motion(NamedTuple):
    """What a rollout hands from step to step beside the frames.

    What moves are L layers of the last known frame, one behind the other in the batch.
    """

    source: Tensor
    """x₀, the last known frame, [B, C, H, W]."""
    mean: Tensor
    """μ, of what is known, [B, 1, 1, 1]; what is not kept fades to it."""
    where: Tensor
    """w, where in it each pixel of the present frame came from, [B · L, 2, H, W], x and y in pixels
    beside its own place."""
    kept: Tensor
    """a, how much of what came from there is seen, [B · L, 1, H, W]."""
    drawn: Tensor
    """r, what is added to it, [B, C, H, W]."""
    flow: Tensor | None = None
    """v, where in the frame before each pixel came from, as ``where``; None in what is known."""
    older: Tensor | None = None
    """v of the step before."""
    steady: Tensor | None = None
    """c, how steady the motion was in what is known, [B · L, 1, H, W] in [0, 1]."""

    @classmethod
    def begun(cls, past: Tensor, channels: int) -> Motion:
        """That of the last known frame itself, of frames [B, P · C, H, W]."""
        source = past[:, -channels:]
        mean, still = past.mean((1, 2, 3), keepdim=True), torch.zeros_like(past[:, :2])
        return cls(source, mean, still, torch.ones_like(still[:, :1]), torch.zeros_like(source))

    def frame(self) -> Tensor:
        """μ + Σ a(p) (x₀ − μ)(p + w(p)) + r(p) over the layers, [B, C, H, W]."""
        layers = len(self.where) // len(self.source)
        source = (self.source - self.mean).repeat_interleave(layers, 0)
        moved = self.kept * sampled(source, self.where, "bicubic")
        seen = moved.unflatten(0, (-1, layers)).sum(1)
        return (self.mean + seen + self.drawn).clamp(-1, 1)


def leaky() -> nn.LeakyReLU:
    """The activation of all networks."""
    return nn.LeakyReLU(SLOPE)


def block(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution of 3 × 3 and its activation, which keep the size of signals (He et al. 2015,
    "Delving deep into rectifiers", eq. 15): with torch's own start a dozen make them vanish."""
    conv = nn.Conv2d(inputs, outputs, 3, stride, 1)
    nn.init.kaiming_normal_(conv.weight, SLOPE)
    conv.bias.data.zero_()
    return nn.Sequential(conv, leaky())


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


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))), the second convolution 0 at first (He et al. 2016, "Identity
    mappings in deep residual networks")."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> the same."""
        return x + self.second(gelu(self.first(gelu(x))))


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
        last, older, steady = motion.flow, motion.older, motion.steady
        assert last is not None
        assert older is not None
        before, now = (self.each(x) for x in past.split(self.channels, 1)[-2:])
        goes = last * steady**self.damping if known and steady is not None else last
        u = onward(goes, motion.kept)
        seen = [u / UNIT, (last - sampled(older, last)) / UNIT, (now - sampled(before, last)) / 2]
        if self.layers > 1:
            seen.append(motion.kept)
        if steady is not None:
            seen.append(steady)
            steady = sampled(steady, u)
        centred = (past - past.mean((1, 2, 3), keepdim=True)) / 2
        x = torch.cat([centred, *(y.unflatten(0, (len(past), -1)).flatten(1, 2) for y in seen)], 1)
        x = self.begin(pixel_unshuffle(x, PATCH))
        x = self.blocks(self.actions(x, action))
        out = pixel_shuffle(self.end(gelu(x)), PATCH).float()
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
            where=v + sampled(motion.where, v),
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


def onward(v: Tensor, kept: Tensor) -> Tensor:
    """The flow of the next step if everything goes on as it did, [B, 2, H, W].

    A pixel at p was at p + v(p) and will be at p − v(p), where it takes its flow along; of several
    that arrive the faster is in front, by a factor e a pixel, and by how much of it is seen. Where
    nothing arrives, which is what becomes visible, it is the flow of where that came from:
    v(p + v(p)).

    Args:
        v: [B, 2, H, W], pixels.
        kept: how much of a pixel is seen, [B, 1, H, W].
    """
    front = v.norm(dim=1, keepdim=True) + kept.detach().clamp(min=1e-3).log()
    thrown, weight = splatted(v, -v, front)
    there = (2 * weight).clamp(max=1)
    return there * thrown + (1 - there) * sampled(v, v)


def steadiness(flows: Sequence[Tensor]) -> Tensor:
    """What part of its motion a place is expected to keep, [B, 1, H, W] in [0, 1].

    It is c of the least squares of vₜ ≈ c vₜ₋₁ over some last flows, each followed to where it has
    gone, and over the :data:`AROUND` pixels around a place: 1 of what moves evenly, 0 of what
    shakes or begins to move. Of a single flow nobody knows: 1.

    Args:
        flows: v of the last step first, [B, 2, H, W] each.
    """
    if len(flows) == 1:
        return torch.ones_like(flows[0][:, :1])
    both = square = torch.zeros_like(flows[0][:, :1])
    newer = path = flows[0]
    for v in flows[1:]:
        older = sampled(v, path)
        both = both + (newer * older).sum(1, keepdim=True)
        square = square + older.square().sum(1, keepdim=True)
        newer, path = older, path + older
    around = [
        avg_pool2d(x, AROUND, 1, AROUND // 2, count_include_pad=False) for x in (both, square)
    ]
    return (around[0] / (around[1] + STILL)).clamp(0, 1)


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
        self, past: Tensor, motion: Motion, action: Tensor | None = None
    ) -> tuple[list[Tensor], Motion]:
        """The next frame; the motion is handed on as it is."""
        code = self.actions(self.encoder(past), action)
        return [self.first(code)], motion

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
        self, past: Tensor, motion: Motion, action: Tensor | None = None
    ) -> tuple[list[Tensor], Motion]:
        """The next frame at ⅛, ¼, ½ of the size and in full; the motion is handed on as it is."""
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
        return made, motion


NETWORKS = {"warp": Warp, "feedback": Feedback, "mathieu": Pyramid}


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
        width: of its first layers.
        actions: numbers that say what an agent does; 0: there is none.
        damping: of :class:`Warp`; the others have none.
        layers: the same.
    """
    more = {"damping": damping, "layers": layers} if game == "warp" else {}
    return NETWORKS[game](channels, past, width, actions, **more)


class Actions(nn.Module):
    """Adds what an agent does, [B, A], to a map; nothing if there are no actions."""

    def __init__(self, actions: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(actions, channels), leaky()) if actions else None

    def forward(self, code: Tensor, action: Tensor | None) -> Tensor:
        """[B, channels, h, w] -> the same."""
        if self.layers is None:
            return code
        assert action is not None
        return code + self.layers(action)[:, :, None, None]


class Discriminator(nn.Module):
    """Scores films by all of their stretches of a few frames, [B, T, C, H, W] -> [B, scores].

    Args:
        channels: of a frame.
        frames: of a stretch.
        width: of the first layer.
        layers: how often it halves the frames' sides.
    """

    def __init__(self, channels: int, frames: int, width: int, layers: int = 3) -> None:
        super().__init__()
        self.frames = frames
        halved: list[nn.Module] = []
        inputs = channels * frames
        for i in range(layers):
            outputs = width * 2**i
            halved += [nn.Conv2d(inputs, outputs, 4, 2, 1), leaky()]
            inputs = outputs
        self.look = nn.Sequential(*halved, nn.Conv2d(inputs, 1, 3, padding=1))

    def forward(self, film: Tensor) -> Tensor:
        """Scores of patches; of about 40 pixels if it halves thrice."""
        stretches = film.unfold(1, self.frames, 1).movedim(-1, 2)  # [B, N, frames, C, H, W]
        return self.look(stretches.flatten(2, 3).flatten(0, 1)).view(len(film), -1)


def scaled(x: Tensor, factor: int) -> Tensor:
    """Frames [..., H, W] at 1/factor of their size: means of squares."""
    return x if factor == 1 else avg_pool2d(x.flatten(0, -4), factor).unflatten(0, x.shape[:-3])
