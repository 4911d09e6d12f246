"""How many of the known modes samples have found, and how evenly they are spread over them."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def mode_statistics(samples: Tensor, centres: Tensor, std: float) -> dict[str, float]:
    """What samples [N, d] have found of a mixture: ``mode_statistics(fakes, *mixture)``.

    A sample is of high quality if it is within 3 ``std`` of the nearest centre; in the plane,
    1 − e^−4.5 = 0.989 of real ones are. Papers use 2,500 samples.

    Args:
        samples: [N, d], N at least 1.
        centres: of the mixture's Gaussians, [M, d]; each should get N / M samples.
        std: of each Gaussian.

    Returns:
        - ``modes``: centres nearest to at least one sample of high quality, which is what the
          literature counts as captured (Srivastava et al. 2017, VEEGAN; Lin et al. 2018, PacGAN).
          One stray sample is enough, so it flatters.
        - ``modes_with_half_share``: centres with at least half their due share of samples of high
          quality, N / 2M of them.
        - ``high_quality``: the share of samples of high quality.
        - ``spread``: the standard deviation of those samples about their centres, in a direction,
          over ``std``; real ones have 0.974 in the plane. High quality alone is had most easily by
          points that sit in the middle of their modes.
        - ``kl``: KL(samples' shares over the modes ‖ uniform) in nats, every sample counted for
          its nearest centre; ln M if all are at one. Real samples have about (M − 1) / 2N.

    Raises:
        ValueError: no samples.
    """
    distances, nearest = torch.cdist(samples, centres).min(1)
    good = distances < 3 * std
    counts = nearest.bincount(minlength=len(centres))
    good_counts = nearest[good].bincount(minlength=len(centres))
    return {
        **_found(good_counts, len(samples)),
        "high_quality": good.double().mean().item(),
        "spread": (distances[good].double().square().mean() / samples.shape[1]).sqrt().item() / std
        if good.any()
        else 0.0,
        "kl": _kl_to_uniform(counts),
    }


def label_statistics(labels: Tensor, classes: int) -> dict[str, float]:
    """What samples have found of the modes that a classifier tells apart.

    As on Stacked MNIST, where a sample has three digits, one a channel, and its label is
    ``100 * a + 10 * b + c`` of what the classifier takes them for: 1,000 modes, which papers
    judge by 26,000 samples (Srivastava et al. 2017; Lin et al. 2018). A classifier calls noise a
    digit, too: report the quality of samples beside it.

    Args:
        labels: int64 [N], 0 to classes − 1, N at least 1.
        classes: how many modes there are; real samples should have each as often.

    Returns:
        ``modes`` (labels seen at all), ``modes_with_half_share`` (at least N / 2·classes times)
        and ``kl`` (nats), as in :func:`mode_statistics`.

    Raises:
        ValueError: no labels, or one that is out of range.
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"labels should be from 0 to {classes - 1}")
    counts = labels.bincount(minlength=classes)
    return {**_found(counts, len(labels)), "kl": _kl_to_uniform(counts)}


def _found(counts: Tensor, samples: int) -> dict[str, float]:
    half_share = samples / len(counts) / 2
    return {
        "modes": int((counts > 0).sum()),
        "modes_with_half_share": int((counts >= half_share).sum()),
    }


def _kl_to_uniform(counts: Tensor) -> float:
    """KL(shares ‖ uniform) = ln M − H(shares), in nats."""
    if not counts.sum():
        raise ValueError("statistics of modes need samples")
    shares = counts.double() / counts.sum()
    return math.log(len(counts)) + torch.special.xlogy(shares, shares).sum().item()
