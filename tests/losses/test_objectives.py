"""Objectives against their formulas, and where their optimum lies."""

from __future__ import annotations

import math

import pytest
import torch

from gantools import losses
from gantools.losses import Objective, classification, label_smoothing
from gantools.plugins import Plugins

PARTS = Plugins(installed=False)
R, F = torch.tensor([0.3, -1.2, 2.0]), torch.tensor([-0.7, 0.4, 1.5])
MEAN_R, MEAN_F = R.mean().item(), F.mean().item()


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
    "relativistic-average": (
        lambda r, f: sp(MEAN_F - r) + sp(f - MEAN_R),
        lambda r, f: sp(MEAN_R - f) + sp(r - MEAN_F),
    ),
}


def named(name: str) -> Objective:
    """The objective of a name; a factory gives that of its defaults."""
    part = PARTS.part("objectives", name)
    return part if isinstance(part, Objective) else part()


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    discriminator, generator = FORMULAS[name]
    objective = named(name)
    assert objective.discriminator(R, F).item() == pytest.approx(
        mean(discriminator, R, F), rel=1e-5
    )
    assert objective.generator(F, R).item() == pytest.approx(mean(generator, R, F), rel=1e-5)


@pytest.mark.parametrize("name", PARTS.names("objectives"))
def test_every_objective_says_what_it_is_and_where_it_is_from(name):
    objective = named(name)
    assert objective.formula.startswith("D: ")
    assert "; G: " in objective.formula
    assert any(digits in objective.source for digits in ("201", "202"))


def optimum(objective: Objective, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """The scores of each point that the discriminator's loss is least at.

    real and fake are the points' indices in samples: the more often, the likelier.
    """
    scores = torch.zeros(int(max(real.max(), fake.max())) + 1, dtype=torch.double)
    scores.requires_grad_(True)
    optimizer = torch.optim.LBFGS([scores], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = objective.discriminator(scores[real], scores[fake])
        loss.backward()
        return loss

    optimizer.step(closure)
    return scores.detach()


# Two points: real samples are at the first three times of four, fakes once of two.
REAL, FAKE = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1])


@pytest.mark.parametrize("name", ["minimax", "non-saturating"])
def test_the_optimal_discriminator_is_the_density_ratio(name):
    scores = optimum(named(name), REAL, FAKE)
    assert scores.tolist() == pytest.approx([math.log(1.5), math.log(0.5)], abs=1e-4)


@pytest.mark.parametrize("alpha", [0.9, 0.6])
def test_smoothing_labels_scales_the_optimal_discriminator(alpha):
    scores = optimum(label_smoothing(alpha), REAL, FAKE)
    expected = [alpha * p / (p + q) for p, q in [(0.75, 0.5), (0.25, 0.5)]]
    assert scores.sigmoid().tolist() == pytest.approx(expected, abs=1e-5)


def test_label_smoothing_is_torchs_cross_entropy_with_its_target():
    targets = torch.full_like(R, 0.9), torch.zeros_like(F)
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    theirs = bce(R, targets[0]) + bce(F, targets[1])
    assert torch.allclose(named("label-smoothing").discriminator(R, F), theirs)
    assert torch.equal(label_smoothing().generator(F), losses.non_saturating.generator(F))


@pytest.mark.parametrize("alpha", [0.0, 1.1, -0.9])
def test_a_target_that_is_no_probability_is_refused(alpha):
    with pytest.raises(ValueError, match="alpha"):
        label_smoothing(alpha)


def test_scores_may_be_shifted_where_only_differences_count():
    for name in ("relativistic", "relativistic-average"):
        objective = named(name)
        assert torch.allclose(objective.discriminator(R, F), objective.discriminator(R + 5, F + 5))
        assert torch.allclose(objective.generator(F, R), objective.generator(F + 5, R + 5))


@pytest.mark.parametrize("name", PARTS.names("objectives"))
def test_an_objective_says_whether_its_generator_needs_real_scores(name):
    objective = named(name)
    assert objective.needs_real == name.startswith("relativistic")
    if objective.needs_real:
        with pytest.raises(TypeError, match="real"):
            objective.generator(F)
    else:
        assert torch.equal(objective.generator(F), objective.generator(F, R))


def test_classification_is_half_the_sum_less_entropy():
    zero = torch.zeros(4)
    assert classification(zero, zero).item() == pytest.approx(math.log(2))
    assert classification(zero, zero, entropy=0.5).item() == pytest.approx(0.5 * math.log(2))
