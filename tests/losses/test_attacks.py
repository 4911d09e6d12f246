"""Attacks against closed forms on linear models, and what they promise on any model."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gantools.losses.attacks import fgsm, margin, pgd

N, D = 8, 20


def draw(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def linear():
    """Two classes; (z₁ − z₀)(x) = w · x, and w itself."""
    torch.manual_seed(0)
    model = nn.Linear(D, 2, bias=False)
    return model, (model.weight[1] - model.weight[0]).detach()


@pytest.fixture
def net():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(D, 32), nn.ReLU(), nn.Linear(32, 3))


Y = torch.arange(N) % 2
AWAY = (1 - 2 * Y).unsqueeze(1)  # towards class 1 from class 0, and the other way
FREE = (-10.0, 10.0)


# -- the best moves that there are -------------------------------------------------------------


@pytest.mark.parametrize("bounds", [FREE, (0.0, 1.0)])
def test_fgsm_is_the_best_move_against_a_linear_model(linear, bounds):
    model, w = linear
    x, epsilon = draw(2, N, D), 0.3
    moved = fgsm(model, x, Y, epsilon, bounds=bounds)
    best = (x + epsilon * AWAY * w.sign()).clamp(*bounds)
    assert torch.allclose(moved, best, atol=1e-6)
    if bounds == FREE:  # what it gains is the dual norm's: ε ‖w‖₁
        assert torch.allclose(((moved - x) @ w) * AWAY.squeeze(1), epsilon * w.abs().sum())


@pytest.mark.parametrize("bounds", [FREE, (0.0, 1.0)])
@pytest.mark.parametrize("random_start", [True, False])
def test_pgd_finds_the_best_move_in_linf(linear, bounds, random_start):
    model, w = linear
    x, epsilon = draw(2, N, D), 0.3
    options = {"random_start": random_start, "bounds": bounds, "generator": source()}
    moved = pgd(model, x, Y, epsilon, 0.1, 7, **options)
    assert torch.allclose(moved, (x + epsilon * AWAY * w.sign()).clamp(*bounds), atol=1e-5)


@pytest.mark.parametrize("random_start", [True, False])
def test_pgd_finds_the_best_move_in_l2(linear, random_start):
    model, w = linear
    x, epsilon = draw(2, N, D), 0.5
    options = {"random_start": random_start, "bounds": FREE, "generator": source()}
    moved = pgd(model, x, Y, epsilon, 0.2, 60, norm="l2", **options)
    assert torch.allclose(moved, x + epsilon * AWAY * w / w.norm(), atol=1e-4)
    assert torch.allclose(((moved - x) @ w) * AWAY.squeeze(1), epsilon * w.norm(), rtol=1e-4)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_step_inside_the_ball_has_the_given_length(linear, norm):
    model, _ = linear
    x = draw(2, N, D)
    delta = pgd(model, x, Y, 1.0, 0.01, 3, random_start=False, norm=norm, bounds=FREE) - x
    length = delta.abs().amax(1) if norm == "linf" else delta.norm(dim=1)
    assert torch.allclose(length, torch.full((N,), 0.03), rtol=1e-3)


def test_the_loss_says_where_to_go(linear):
    model, w = linear
    x = draw(2, N, D)
    targeted = fgsm(model, x, Y, 0.1, loss=lambda z, y: -cross_entropy(z, y), bounds=FREE)
    assert torch.allclose(targeted, x - 0.1 * AWAY * w.sign(), atol=1e-6)


# -- what always holds -------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", [FREE, (0.0, 1.0)])
@pytest.mark.parametrize("epsilon", [0.0, 1e-3, 8 / 255, 0.3, 0.5, 3.0])
def test_no_attack_leaves_the_ball_or_the_bounds_by_as_much_as_a_rounding(net, epsilon, bounds):
    # Many samples, in double precision: x + δ alone is out by 1e-8 here and there.
    x, y = draw(3, 3000, D), torch.arange(3000) % 3
    step, options = 0.6 * epsilon, {"bounds": bounds, "generator": source()}
    moves = {
        "fgsm": fgsm(net, x, y, epsilon, bounds=bounds),
        "linf": pgd(net, x, y, epsilon, step, 4, **options),
        "l2": pgd(net, x, y, epsilon, step, 4, norm="l2", **options),
        "linf start": pgd(net, x, y, epsilon, step, 0, **options),
        "l2 start": pgd(net, x, y, epsilon, step, 0, norm="l2", **options),
    }
    radius = torch.tensor(epsilon).double()
    for name, moved in moves.items():
        delta = moved.double() - x.double()
        length = delta.norm(dim=1) if name.startswith("l2") else delta.abs()
        assert length.max() <= radius, name
        assert moved.min() >= bounds[0], name
        assert moved.max() <= bounds[1], name
        assert (epsilon == 0) == torch.equal(moved, x), name


@pytest.mark.parametrize("attack", ["fgsm", "pgd"])
@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_as_it_was(net, attack, training):
    net.train(training)
    net[1].weight.grad = torch.ones_like(net[1].weight)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    x = draw(4, N, D).requires_grad_()
    with torch.no_grad():  # as in an evaluation
        moved = fgsm(net, x, Y, 0.1) if attack == "fgsm" else pgd(net, x, Y, 0.1, 0.05, 3)
    assert not moved.requires_grad
    assert x.grad is None
    assert net.training is training
    assert torch.equal(net[1].weight.grad, torch.ones_like(net[1].weight))
    assert all(p.requires_grad for p in net.parameters())
    assert all(p.grad is None for p in (net[1].bias, *net[3].parameters()))
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_samples_do_not_affect_each_other(net):
    x = draw(5, N, 4, 5)
    options = {"random_start": False, "norm": "l2"}
    together = pgd(net, x, Y, 0.5, 0.2, 5, **options)
    apart = [pgd(net, x[i : i + 1], Y[i : i + 1], 0.5, 0.2, 5, **options) for i in range(N)]
    assert torch.allclose(together, torch.cat(apart), atol=1e-5)


def test_the_loss_grows_with_the_steps(net):
    x, y = draw(6, 200, D), torch.arange(200) % 3
    losses = []
    for steps in (0, 1, 3, 10, 30):
        moved = pgd(net, x, y, 0.3, 0.3 / max(steps, 1), steps, random_start=False)
        losses.append(cross_entropy(net(moved), y).item())
    assert losses == sorted(losses)
    assert losses[-1] > losses[0] + 0.1


# -- the random start --------------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_start_is_uniform_in_the_ball(net, norm):
    x = torch.zeros(20_000, D)
    start = {"norm": norm, "bounds": FREE}
    delta = pgd(net, x, x, 0.7, 0.1, 0, generator=source(), **start)
    squared = delta.square().sum(1).mean().item()
    expected = 0.7**2 * (D / 3 if norm == "linf" else D / (D + 2))
    assert squared == pytest.approx(expected, rel=0.01)
    assert delta.mean(0).abs().max() < 0.02
    assert torch.equal(delta, pgd(net, x, x, 0.7, 0.1, 0, generator=source(), **start))
    assert not torch.equal(delta, pgd(net, x, x, 0.7, 0.1, 0, generator=source(1), **start))


def test_without_steps_and_start_nothing_moves(net):
    x = draw(7, N, D)
    assert torch.equal(pgd(net, x, Y, 0.3, 0.1, 0, random_start=False), x)


def plateau(x: Tensor) -> Tensor:
    """Flat within 0.1 of ½, and beyond it the more of class 1 the farther out: [B, 1] -> [B, 2]."""
    out = 20 * (x - 0.5).abs().sub(0.1).relu().sum(1)
    return torch.stack([torch.ones_like(out), out], 1)


def test_restarts_find_what_one_start_does_not():
    # A start is off the plateau with probability ½: five leave 1/32 of the samples as they are.
    x, y = torch.full((2000, 1), 0.5), torch.zeros(2000, dtype=torch.long)
    assert torch.equal(pgd(plateau, x, y, 0.2, 0.05, 10, random_start=False), x)
    withstood, shares = torch.ones(2000, dtype=torch.bool), []
    generator = source()
    for _ in range(5):
        moved = pgd(plateau, x, y, 0.2, 0.05, 10, generator=generator)
        withstood &= plateau(moved).argmax(1) == 0
        shares.append(withstood.float().mean().item())
    assert shares == pytest.approx([0.5**k for k in range(1, 6)], abs=0.04)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_gradient_of_zero_moves_nothing(norm):
    x = torch.full((3, 1), 0.5)
    moved = pgd(plateau, x, torch.zeros(3).long(), 0.2, 0.05, 3, random_start=False, norm=norm)
    assert torch.equal(moved, x)


# -- the margin --------------------------------------------------------------------------------


def test_the_margin_is_that_of_the_best_other_class():
    logits = torch.tensor([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]])
    assert margin(logits, torch.tensor([0, 1])).item() == (3 - 1) + (2 - 3)


def test_the_margin_leads_on_where_cross_entropy_is_sure(linear):
    model, w = linear
    with torch.no_grad():
        model.weight.mul_(1e4)
    x = draw(2, N, D)
    named = model(x).argmax(1)
    assert torch.equal(fgsm(model, x, named, 0.1, bounds=FREE), x)  # its gradient rounds to 0
    away = (1 - 2 * named).unsqueeze(1)
    moved = fgsm(model, x, named, 0.1, loss=margin, bounds=FREE)
    assert torch.allclose(moved, x + 0.1 * away * w.sign(), atol=1e-6)


# -- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epsilon": -0.1}, "epsilon is at least 0, not -0.1"),
        ({"epsilon": math.nan}, "epsilon is at least 0, not nan"),
        ({"step_size": -1.0}, "not -1.0 and 3"),
        ({"steps": -3}, "not 0.1 and -3"),
        ({"norm": "l1"}, "linf or l2, not 'l1'"),
        ({"x": torch.full((N, D), 1.5)}, r"x goes from 1.5 to 1.5, beyond its bounds \(0.0, 1.0\)"),
    ],
)
def test_bad_input_is_named(net, changed, said):
    options = {"x": draw(8, N, D), "epsilon": 0.3, "step_size": 0.1, "steps": 3, **changed}
    with pytest.raises(ValueError, match=said):
        pgd(net, y=Y, **options)
    if {"x", "epsilon"} & changed.keys():
        with pytest.raises(ValueError, match=said):
            fgsm(net, options["x"], Y, options["epsilon"])
