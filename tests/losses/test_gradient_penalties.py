"""Gradient penalties against closed forms: of a linear critic, where ∇D = w, and of two bent ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from gantools.losses import (
    dragan,
    gradient_norm_squared,
    interpolate,
    ma_gp,
    r1,
    roth,
    wgan_div,
    wgan_gp,
)
from gantools.plugins import Plugins

PARTS = Plugins(installed=False)
W = torch.tensor([3.0, -4.0], dtype=torch.double, requires_grad=True)  # ‖w‖ = 5
X, Y = torch.randn(2, 6, 2, generator=torch.Generator().manual_seed(0)).double()


def linear(x: Tensor) -> Tensor:
    return x @ W


def bent(x: Tensor) -> Tensor:
    return (x @ W / 5).tanh()


def bent_slope(x: Tensor) -> Tensor:
    """∇ tanh(w·x/5) = (1 − tanh²) w/5."""
    return (1 - bent(x) ** 2)[:, None] * W / 5


def check(penalty: Tensor, value: float, gradient: Tensor) -> None:
    """The penalty has this value, and this gradient with respect to w."""
    assert penalty.item() == pytest.approx(value, rel=1e-9)
    assert_close(torch.autograd.grad(penalty, W)[0], gradient, rtol=1e-9, atol=1e-12)


def named(name: str, critic=linear, real: Tensor = X, fake: Tensor = Y, *weight: float) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return PARTS.part("penalties", name)(critic, real, fake, *weight, generator=generator)


def test_gradient_norm():
    assert_close(gradient_norm_squared(linear, X), torch.full((6,), 25.0).double())
    assert_close(gradient_norm_squared(bent, X), bent_slope(X).square().sum(1))


def test_scores_may_have_a_dimension_of_one():
    def column(x):
        return bent(x).unsqueeze(1)

    for name in PARTS.names("penalties"):
        if name not in ("orthogonal", "ct"):  # of weights; of what is random
            assert torch.equal(named(name, column), named(name, bent)), name


w = W.detach()
FORMS = {  # name: (default weight, value and gradient at weight one)
    "r1": (1, 25 / 2, w),
    "r2": (1, 25 / 2, w),
    "wgan-gp": (10, 4**2, 2 * 4 * w / 5),
    "wgan-lp": (10, 4**2, 2 * 4 * w / 5),
    "dragan": (10, 4**2, 2 * 4 * w / 5),
    "wgan-div": (2, 5**6, 6 * 5**4 * w),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_value_and_gradient_of_a_linear_critic(name):
    default, value, gradient = FORMS[name]
    check(named(name), default * value, default * gradient)
    check(named(name, linear, X, Y, 0.3), 0.3 * value, 0.3 * gradient)


def test_the_exponent_of_the_divergence_may_be_chosen():
    check(wgan_div(linear, X, Y, 0.5, p=2), 0.5 * 25, w)


def test_the_one_sided_penalty_spares_small_gradients():
    def flat(x):
        return 0.1 * linear(x)  # ‖∇‖ = ½

    assert named("wgan-lp", flat).item() == 0
    assert named("wgan-gp", flat).item() == pytest.approx(10 * 0.25)
    assert wgan_gp(flat, X, Y, one_sided=True).item() == 0


def test_r1_is_at_real_samples_and_r2_at_fakes():
    for name, points in [("r1", X), ("r2", Y)]:
        expected = 0.5 * bent_slope(points).square().sum(1).mean()
        check(named(name, bent), expected.item(), torch.autograd.grad(expected, W)[0])


def test_roth_at_scores_of_zero_is_a_quarter_of_gamma():
    zeros = torch.zeros(6, 2).double()  # φ = ½, and it does not move with w
    check(roth(linear, zeros, zeros, 0.1), 0.1 / 4 * 25, 0.1 / 2 * w)


@pytest.mark.parametrize(
    ("critic", "slope"), [(linear, lambda x: W.expand_as(x)), (bent, bent_slope)]
)
def test_roth_weighs_each_sample_by_its_doubt(critic, slope):
    real = (1 - critic(X).sigmoid()) ** 2 * slope(X).square().sum(1)
    fake = critic(Y).sigmoid() ** 2 * slope(Y).square().sum(1)
    expected = 0.1 / 2 * (real.mean() + fake.mean())
    gradient = torch.autograd.grad(expected, W)[0]  # through φ as well
    check(named("roth", critic), expected.item(), gradient)


@pytest.mark.parametrize("name", ["wgan-gp", "wgan-lp", "wgan-div"])
def test_it_is_at_interpolates_of_pairs(name):
    slope = bent_slope(interpolate(X, Y, torch.Generator().manual_seed(1))) * 3
    norm = slope.square().sum(1).sqrt()
    assert norm.min() < 1 < norm.max()  # so that the two sides differ
    form = {
        "wgan-gp": (norm - 1) ** 2,
        "wgan-lp": (norm - 1).clamp(min=0) ** 2,
        "wgan-div": norm**6,
    }
    expected = form[name].mean()
    penalty = named(name, lambda x: 3 * bent(x), X, Y, 1.0)
    check(penalty, expected.item(), torch.autograd.grad(expected, W)[0])


def test_interpolates_lie_between_and_are_drawn_from_the_generator():
    def draw():
        return interpolate(
            torch.zeros(100, 1, 2), torch.ones(100, 1, 2), torch.Generator().manual_seed(0)
        )

    points = draw()
    assert torch.equal(points, draw())
    assert 0 <= points.min() < points.max() <= 1
    assert torch.equal(points[..., 0], points[..., 1])  # one number a pair
    assert not interpolate(X, Y.clone().requires_grad_(True)).requires_grad


def test_dragan_looks_as_far_above_each_sample_as_c_says():
    seen = []

    def critic(x):
        seen.append((x.detach() - real) / real.std(correction=0))
        return linear(x)

    real = 7 + 3 * torch.randn(500, 2, generator=torch.Generator().manual_seed(2)).double()
    dragan(critic, real, generator=torch.Generator().manual_seed(3))
    dragan(critic, real, c=2.0, generator=torch.Generator().manual_seed(3))
    near, far = seen
    assert near.min() >= 0
    assert 0.4 < near.max() < 0.5
    assert near.mean().item() == pytest.approx(0.5 / 4, rel=0.1)  # E u · E ε · c
    assert_close(far, 4 * near)


def test_no_gradient_flows_into_what_made_the_samples():
    for name in PARTS.names("penalties"):
        if name not in ("orthogonal", "ct"):
            fake = Y.clone().requires_grad_(True)
            penalty = named(name, bent, X, fake)
            assert torch.autograd.grad(penalty, fake, allow_unused=True) == (None,), name


def test_a_penalty_can_be_computed_where_gradients_are_off():
    with torch.no_grad():
        assert r1(linear, X).item() == pytest.approx(12.5)


# A critic of pairs: D(x, e) = (w·x)(v·e), whose gradient is ((v·e) w, (w·x) v).
V = torch.tensor([1.0, -2.0, 0.5]).double()
CAPTIONS = torch.randn(6, 3, generator=torch.Generator().manual_seed(7)).double()


def joint(x: Tensor, e: Tensor) -> Tensor:
    return (x @ W) * (e @ V)


def joint_slope(x: Tensor, e: Tensor) -> Tensor:
    """‖∇D‖², with ‖w‖² = 25 and ‖v‖² = 5.25."""
    return (e @ V) ** 2 * 25 + (x @ W) ** 2 * 5.25


def test_the_gradient_of_a_pair_is_one_long_vector():
    assert_close(gradient_norm_squared(joint, (X, CAPTIONS)), joint_slope(X, CAPTIONS))
    expected = 2 * joint_slope(X, CAPTIONS).pow(3).mean()
    assert ma_gp(joint, (X, CAPTIONS)).item() == pytest.approx(expected.item())
    assert ma_gp(linear, X, None, 3.0, p=2).item() == pytest.approx(75)


def test_a_pair_is_interpolated_by_one_number():
    x, e = interpolate((X, CAPTIONS), (Y, -CAPTIONS), torch.Generator().manual_seed(3))
    u = ((x - Y) / (X - Y))[:, 0]
    assert_close(e, (2 * u - 1)[:, None] * CAPTIONS)
    assert u.unique().numel() == len(X)
    alone = interpolate(X, Y, torch.Generator().manual_seed(3))
    assert torch.equal(alone, x)


def test_every_penalty_takes_pairs():
    pairs, others = (X, CAPTIONS), (Y, CAPTIONS.flip(0))
    for name in PARTS.names("penalties"):
        if name not in ("orthogonal", "ct"):
            assert named(name, joint, pairs, others).isfinite(), name
    distance = torch.cat([X - Y, CAPTIONS - CAPTIONS.flip(0)], 1).abs().mean(1)
    delta = joint(*pairs) - joint(*others)
    expected = (delta**2 / (20 * distance)).mean()
    assert named("qp", joint, pairs, others).item() == pytest.approx(expected.item())


def test_whole_numbers_have_no_gradient_and_what_is_ignored_has_none_either():
    labels = torch.arange(6)

    def critic(x: Tensor, label: Tensor, noise: Tensor) -> Tensor:
        return (x @ W) * label

    found = gradient_norm_squared(critic, [X, labels, CAPTIONS])
    assert_close(found, 25 * labels.double() ** 2)
    _, between, _ = interpolate((X, labels, CAPTIONS), (Y, labels + 9, CAPTIONS))
    assert torch.equal(between, labels)
    assert r1(critic, (X, labels, CAPTIONS)).item() == pytest.approx(12.5 * 55 / 6)


def test_scores_of_patches_are_summed():
    def patches(x: Tensor) -> Tensor:
        return torch.stack([x @ W, 2 * (x @ W)], 1)

    assert r1(patches, X).item() == pytest.approx(0.5 * 9 * 25)
    for name in ("roth", "qp", "dragan", "wgan-gp"):
        assert named(name, patches).shape == ()
