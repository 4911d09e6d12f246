"""What tells whether a picture shows its caption: shares of right answers, variety, skin tone."""

from __future__ import annotations

import torch
from torch import Tensor

SKIN = "fadcbc debb90 c19a65 a57939 6a462f"
"""OpenMoji's colours of skin, tone 0 (light) to 4 (dark)."""
OTHERS = (
    "000000 ffffff 3f3f3f 9b9b9a d0cfce 352318 fcea2b f1b31c f4aa41 e27022 ea5a47 d22f27 "
    "781e32 ffa7c0 e67a94 b399c8 8967aa 92d3f5 61b2e4 1e50a0 b1cc33 5c9e31 186648"
)
"""The rest of OpenMoji's palette."""
TONES = 5
NEAR = 25.0
"""How far from a colour of skin a pixel may be: Euclidean, of levels 0 to 255."""
PART = 0.15
"""Of the pixels of skin, the share that a tone has at least if it is the picture's."""


def distractors(
    names: list[str], own: Tensor, generator: torch.Generator | None = None, count: int = 99
) -> Tensor:
    """Draw other candidates than the own one for each of B questions: rows of ``names``.

    Drawn uniformly without replacement, but for rows of the same name as the own one.

    Args:
        names: what candidates go by, N of them.
        own: each question's own row, int64 [B].
        generator: draws them.
        count: how many; fewer if there are not so many.

    Returns:
        int64 [B, K], where K is ``count`` or, if less, the fewest other names that a row has.

    Raises:
        ValueError: a row has no other name to be told from.
    """
    first = {name: row for row, name in reversed(list(enumerate(names)))}
    number = torch.tensor([first[name] for name in names])
    same = number[own][:, None] == number
    count = min(count, len(names) - int(same.sum(1).max()))
    if count < 1:
        raise ValueError("candidates need two different names")
    order = torch.rand(same.shape, generator=generator).masked_fill(same, torch.inf)
    return order.topk(count, largest=False).indices


def r_precision(own: Tensor, others: Tensor) -> float:
    """Return the share of questions to which the own candidate scores highest (R-precision, R = 1).

    As in AttnGAN (Xu et al. 2018, section 4), a picture is the question and 100 captions are the
    candidates; with pictures as candidates for a caption it is recall at 1. Where the own one
    is tied with m others at the top it counts 1 / (m + 1), as if one of them was picked at random:
    a judge that says the same of all gets chance.

    Args:
        own: scores of the own candidate, [B].
        others: scores of the other ones, [B, K].

    Returns:
        A share in [0, 1]; chance is 1 / (K + 1).

    Raises:
        ValueError: no questions, or none to choose from.
    """
    if not others.numel():
        raise ValueError("R-precision needs questions, and candidates to choose from")
    own = own.unsqueeze(1)
    beaten = (others > own).any(1)
    tied = (others == own).sum(1)
    return ((~beaten).double() / (1 + tied)).mean().item()


def diversity_ratio(fake: Tensor, real: Tensor) -> float:
    """Return how much fakes of one caption vary, as a ratio of how much real pictures of it do.

    The variety is the Euclidean distance of two pictures of one caption, the mean over all pairs
    and captions: 0 for a generator that ignores its code, 1 for one that varies as real ones do.

    Args:
        fake: V pictures, or their features, of each of C captions, [C, V, …].
        real: as many of the same captions or not, [C′, V′, …].

    Raises:
        ValueError: fewer than two of a caption, or real ones that do not vary at all.
    """
    among_real = _variety(real)
    if among_real == 0:
        raise ValueError("the real pictures of a caption do not vary")
    return _variety(fake) / among_real


def _variety(variants: Tensor) -> float:
    number = variants.shape[1]
    if number < 2:
        raise ValueError("variety needs two pictures of each caption")
    flat = variants.flatten(2).double()
    exact = "donot_use_mm_for_euclid_dist"
    distances = [torch.cdist(its, its, compute_mode=exact).sum() for its in flat]
    return (torch.stack(distances).mean() / (number * (number - 1))).item()


def skin_shares(images: Tensor) -> Tensor:
    """Return the share of pixels that have each of OpenMoji's five colours of skin.

    A pixel counts where that colour is the nearest of OpenMoji's palette and at most 25 levels
    off. Hair and wood have the same browns as the two darkest tones, so a share is not only skin.

    Args:
        images: [B, 3, S, S], float in [−1, 1] or uint8.

    Returns:
        [B, 5], tone 0 (light) to 4 (dark), in [0, 1].
    """
    if images.is_floating_point():
        images = (images + 1) * 127.5
    palette = list(bytes.fromhex(f"{SKIN} {OTHERS}"))
    colours = torch.tensor(palette, device=images.device).view(-1, 3).float()
    pixels = images.float().flatten(2).transpose(1, 2)
    distance, nearest = torch.cdist(pixels, colours).min(2)
    nearest[distance > NEAR] = TONES
    return torch.stack([(nearest == tone).double().mean(1) for tone in range(TONES)], dim=1)


def skin_tone(images: Tensor) -> Tensor:
    """Measure the skin tone of pictures in OpenMoji's colours, [B, 3, S, S] -> int64 [B].

    It is the lightest tone that has at least 15 % of the pixels in colours of skin. Not the most
    frequent: OpenMoji gives light skin hair of the colour of medium-dark skin, and medium skin
    hair of that of dark skin, while things on dark skin are seldom of a lighter one.

    Args:
        images: float in [−1, 1] or uint8.

    Returns:
        Tones 0 (light) to 4 (dark); −1 without a pixel of skin.
    """
    shares = skin_shares(images)
    every = shares.sum(1, keepdim=True)
    lightest = (shares >= PART * every).int().argmax(1)
    return torch.where(every.squeeze(1) > 0, lightest, -1)
