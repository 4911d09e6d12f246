"""f-GAN: on discrete distributions the bound's expected values are exact, and so is its optimum."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gantools.losses import Objective, minimax
from gantools.plugins import Plugins

PARTS = Plugins(installed=False)

# Probabilities of three points, and eight samples in exactly these frequencies, as indices.
P, Q = (torch.tensor(counts).double() / 8 for counts in ([1, 2, 5], [3, 3, 2]))
REAL, FAKE = torch.tensor([0, 1, 1, 2, 2, 2, 2, 2]), torch.tensor([0, 0, 0, 1, 1, 1, 2, 2])
U = P / Q

# The paper's tables: f, f′, the activation g_f and its inverse, the conjugate f*.
TABLE = {
    "f-kl": (
        lambda u: u * u.log(),
        lambda u: 1 + u.log(),
        lambda v: v,
        lambda t: t,
        lambda t: (t - 1).exp(),
    ),
    "f-reverse-kl": (
        lambda u: -u.log(),
        lambda u: -1 / u,
        lambda v: -(-v).exp(),
        lambda t: -(-t).log(),
        lambda t: -1 - (-t).log(),
    ),
    "f-pearson": (
        lambda u: (u - 1) ** 2,
        lambda u: 2 * (u - 1),
        lambda v: v,
        lambda t: t,
        lambda t: t**2 / 4 + t,
    ),
    "f-hellinger": (
        lambda u: (u.sqrt() - 1) ** 2,
        lambda u: 1 - u.rsqrt(),
        lambda v: 1 - (-v).exp(),
        lambda t: -(1 - t).log(),
        lambda t: t / (1 - t),
    ),
    "f-jensen-shannon": (
        lambda u: u * u.log() - (u + 1) * ((1 + u) / 2).log(),
        lambda u: (2 * u / (1 + u)).log(),
        lambda v: math.log(2) - (1 + (-v).exp()).log(),
        lambda t: -(2 * (-t).exp() - 1).log(),
        lambda t: -(2 - t.exp()).log(),
    ),
    "f-total-variation": (
        lambda u: (u - 1).abs() / 2,
        lambda u: (u - 1).sign() / 2,
        lambda v: v.tanh() / 2,
        lambda t: (2 * t).atanh().clamp(-30, 30),
        lambda t: t,
    ),
}


def kl(p: Tensor, q: Tensor) -> Tensor:
    return (p * (p / q).log()).sum()


# The divergences in closed form.
DIVERGENCES = {
    "f-kl": kl(P, Q),
    "f-reverse-kl": kl(Q, P),
    "f-pearson": ((P - Q) ** 2 / Q).sum(),
    "f-hellinger": ((P.sqrt() - Q.sqrt()) ** 2).sum(),
    "f-jensen-shannon": kl(P, (P + Q) / 2) + kl(Q, (P + Q) / 2),
    "f-total-variation": (P - Q).abs().sum() / 2,
}


def bound(objective: Objective, scores: Tensor) -> Tensor:
    """The lower bound of the divergence of P and Q at scores [3] of the three points."""
    return -objective.discriminator(scores[REAL], scores[FAKE])


@pytest.mark.parametrize("name", TABLE)
def test_at_the_optimal_scores_the_bound_is_the_divergence(name):
    _, slope, _, inverse, _ = TABLE[name]
    value = bound(PARTS.part("objectives", name), inverse(slope(U)))
    assert value.item() == pytest.approx(DIVERGENCES[name].item(), rel=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_the_bound_is_that_of_the_table_at_any_scores(name):
    f, _, g, _, conjugate = TABLE[name]
    objective = PARTS.part("objectives", name)
    for scores in 2 * torch.randn(20, 3, generator=torch.Generator().manual_seed(0)).double():
        t = g(scores)
        value = bound(objective, scores)
        assert value.item() == pytest.approx(((P * t).sum() - (Q * conjugate(t)).sum()).item())
        assert value <= (Q * f(U)).sum() + 1e-12
        assert objective.generator(scores[FAKE]).item() == pytest.approx(
            -(Q * conjugate(t)).sum().item()
        )


@pytest.mark.parametrize("name", [name for name in TABLE if name != "f-total-variation"])
def test_maximising_the_bound_finds_the_divergence_and_the_density_ratio(name):
    _, slope, _, inverse, _ = TABLE[name]
    objective = PARTS.part("objectives", name)
    scores = torch.zeros(3, dtype=torch.double, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = -bound(objective, scores)
        loss.backward()
        return loss

    optimizer.step(closure)
    assert bound(objective, scores).item() == pytest.approx(DIVERGENCES[name].item(), abs=1e-8)
    assert scores.tolist() == pytest.approx(inverse(slope(U)).tolist(), abs=1e-3)


def test_jensen_shannon_is_minimax_less_a_constant():
    scores = torch.tensor([0.3, -1.2, 2.0])
    ours = PARTS.part("objectives", "f-jensen-shannon")
    theirs = minimax.discriminator(scores, -scores) - 2 * math.log(2)
    assert torch.allclose(ours.discriminator(scores, -scores), theirs)


@pytest.mark.parametrize("name", ["f-jensen-shannon", "f-hellinger", "f-reverse-kl"])
def test_the_conjugate_stays_finite_where_the_activation_is_rounded(name):
    scores = torch.tensor([60.0], requires_grad=True)  # g(60) is the end of its range in 32 bits
    loss = PARTS.part("objectives", name).generator(scores)
    (gradient,) = torch.autograd.grad(loss, scores)
    assert loss.isfinite()
    assert gradient.isfinite()
    assert gradient.abs() > 0.5
