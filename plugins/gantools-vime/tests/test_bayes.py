"""The Bayesian network against torch.distributions, autograd and exact Bayesian regression."""

from __future__ import annotations

import math

import pytest
import torch
from gantools_vime.bayes import BayesianLinear, BayesianMLP
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.func import functional_call, grad, vmap
from torch.nn.functional import linear, softplus
from torch.testing import assert_close


def network(inputs=3, outputs=2, width=5, depth=1, dtype=torch.float64, **options) -> BayesianMLP:
    """A small network whose every μ and σ differs."""
    torch.manual_seed(0)
    model = BayesianMLP(inputs, outputs, width, depth, **options).to(dtype)
    for layer in model.layers:
        torch.nn.init.normal_(layer.mean)
        torch.nn.init.normal_(layer.rho, -1)
    return model


def data(size: int, inputs=3, outputs=2, dtype=torch.float64):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(size, inputs, generator=generator, dtype=dtype)
    return x, torch.randn(size, outputs, generator=generator, dtype=dtype)


# -- the layer and the network -----------------------------------------------------------------


def test_at_its_mean_a_layer_is_torch_s_own():
    layer = network(depth=0).layers[0]
    x, _ = data(4)
    assert_close(layer(x), linear(x, layer.mean[:, :-1], layer.mean[:, -1]))
    ones = torch.cat([x, torch.ones(4, 1, dtype=x.dtype)], 1)
    assert_close(layer(x), ones @ layer.mean.T)


def test_weights_begin_with_the_given_std():
    assert_close(BayesianLinear(3, 2, 0.05).std, torch.full((2, 4), 0.05))


def test_outputs_are_drawn_as_if_the_weights_were():
    layer = network(depth=0).layers[0]
    x, _ = data(1)
    generator = torch.Generator().manual_seed(0)
    drawn = layer.sample(x.expand(40_000, -1), generator)
    noise = torch.randn(40_000, *layer.mean.shape, generator=generator, dtype=x.dtype)
    weights = layer.mean + layer.std * noise
    outputs = (weights[..., :-1] @ x[0]) + weights[..., -1]
    for sample in (drawn, outputs):
        assert_close(sample.mean(0), layer(x)[0], atol=0.05, rtol=0)
        assert_close(sample.var(0), layer.variance(x)[0], atol=0, rtol=0.05)


def test_every_sample_has_weights_of_its_own():
    model = network()
    x, _ = data(1)
    drawn = model.sample(x.expand(8, -1), torch.Generator().manual_seed(0))
    assert len(drawn.unique(dim=0)) == 8


def test_draws_come_from_the_generator():
    model = network()
    x, y = data(4)
    first, second = (model.loss(x, y, 10, torch.Generator().manual_seed(7)) for _ in range(2))
    assert first["likelihood"] == second["likelihood"]


def test_without_uncertainty_samples_are_the_prediction_at_the_mean():
    model = network()
    for layer in model.layers:
        torch.nn.init.constant_(layer.rho, -60)
    x, _ = data(4)
    assert_close(model.sample(x), model(x))


@pytest.mark.parametrize("name", ["prior_std", "likelihood_std", "initial_std"])
def test_standard_deviations_must_be_positive(name):
    with pytest.raises(ValueError, match=f"{name} must be positive, not 0"):
        BayesianMLP(3, 2, **{name: 0.0})


# -- the bound ---------------------------------------------------------------------------------


def test_kl_is_that_of_torch_distributions():
    model = network(prior_std=0.7)
    prior = Normal(torch.zeros((), dtype=torch.float64), 0.7)
    expected = sum(
        kl_divergence(Normal(layer.mean, layer.std), prior).sum() for layer in model.layers
    )
    assert_close(model.kl(), expected)


def test_log_likelihood_is_that_of_torch_distributions():
    model = network(likelihood_std=0.3)
    x, y = data(4)
    assert_close(model.log_likelihood(x[:, :2], y), Normal(x[:, :2], 0.3).log_prob(y).sum(1))


def test_the_bound_is_the_evidence_where_q_is_the_posterior():
    """One weight on x and one on 1, with one sample that sees the first alone: conjugate."""
    s, p, y = 0.4, 0.5, torch.tensor([[0.9]], dtype=torch.float64)
    model = network(1, 1, depth=0, prior_std=p, likelihood_std=s)
    layer = model.layers[0]
    variance = 1 / (1 / p**2 + 1 / s**2)
    stds = torch.tensor([[math.sqrt(variance), 1e-6]], dtype=torch.float64)
    with torch.no_grad():
        layer.mean.copy_(torch.tensor([[variance * y.item() / s**2, 0]]))
        layer.rho.copy_(torch.log(torch.expm1(stds)))
    x = torch.ones(1, 1, dtype=torch.float64)
    draws = model.loss(x.expand(100_000, -1), y.expand(100_000, -1), 1)
    bias = kl_divergence(Normal(0.0, 1e-6), Normal(0.0, p))
    evidence = Normal(0.0, math.hypot(s, p)).log_prob(y).item()
    bound = -(draws["likelihood"] + draws["complexity"] - bias).item()
    assert bound == pytest.approx(evidence, abs=0.01)


def test_the_prior_weighs_less_the_more_samples_there_are():
    model = network()
    x, y = data(4)
    assert_close(model.loss(x, y, 50)["complexity"], model.kl() / 50)


def test_training_finds_the_posterior_of_a_regression():
    """q's means are the exact posterior's; its σ are 1/√precision, as of every factored q."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 2, generator=generator)
    y = x @ torch.tensor([[0.5], [-0.3]]) + 0.2 + 0.3 * torch.randn(40, 1, generator=generator)
    torch.manual_seed(0)
    model = BayesianMLP(2, 1, depth=0, likelihood_std=0.3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.01, 300)
    for _ in range(300):
        optimizer.zero_grad()
        sum(model.loss(x.repeat(8, 1), y.repeat(8, 1), 40, generator).values()).backward()
        optimizer.step()
        schedule.step()
    ones = torch.cat([x, torch.ones(40, 1)], 1)
    precision = ones.T @ ones / 0.3**2 + torch.eye(3) / 0.5**2
    mean = torch.linalg.solve(precision, ones.T @ y / 0.3**2)
    assert_close(model.layers[0].mean, mean.T, atol=0.01, rtol=0)
    assert_close(model.layers[0].std, precision.diag().rsqrt()[None], atol=0, rtol=0.05)


# -- information gain ----------------------------------------------------------------------------


def gain_of_gradients(model: BayesianMLP, gradients: dict, step: float) -> torch.Tensor:
    """½ λ² Σ g²/H over μ and ρ, from gradients [N, …] of every sample: [N]."""
    gain = 0
    for name, layer in model.named_modules():
        if isinstance(layer, BayesianLinear):
            for parameter, curvature in curvatures(layer).items():
                gain = gain + (gradients[f"{name}.{parameter}"] ** 2 / curvature).flatten(1).sum(1)
    return 0.5 * step**2 * gain


def curvatures(layer: BayesianLinear) -> dict[str, torch.Tensor]:
    """The paper's diagonal Hessian of the KL: 1/σ² and 2 (dσ/dρ)²/σ²."""
    std, slope = layer.std.detach(), layer.rho.detach().sigmoid()
    return {"mean": std**-2, "rho": 2 * slope**2 / std**2}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_information_gain_is_that_of_autograd_s_gradient_of_each_sample(depth, dtype):
    model = network(depth=depth, dtype=dtype, likelihood_std=0.7)
    x, y = data(64, dtype=dtype)
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def nll(parameters, x, y):
        return -model.log_likelihood(functional_call(model, parameters, x[None]), y[None]).sum()

    together = vmap(grad(nll), (None, 0, 0))(parameters, x, y)
    expected = gain_of_gradients(model, together, 0.1)
    one_by_one = []
    for x_, y_ in zip(x, y, strict=True):
        model.zero_grad()
        (-model.log_likelihood(model(x_[None]), y_[None]).sum()).backward()
        alone = {
            name: torch.zeros_like(p)[None] if p.grad is None else p.grad[None]
            for name, p in model.named_parameters()
        }
        one_by_one.append(gain_of_gradients(model, alone, 0.1))
    gain = model.information_gain(x, y, 0.1)
    assert not gain.requires_grad
    assert_close(gain, expected, rtol=1e-5, atol=0)
    assert_close(gain, torch.cat(one_by_one), rtol=1e-5, atol=0)


def test_the_hessian_of_the_kl_is_diagonal_and_the_paper_s():
    layer = network(2, 1, depth=0).layers[0]
    old = Normal(layer.mean.detach(), layer.std.detach())

    def kl(mean, rho):
        return kl_divergence(Normal(mean, softplus(rho)), old).sum()

    hessian = torch.autograd.functional.hessian(kl, (layer.mean.detach(), layer.rho.detach()))
    count = layer.mean.numel()
    whole = torch.cat([torch.cat([b.reshape(count, count) for b in row], 1) for row in hessian])
    assert_close(whole, torch.cat([h.flatten() for h in curvatures(layer).values()]).diag())


def test_information_gain_is_the_kl_of_the_step_itself():
    """φ' = φ − λ H⁻¹∇ℓ, made; the KL is exact in μ, so no λ is too large."""
    model, step = network(), 0.3
    x, y = data(1)
    (-model.log_likelihood(model(x), y).sum()).backward()
    kl = 0
    for layer in model.layers:
        std = layer.std.detach()
        moved = layer.mean.detach() - step * std**2 * layer.mean.grad
        kl += kl_divergence(Normal(moved, std), Normal(layer.mean.detach(), std)).sum()
    assert_close(model.information_gain(x, y, step), kl[None])


@pytest.mark.parametrize("step", [1e-4, 1e-2, 1.0])
def test_information_gain_of_a_regression_against_the_exact_posterior(step):
    """The exact posterior after a sample that counts λ times, p(y|x,θ)^λ, by linear algebra.

    With a = xᵀΣx/s² the gain is (1 + λa)² times the share of the true KL that the mean's shift has;
    the rest of it, ½[log(1 + λa) − λa/(1 + λa)], is the shrinking of Σ, which the sample's x alone
    brings about whatever its y.
    """
    s = 0.8
    model = network(outputs=1, depth=0, likelihood_std=s)
    layer = model.layers[0]
    x, y = data(1, outputs=1)
    ones = torch.cat([x[0], torch.ones(1, dtype=x.dtype)])
    mean, variance = layer.mean[0].detach(), layer.std[0].detach() ** 2
    precision = variance.reciprocal().diag() + step * torch.outer(ones, ones) / s**2
    shifted = torch.linalg.solve(precision, mean / variance + step * ones * y[0, 0] / s**2)
    before = MultivariateNormal(mean, variance.diag())
    after = MultivariateNormal(shifted, precision_matrix=precision)
    a = step * (variance @ ones**2) / s**2
    shrinking = 0.5 * (torch.log1p(a) - a / (1 + a))
    gain = model.information_gain(x, y, step)[0]
    assert_close(gain / (1 + a) ** 2 + shrinking, kl_divergence(after, before))


def test_information_gain_of_a_surprise_is_the_true_one_for_small_steps():
    model = network(outputs=1, depth=0)
    layer = model.layers[0]
    x, y = data(1, outputs=1)
    y = y + 200
    ones = torch.cat([x[0], torch.ones(1, dtype=x.dtype)])
    mean, variance = layer.mean[0].detach(), layer.std[0].detach() ** 2
    errors = []
    for step in (1e-2, 1e-3, 1e-4):
        precision = variance.reciprocal().diag() + step * torch.outer(ones, ones) / 0.5**2
        shifted = torch.linalg.solve(precision, mean / variance + step * ones * y[0, 0] / 0.5**2)
        after = MultivariateNormal(shifted, precision_matrix=precision)
        true = kl_divergence(after, MultivariateNormal(mean, variance.diag()))
        errors.append((model.information_gain(x, y, step)[0] / true - 1).abs().item())
    assert errors[0] > 5 * errors[1] > 25 * errors[2]
    assert errors[2] < 0.01


def test_a_transition_as_predicted_teaches_nothing():
    model = network()
    x, _ = data(4)
    assert_close(model.information_gain(x, model(x).detach()), torch.zeros(4, dtype=x.dtype))


def test_a_network_that_is_certain_learns_nothing():
    model = network()
    x, y = data(4)
    known = model.information_gain(x, y)
    for layer in model.layers:
        torch.nn.init.constant_(layer.rho, -30)
    assert (model.information_gain(x, y) < 1e-9 * known).all()
