"""Which Gaussians of a mixture some points have found: of gantools' own sources of mixtures."""

from __future__ import annotations

from torch import Tensor

from gantools.data.gaussians import MIXTURES
from gantools.metrics import mode_statistics


def found(points: Tensor, data: str) -> dict[str, float]:
    """What points [N, 2] have found of the Gaussians; nothing where these are not known.

    Returns:
        ``good_share``, the share of points within three standard deviations of a centre (0.989 of
        real ones are), and ``modes``, how many Gaussians have at least half of their due share of
        good points.
    """
    if data not in MIXTURES:
        return {}
    statistics = mode_statistics(points, *MIXTURES[data])
    return {
        "modes": statistics["modes_with_half_share"],
        "good_share": statistics["high_quality"],
    }
