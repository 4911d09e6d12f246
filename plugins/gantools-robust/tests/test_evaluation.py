"""The evaluation on classifiers whose accuracy under attack is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from gantools_robust.evaluation import Judge, withstood

GREYS = torch.linspace(0.005, 0.995, 100)  # 0.005, 0.015, …: none is ½, nor at a radius from it


def brightness(x, sharpness=10.0):
    """Says 1 where the mean of the pixels is above ½: the attacker has to move it across."""
    z = sharpness * (x.flatten(1).mean(1) - 0.5)
    return torch.stack([-z, z], 1)


def sure(x):
    """The same, so sure of itself that the cross-entropy's gradient rounds to 0."""
    return brightness(x, sharpness=1e6)


@pytest.fixture
def judge():
    x = GREYS.view(-1, 1, 1, 1).expand(100, 1, 28, 28).clone()
    return Judge(x, (GREYS > 0.5).long(), epsilon=0.2, restarts=2, seed=0)


def beyond(epsilon):
    """The share of greys that are farther than ε from ½."""
    return ((GREYS - 0.5).abs() > epsilon).double().mean().item()


def test_the_accuracy_under_attack_is_the_closed_form(judge):
    found = judge.accuracies(brightness)
    assert found["clean_accuracy"] == 1
    assert found["fgsm_accuracy"] == pytest.approx(beyond(0.2)) == 0.6
    assert found["pgd_accuracy"] == pytest.approx(beyond(0.2))
    assert found["noise_accuracy"] > 0.97  # the mean of 784 signs is hardly ever above 0.1


def test_the_curve_is_the_closed_form(judge):
    curve = judge.curve(brightness)
    assert list(curve) == ["0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3", "0.4"]
    assert list(curve.values()) == pytest.approx([beyond(float(epsilon)) for epsilon in curve])


def test_the_checks_of_an_honest_classifier_hold(judge):
    checks = judge.checks(brightness, brightness)
    assert checks["boundless_accuracy"] == 0
    assert checks["one_start_accuracy"] == pytest.approx(beyond(0.2))
    assert checks["transfer_accuracy"] == pytest.approx(beyond(0.2))
    losses = list(checks["loss_by_steps"].values())
    assert losses == sorted(losses)
    assert losses[-1] > 2 * losses[0]


def test_a_masked_gradient_is_found_out(judge):
    checks = judge.checks(sure, brightness)
    assert checks["boundless_accuracy"] > 0.9  # cross-entropy leads nowhere
    assert checks["transfer_accuracy"] < checks["one_start_accuracy"] - 0.3
    assert judge.accuracies(sure)["pgd_accuracy"] == pytest.approx(beyond(0.2))  # the margin does


def test_an_attack_is_tried_on_what_others_have_left():
    seen = []

    def spoil(count):
        def attack(x, y):
            seen.append(len(x))
            return torch.cat([1 - x[:count], x[count:]])

        return attack

    x = torch.cat([torch.zeros(6, 1, 28, 28), torch.ones(4, 1, 28, 28)])
    y = torch.tensor([0] * 5 + [1] * 5)  # one of them is wrong as it is
    right = withstood(brightness, x, y, [spoil(2), spoil(3), spoil(9), spoil(1)])
    assert seen == [9, 7, 4]
    assert not right.any()


def test_what_is_drawn_is_of_the_seed_and_the_restart(judge):
    def flat(x):
        return brightness(x, sharpness=0.0)  # its gradient is 0: the attack stays at its start

    start = judge.pgd(flat)(judge.x, judge.y)
    assert torch.equal(start, judge.pgd(flat)(judge.x, judge.y))
    assert not torch.equal(start, judge.pgd(flat, restart=1)(judge.x, judge.y))
    assert not torch.equal(start, replace(judge, seed=1).pgd(flat)(judge.x, judge.y))
