"""f-GAN: objectives that bound the f-divergences of the data P and the fakes Q from below.

The bound is E_P[T] − E_Q[f*(T)] with T = g(v) of the scores v, where f* is the convex conjugate
of f and g maps the reals into its domain (Nowozin et al. 2016, eq. 7; f, g and f* are those of
the paper's tables). The discriminator maximises it, the generator minimises −E_Q[f*(T)], and with
T = f′(p/q) it is the divergence D_f(P‖Q) = E_Q[f(p/q)] itself. Here f*(g(v)) is written out, for
it stays finite where f* of a rounded g(v) does not.

In an objective's formula r and f are scores of real samples and fakes, but the f of f(u) is the
divergence's.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn.functional import softplus

from gantools.losses.objectives import Objective


def _objective(
    divergence: str,
    g: Callable[[Tensor], Tensor],
    conjugate_of_g: Callable[[Tensor], Tensor],
    formula: str,
) -> Objective:
    def discriminator(real: Tensor, fake: Tensor) -> Tensor:
        return conjugate_of_g(fake).mean() - g(real).mean()

    def generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
        return -conjugate_of_g(fake).mean()

    source = f"{divergence}: Nowozin et al. 2016"
    return Objective(
        discriminator,
        generator,
        formula,
        source,
        needs_real=False,
        joint=lambda real, fake: -discriminator(real, fake),
    )


f_kl = _objective(
    "KL(P‖Q)",
    g=lambda v: v,
    conjugate_of_g=lambda v: (v - 1).exp(),
    formula="D: −r + exp(f − 1); G: −exp(f − 1), of f(u) = u log u, g(v) = v, f*(t) = exp(t − 1)",
)

f_reverse_kl = _objective(
    "KL(Q‖P)",
    g=lambda v: -(-v).exp(),
    conjugate_of_g=lambda v: v - 1,
    formula="D: exp(−r) + f − 1; G: 1 − f, of f(u) = −log u, g(v) = −exp(−v), f*(t) = −1 − log(−t)",
)

f_pearson = _objective(
    "Pearson's χ²",
    g=lambda v: v,
    conjugate_of_g=lambda v: v.square() / 4 + v,
    formula="D: −r + f²/4 + f; G: −f²/4 − f, of f(u) = (u − 1)², g(v) = v, f*(t) = t²/4 + t",
)

f_hellinger = _objective(
    "squared Hellinger distance",
    g=lambda v: -(-v).expm1(),
    conjugate_of_g=lambda v: v.expm1(),
    formula="D: exp(−r) + exp(f) − 2; G: 1 − exp(f), of f(u) = (√u − 1)², g(v) = 1 − exp(−v), "
    "f*(t) = t/(1 − t)",
)

f_jensen_shannon = _objective(
    "Jensen–Shannon divergence, doubled",
    g=lambda v: math.log(2) - softplus(-v),
    conjugate_of_g=lambda v: softplus(v) - math.log(2),
    formula="D: sp(−r) + sp(f) − log 4; G: log 2 − sp(f), "
    "of f(u) = u log u − (u + 1) log((u + 1)/2), g(v) = log 2 − sp(−v), f*(t) = −log(2 − exp t)",
)

f_total_variation = _objective(
    "total variation",
    g=lambda v: v.tanh() / 2,
    conjugate_of_g=lambda v: v.tanh() / 2,
    formula="D: ½ tanh f − ½ tanh r; G: −½ tanh f, of f(u) = ½|u − 1|, g(v) = ½ tanh v, f*(t) = t",
)
