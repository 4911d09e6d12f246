"""Improved techniques for training GANs (Salimans et al. 2016), as far as they are losses.

Their one-sided label smoothing is the objective :func:`gantools.losses.label_smoothing`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, softplus


def feature_matching(real: Tensor, fake: Tensor) -> Tensor:
    """‖E h(x) − E h(G(z))‖² of features [B, …] and [B′, …], the generator's loss (section 3.1).

    h is a layer of the discriminator: the real ones need no graph.
    """
    return (real.mean(0) - fake.mean(0)).square().sum()


class HistoricalAverage(nn.Module):
    """‖θ − (1/t) Σ θᵢ‖², how far parameters are from the mean of what they were (section 3.3).

    Every call counts as one time t, so call it once a turn. The mean takes in the present
    parameters and is a constant to the gradient; at the first call the penalty is zero. It is kept
    in buffers, so it is part of the module's state.

    Args:
        player: a module or gradient player, whose ``parameters()`` are averaged.
    """

    mean: Tensor
    times: Tensor

    def __init__(self, player: Any) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros_like(_parameters(player).detach()))
        self.register_buffer("times", torch.zeros((), dtype=torch.int64))

    def forward(self, player: Any) -> Tensor:
        """The penalty, a scalar, of the player's parameters as they are now."""
        parameters = _parameters(player)
        self.to(parameters.device)
        self.times += 1
        self.mean += (parameters.detach() - self.mean) / self.times
        return (parameters - self.mean).square().sum()


def _parameters(player: Any) -> Tensor:
    return torch.cat([p.flatten() for p in player.parameters()])


def real_score(logits: Tensor) -> Tensor:
    """log Z = log Σₖ exp lₖ of class logits [B, K], [B]: the logit of D(x) = Z/(Z + 1).

    A classifier of K classes of real samples is a discriminator whose class K + 1, fake, has the
    logit 0 (section 5). With this score it can play any objective.
    """
    return logits.logsumexp(1)


def semi_supervised(
    labelled: Tensor, labels: Tensor, unlabelled: Tensor, fake: Tensor
) -> dict[str, Tensor]:
    """What a classifier of K classes minimises if it is also the discriminator (section 5).

    supervised: −E log p(y|x, y ≤ K); real: −E log D(x), D = Z/(Z + 1); fake: −E log(1 − D(G(z))).
    Where all real samples are labelled, the sum is the cross-entropy of a softmax over K + 1
    classes whose last logit is 0.

    Args:
        labelled: logits [B, K] of real samples whose class is known.
        labels: their classes [B].
        unlabelled: logits [B′, K] of real samples.
        fake: logits [B″, K] of fakes.
    """
    return {
        "supervised": cross_entropy(labelled, labels),
        "real": softplus(-real_score(unlabelled)).mean(),
        "fake": softplus(real_score(fake)).mean(),
    }
