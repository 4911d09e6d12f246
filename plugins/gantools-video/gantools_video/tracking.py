"""Things that move as wholes before a plain background, found without anything learned."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gantools_video.flow import flow

FARTHEST = 5
"""Pixels that anything moves from a frame to the next at most, in either direction."""
SEEN = 0.2
"""How far from the background, of 2 from black to white, a pixel is that belongs to a thing."""
TIE = 1e-3
"""By how much, a square pixel of step, a place is worse: what is not seen anywhere stays."""
EXPLAINED = 1e-4
"""The mean square error of frames, of 4 from black to white, that needs no other beginning."""
ROUNDS = 2
"""How often things are cut out and followed again."""
LLOYD = 8
"""Iterations of k-means, which settles for two clusters."""


class Tracks(NamedTuple):
    """L things in each of B films of P frames."""

    background: Tensor
    """[B, C, 1, 1]."""
    sprites: Tensor
    """What the things look like, each where it is in the last frame, about the background: 0 is
    where nothing is, [B · L, C, H, W]."""
    paths: Tensor
    """Where the pixels of the last frame were in each, int64 [B · L, P, 2], x and y beside their
    own place; 0 in the last."""
    error: Tensor
    """The mean square of what the sprites do not explain of the frames, [B]."""


@torch.no_grad()
def tracks(film: Tensor, count: int) -> Tracks:
    """Follow things through a film, and see what they look like.

    What moves alike in two frames is cut out (:func:`clusters`) and looked for in all frames by
    least squares, each time near where it was in the frame beside (:func:`paths`). The sprite is
    then what lasts in the frames, moved to where it is (:func:`lasting`): what else passed is gone
    from it. Wang & Adelson 1994, "Representing moving images with layers", section IV, take the
    median, which has both where things overlap half of the time. It is followed again. It begins
    at the end of the film; where things overlap there they cannot be told apart, so what does not
    explain the frames begins in the middle, and then at the beginning.

    Args:
        film: [B, P, C, H, W] in [−1, 1], P ≥ 2.
        count: L.
    """
    length = film.shape[1]
    found = _tracks(film, count, length - 1)
    for start in (length // 2, 1):
        rows = (found.error > EXPLAINED).nonzero()[:, 0]
        if not len(rows):
            break
        again = _tracks(film[rows], count, start)
        better = again.error < found.error[rows]
        for old, new in zip(found, again, strict=True):
            each = len(old) // len(film)
            old.unflatten(0, (-1, each))[rows[better]] = new.unflatten(0, (-1, each))[better]
    return found


def _tracks(film: Tensor, count: int, start: int) -> Tracks:
    """Begin with what moves alike between a frame and that before it."""
    background = film.transpose(1, 2).flatten(2).median(2).values[..., None, None]
    about = film - background[:, None]
    x = about[:, start]
    v = flow(film[:, start], film[:, start - 1])
    own = clusters(v, x.abs().mean(1, keepdim=True), count)
    sprites = (own[:, :, None] * x[:, None]).flatten(0, 1)
    frames = about.repeat_interleave(count, 0)
    seen = Spectra.of(about)
    for _ in range(ROUNDS):
        way = paths(sprites, seen, start)
        sprites = lasting(aligned(frames, way))
    moved = aligned(sprites[:, None].expand_as(frames), -way)
    made = in_front(moved.unflatten(0, (-1, count)).transpose(1, 2).flatten(0, 1))
    error = (made.view_as(film) - about).square().mean((1, 2, 3, 4))
    at_end = way[:, -1:]
    return Tracks(background, taken(sprites, -at_end[:, 0]), way - at_end, error)


def lasting(film: Tensor) -> Tensor:
    """What is seen at a place nearly always, [N, P, C, H, W] -> [N, C, H, W]: that value of the
    P from which but a quarter of them are nearer to the background, which is 0.

    What passes in front differs from the background more than what it hides, or could not be told
    from a thing; so it is seldom that values are too near, and often that they are too far.
    """
    rank = max(1, film.shape[1] // 4)
    at = film.abs().kthvalue(rank, 1, keepdim=True).indices
    return film.gather(1, at)[:, 0]


def clusters(v: Tensor, weight: Tensor, count: int) -> Tensor:
    """Which pixels move alike, one of ``count`` clusters for each: 0 or 1, [B, count, H, W].

    k-means by Lloyd's iteration, begun with equal parts along the flow's principal axis.

    Args:
        v: a flow, [B, 2, H, W].
        weight: of each pixel, [B, 1, H, W].
    """
    at, w = v.flatten(2).mT, weight.flatten(1)
    w = w / w.sum(1, keepdim=True).clamp(min=1e-6)
    away = at - (w[..., None] * at).sum(1, keepdim=True)
    axis = torch.linalg.eigh((w[..., None] * away).mT @ away).eigenvectors[..., -1:]
    order = (away @ axis)[..., 0].argsort(1)
    below = w.gather(1, order).cumsum(1)
    owner = torch.zeros_like(order).scatter(1, order, (count * below).long().clamp(max=count - 1))
    for _ in range(LLOYD):
        own = one_hot(owner, count) * w[..., None]
        centres = own.mT @ at / own.sum(1)[..., None].clamp(min=1e-6)
        owner = torch.cdist(at, centres).argmin(-1)
    return one_hot(owner, count).mT.reshape(len(v), count, *v.shape[2:]).to(v)


class Spectra(NamedTuple):
    """Of all frames, in which things are looked for again and again."""

    frames: Tensor
    """By ``rfft2``, [B, P, C, H, ⌊W / 2⌋ + 1]."""
    squares: Tensor
    """Of their squares, summed over the channels, [B, P, H, ⌊W / 2⌋ + 1]."""
    size: tuple[int, int]
    """H and W."""

    @classmethod
    def of(cls, film: Tensor) -> Spectra:
        """Those of films about their background, [B, P, C, H, W]."""
        squares = torch.fft.rfft2(film.square().sum(2))
        return cls(torch.fft.rfft2(film), squares, (film.shape[3], film.shape[4]))


def paths(sprites: Tensor, film: Spectra, start: int) -> Tensor:
    """Where sprites are in each frame, int64 [B · L, P, 2], x and y beside where they are given.

    Of the places within :data:`FARTHEST` of that in the frame beside, it is the one with the least
    Σ (S(p) − x(p + d))² over the pixels p in which something is seen of the sprite S; the nearest
    if many are as good. The border of a frame is taken to go on at its other side.

    Args:
        sprites: as they are in the frame ``start``, [B · L, C, H, W].
        film: of B films of P frames.
    """
    height, width = film.size
    seen = (sprites.abs().amax(1, keepdim=True) > SEEN).to(sprites)
    ours = torch.fft.rfft2(seen * sprites).unflatten(0, (len(film.frames), -1))[:, :, None].conj()
    areas = torch.fft.rfft2(seen[:, 0]).unflatten(0, (len(film.frames), -1))[:, :, None].conj()
    # Correlations: all but Σ S², which is the same everywhere.
    spectrum = areas * film.squares[:, None] - 2 * (ours * film.frames[:, None]).sum(3)
    cost = torch.fft.irfft2(spectrum, s=(height, width)).flatten(0, 1)  # [B · L, P, H, W]
    near = torch.arange(-FARTHEST, FARTHEST + 1, device=cost.device)
    far = TIE * (near.square()[:, None] + near.square())
    each = torch.arange(len(cost), device=cost.device).view(-1, 1, 1)
    found = torch.zeros(*cost.shape[:2], 2, dtype=torch.long, device=cost.device)
    for way in (range(start - 1, -1, -1), range(start + 1, cost.shape[1])):
        d = torch.zeros_like(found[:, 0])
        for t in way:
            x, y = (d[..., None] + near).unbind(1)
            around = cost[each, t, y[:, :, None] % height, x[:, None] % width] + far
            least = around.flatten(1).argmin(1)
            d = d + torch.stack([near[least % len(near)], near[least // len(near)]], 1)
            found[:, t] = d
    return found


def aligned(film: Tensor, way: Tensor) -> Tensor:
    """Every frame moved by its own way, x(p + way), [N, P, C, H, W]; 0 beyond the border."""
    return taken(film.flatten(0, 1), way.flatten(0, 1)).view_as(film)


def taken(x: Tensor, d: Tensor) -> Tensor:
    """x(p + d) for whole pixels d, int64 [N, 2]; 0 beyond the border, [N, C, H, W]."""
    height, width = x.shape[2:]
    columns, rows = (
        d[:, i : i + 1] + torch.arange(side, device=x.device)
        for i, side in enumerate((width, height))
    )
    inside = ((rows >= 0) & (rows < height))[:, :, None]
    inside = inside & ((columns >= 0) & (columns < width))[:, None]
    index = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None]
    index = index.flatten(1)[:, None].expand(-1, x.shape[1], -1)
    return x.flatten(2).gather(2, index).view_as(x) * inside[:, None]


def in_front(layers: Tensor) -> Tensor:
    """At every pixel that layer which differs most from the background, [B, L, C, H, W] ->
    [B, C, H, W]."""
    front, *others = layers.unbind(1)
    for other in others:
        nearer = other.square().sum(1, keepdim=True) > front.square().sum(1, keepdim=True)
        front = torch.where(nearer, other, front)
    return front
