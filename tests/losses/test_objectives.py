"""Objectives against their formulas, and where their optimum lies."""

from __future__ import annotations

import math

import pytest
import torch

from gantools import losses
from gantools.losses import classification
from gantools.plugins import Plugins

PARTS = Plugins(installed=False)
R, F = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([-0.7, 0.4, 1.5])


def sp(x: float) -> float:
    return math.log1p(math.exp(x))


def mean(function, *columns) -> float:
    return sum(function(*row) for row in zip(*(c.tolist() for c in columns), strict=True)) / 3


FORMULAS = {
    "minimax": (lambda r, f: sp(-r) + sp(f), lambda r, f: math.log(1 - 1 / (1 + math.exp(-f)))),
    "non-saturating": (lambda r, f: sp(-r) + sp(f), lambda r, f: sp(-f)),
    "least-squares": (lambda r, f: (r - 1) ** 2 + f**2, lambda r, f: (f - 1) ** 2),
    "hinge": (lambda r, f: max(0, 1 - r) + max(0, 1 + f), lambda r, f: -f),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic": (lambda r, f: sp(f - r), lambda r, f: sp(r - f)),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    discriminator, generator = FORMULAS[name]
    objective = PARTS.part("objectives", name)
    assert objective.discriminator(R, F).item() == pytest.approx(
        mean(discriminator, R, F), rel=1e-5
    )
    assert objective.generator(F, R).item() == pytest.approx(mean(generator, R, F), rel=1e-5)


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_the_optimal_discriminator_is_the_density_ratio(name):
    # Real samples say 1 three times as often as fakes do: the optimum is D = 3/4, logit log 3.
    logit = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.SGD([logit], lr=0.5)
    for _ in range(500):
        optimizer.zero_grad()
        loss = 3 * torch.nn.functional.softplus(-logit) + torch.nn.functional.softplus(logit)
        loss.backward()
        optimizer.step()
    real, fake = logit.detach().expand(3), logit.detach().expand(1)
    assert logit.item() == pytest.approx(math.log(3), abs=1e-4)
    assert PARTS.part("objectives", name).discriminator(real, fake) == pytest.approx(
        sp(-math.log(3)) + sp(math.log(3))
    )


def test_relativistic_generator_needs_real_scores():
    with pytest.raises(TypeError, match="real"):
        losses.relativistic.generator(F)


def test_classification_is_half_the_sum_less_entropy():
    zero = torch.zeros(4)
    assert classification(zero, zero).item() == pytest.approx(math.log(2))
    assert classification(zero, zero, entropy=0.5).item() == pytest.approx(0.5 * math.log(2))
