"""Captions to vectors: what text encoders have in common, and paths between two sentences."""

from __future__ import annotations

import hashlib
import json

import torch
from torch import Tensor, nn
from torch.nn import functional

from gantools.data import cached


class TextEncoder(nn.Module):
    """Turns captions into vectors.

    Attributes:
        width: numbers in a sentence's vector.
        key: name and version of an encoder that never changes and whose embeddings are worth
            keeping; ``None`` of one that learns, or that has them at hand.
    """

    width: int
    key: str | None = None

    def encode(self, captions: list[str]) -> Tensor:
        """Return float32 [B, width], a row for each caption, on the encoder's device.

        Raises:
            ValueError: a caption is empty or blank.
        """
        raise NotImplementedError

    def known(self, caption: str) -> tuple[int, int]:
        """How many of a caption's words the encoder reads, and how many there are."""
        words = len(caption.split())
        return words, words


def checked(captions: list[str]) -> list[str]:
    """Return captions as text that can be written in UTF-8; bytes that were no text become "?".

    Raises:
        ValueError: a caption is empty or blank.
    """
    for row, caption in enumerate(captions):
        if not caption.strip():
            raise ValueError(f"caption {row + 1} of {len(captions)} is empty: say what to draw")
    return [caption.encode("utf-8", "replace").decode("utf-8") for caption in captions]


def embed(captions: list[str], encoder: TextEncoder) -> Tensor:
    """Return ``encoder.encode(captions)``, made once for this set of captions and cached.

    The cache's name has the encoder's key and a hash of the different captions, so neither their
    order nor repetitions matter. Encoders without a key are asked each time.

    Args:
        captions: all of a data set, in any order, repeated or not.

    Returns:
        Tensor: float32 [N, width] on the CPU, in the order of ``captions``.

    Raises:
        ValueError: a caption is empty or blank.
    """
    captions = checked(captions)
    distinct = sorted(set(captions))

    def make() -> dict[str, Tensor]:
        with torch.no_grad():
            return {"embeddings": encoder.encode(distinct).cpu()}

    if encoder.key is None:
        rows = make()["embeddings"]
    else:
        digest = hashlib.sha256(json.dumps(distinct).encode()).hexdigest()[:32]
        rows = cached(f"text-{encoder.key}-{digest}", make)["embeddings"]
    place = {caption: row for row, caption in enumerate(distinct)}
    return rows[[place[caption] for caption in captions]]


def interpolate(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """Go from one sentence to another along the great circle, at constant angular speed.

    sin((1−t)ω)/sin ω · a + sin(tω)/sin ω · b, ω the angle between them (Shoemake 1985, section
    3.3); with sinc in place of sin it holds at ω = 0 too.

    Args:
        a: where to start, [width]; of unit length, as all on the way then are.
        b: where to end, [width].
        steps: how many vectors, both ends among them; at least 2.

    Returns:
        Tensor: [steps, width]; the first is ``a`` and the last is ``b``, exactly.

    Raises:
        ValueError: fewer than 2 steps, or ``a`` and ``b`` are opposite: no way is the shortest.
    """
    if steps < 2:
        raise ValueError(f"an interpolation has its two ends at least, not {steps} steps")
    towards_a, towards_b = functional.normalize(a, dim=0), functional.normalize(b, dim=0)
    apart, together = (towards_a - towards_b).norm(), (towards_a + towards_b).norm()
    if together < 1e-4:
        raise ValueError("the two ends are opposite: no way between them is the shortest")
    turns = 2 * torch.atan2(apart, together) / torch.pi  # ω/π; exact for small angles, unlike acos
    t = torch.linspace(0, 1, steps, dtype=a.dtype, device=a.device)[:, None]
    of_a, of_b = ((u * torch.sinc(u * turns) / torch.sinc(turns)) for u in (1 - t, t))
    return of_a * a + of_b * b
