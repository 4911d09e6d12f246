"""Information in nats: how much a code tells of what it is a code of."""

from __future__ import annotations

import math

from torch import Tensor
from torch.distributions import Normal
from torch.nn.functional import cross_entropy


def categorical_information(logits: Tensor, codes: Tensor) -> Tensor:
    """E log Q(c|x) + log K: a lower bound of the mutual information of c and x = G(z, c), a scalar.

    (InfoGAN, Chen et al. 2016, eq. 5.) Generator and Q both maximise it: InfoGAN adds −λ times the
    bound to their losses, λ = 1. It reaches log K where Q always names the code, and is at most 0
    where samples tell nothing of it.

    Args:
        logits: of Q(c|x), [B, K].
        codes: the classes [B] that the samples were made of, uniform over K.
    """
    return math.log(logits.shape[1]) - cross_entropy(logits, codes)


def gaussian_information(mean: Tensor, std: Tensor, codes: Tensor) -> Tensor:
    """E log N(c; mean, std²) + K log 2: the same for K codes that are uniform on [−1, 1].

    (InfoGAN, Chen et al. 2016, section 6.) For codes of another distribution, gradients are the
    same and only the constant differs: K log 2 is the entropy of the codes. There is no upper end.

    Args:
        mean: of Q(c|x), [B, K].
        std: of Q(c|x), [B, K], positive.
        codes: [B, K], what the samples were made of.
    """
    posterior = Normal(mean, std, validate_args=False)
    return posterior.log_prob(codes).sum(1).mean() + codes.shape[1] * math.log(2)


def bottleneck_kl(mean: Tensor, std: Tensor) -> Tensor:
    """KL(N(mean, std²) ‖ N(0, 1)) of every sample in nats: [B, K], [B, K] -> [B].

    The information that a variational discriminator bottleneck holds below I_c (VAIL, Peng et al.
    2019, eq. 9): ½ Σ (mean² + std² − 1 − log std²).
    """
    return 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(1)
