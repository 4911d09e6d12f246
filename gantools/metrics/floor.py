"""A metric's value beside the one that real samples have: without it no value means anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def with_floor(
    metric: Callable[[Tensor, Tensor], Any],
    train: Tensor,
    held_out: Tensor,
    fake: Tensor,
    *,
    n: int | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Measure fakes against held-out reals, and training reals against the same held-out ones.

    All three sets are cut to one size, for most metrics depend on it; samples are drawn without
    replacement. What is near the floor cannot be told from real samples by this metric at this
    size; what is below it is luck, or the metric's noise.

    Args:
        metric: of (real, fake); what it returns is passed on, one number or a dictionary.
        train: real samples that the generator learnt from, [·, …].
        held_out: real samples that it has not seen, [·, …].
        fake: the generator's, [·, …].
        n: how many of each; all of the smallest set if left out.
        seed: of the draws.

    Returns:
        ``value`` = metric(held_out, fake), ``floor`` = metric(held_out, train), ``n`` samples on
        each side, and ``seed``.

    Raises:
        ValueError: ``n`` is more than a set has.
    """
    most = min(len(train), len(held_out), len(fake))
    n = most if n is None else n
    if n > most:
        raise ValueError(f"there are {most} samples of each, not {n}")
    generator = torch.Generator().manual_seed(seed)
    real, other, made = (
        samples[torch.randperm(len(samples), generator=generator)[:n]]
        for samples in (held_out, train, fake)
    )
    return {"value": metric(real, made), "floor": metric(real, other), "n": n, "seed": seed}
