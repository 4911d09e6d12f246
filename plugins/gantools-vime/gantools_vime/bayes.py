"""A Bayesian network of the dynamics, and in closed form how much a transition teaches it."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu, softplus

from gantools.losses import bottleneck_kl


class BayesianLinear(nn.Module):
    """A dense layer whose weights are independent Gaussians: N(μ, σ²) with σ = log(1 + e^ρ).

    The bias is the last column of the weights, that of an input which is always one.

    Args:
        inputs: features of a sample.
        outputs: units of the layer.
        std: σ of every weight to begin with, positive; μ begins as ``nn.Linear``'s weights do.
    """

    def __init__(self, inputs: int, outputs: int, std: float) -> None:
        super().__init__()
        begin = nn.Linear(inputs, outputs)
        self.mean = nn.Parameter(torch.cat([begin.weight, begin.bias[:, None]], 1).detach())
        self.rho = nn.Parameter(torch.full_like(self.mean, math.log(math.expm1(std))))

    @property
    def std(self) -> Tensor:
        """σ of the weights, [outputs, inputs + 1]."""
        return softplus(self.rho)

    def forward(self, x: Tensor) -> Tensor:
        """Outputs at the mean weights, which are the outputs' mean: [B, inputs] -> [B, outputs]."""
        return linear(x, self.mean[:, :-1], self.mean[:, -1])

    def variance(self, x: Tensor) -> Tensor:
        """Variance of the outputs over q, Σ_i σ_ji² x_i²: [B, inputs] -> [B, outputs]."""
        variance = self.std.square()
        return linear(x.square(), variance[:, :-1], variance[:, -1])

    def sample(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Outputs with weights drawn anew for every sample, [B, inputs] -> [B, outputs].

        The outputs are drawn from the Gaussians that they follow, not the weights: the same
        distribution at less cost and with less variance in the gradient (local
        reparametrisation, Kingma et al. 2015, section 2.3).
        """
        mean = self(x)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
        return mean + self.variance(x).sqrt() * noise


class BayesianMLP(nn.Module):
    """Predicts y from x with uncertain weights: y ~ N(f(x; θ), s²) and θ ~ q = Π N(μ, σ²).

    Hidden units are rectified, the prior of every weight is N(0, prior_std²) and s is fixed, as in
    the authors' code (Houthooft et al. 2016, section 2.5). Two settings are not theirs. They begin
    with σ = prior_std, whose noise drowns the predictions until σ has shrunk: after 3,000 moves on
    6,000 random steps of Hopper the squared error is .31 of the variance, and .08 if σ begins at
    .05. And their KL term counts as if there were 50 samples with a noise of five standard
    deviations, so that σ stays near the prior's; here it counts as the bound says.

    Args:
        inputs: features of x.
        outputs: features of y.
        width: units of a hidden layer.
        depth: how many hidden layers there are; none is Bayesian linear regression.
        prior_std: of every weight's prior, positive.
        likelihood_std: s, the noise in every output, positive.
        initial_std: σ of every weight to begin with, positive.

    Raises:
        ValueError: one of the standard deviations is not positive.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        width: int = 32,
        depth: int = 1,
        prior_std: float = 0.5,
        likelihood_std: float = 0.5,
        initial_std: float = 0.05,
    ) -> None:
        super().__init__()
        stds = {"prior": prior_std, "likelihood": likelihood_std, "initial": initial_std}
        for name, value in stds.items():
            if not value > 0:
                raise ValueError(f"{name}_std must be positive, not {value}")
        widths = [inputs, *[width] * depth, outputs]
        self.layers = nn.ModuleList(BayesianLinear(i, o, initial_std) for i, o in pairwise(widths))
        self.prior_std = prior_std
        self.likelihood_std = likelihood_std

    def forward(self, x: Tensor) -> Tensor:
        """Predictions at the mean weights, [B, inputs] -> [B, outputs]."""
        *hidden, last = self.layers
        for layer in hidden:
            x = relu(layer(x))
        return last(x)

    def sample(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Predictions with weights drawn anew for every sample, [B, inputs] -> [B, outputs]."""
        *hidden, last = self.layers
        for layer in hidden:
            x = relu(layer.sample(x, generator))
        return last.sample(x, generator)

    def log_likelihood(self, prediction: Tensor, y: Tensor) -> Tensor:
        """log N(y; prediction, s²) in nats: [B, outputs], [B, outputs] -> [B]."""
        s = self.likelihood_std
        error = (y - prediction) / s
        return -(0.5 * error.square() + math.log(s) + 0.5 * math.log(2 * math.pi)).sum(1)

    def kl(self) -> Tensor:
        """KL(q ‖ prior) of all weights in nats, a scalar."""
        p = self.prior_std  # in units of p the prior is N(0, 1), and a KL has no units
        each = [bottleneck_kl(layer.mean / p, layer.std / p).sum() for layer in self.layers]
        return torch.stack(each).sum()

    def loss(
        self, x: Tensor, y: Tensor, size: int, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """The negated variational bound in nats a sample (Houthooft et al. 2016, section 2.3).

        −E_q log p(y | x, θ) as ``likelihood``, by one draw of the weights for every sample, and
        KL(q ‖ prior) / N as ``complexity``.

        Args:
            x: [B, inputs].
            y: [B, outputs].
            size: N, how many samples there are in all; these are a minibatch of them.
            generator: draws the weights.
        """
        likelihood = self.log_likelihood(self.sample(x, generator), y).mean()
        return {"likelihood": -likelihood, "complexity": self.kl() / size}

    @torch.no_grad()
    def information_gain(self, x: Tensor, y: Tensor, step: float = 0.01) -> Tensor:
        """What each sample alone would teach, KL(q(φ + λΔφ) ‖ q(φ)) to second order in λ: nats [B].

        ½ λ² ∇ℓᵀ H⁻¹ ∇ℓ with ℓ = −log p(y | x, θ), φ = (μ, ρ) and Δφ = −H⁻¹∇ℓ, where H is the
        Hessian of that KL at φ: diagonal, 1/σ² for μ and 2 (dσ/dρ)²/σ² for ρ (Houthooft et al.
        2016, section 2.5).

        ∇ℓ is taken at the mean weights, as the paper's first-order view of the posterior has it.
        There ℓ does not depend on ρ, whose part is therefore zero. (The authors' code draws
        weights, so that both its parts are noisy; it also leaves out the ½. A constant factor
        vanishes when bonuses are divided by their median.)

        In a dense layer ∂ℓ/∂μ_ji = δ_j x_i, δ being the gradient with respect to its outputs. So a
        layer's Σ_ji σ_ji² (δ_j x_i)² is Σ_j δ_j² · variance(x)_j: the squared sensitivity to its
        outputs times how uncertain these are. No sample's weight gradient is ever made.

        Args:
            x: [B, inputs].
            y: [B, outputs].
            step: λ, the length of the step in units of the natural gradient's.
        """
        inputs = [x]
        for layer in self.layers[:-1]:
            inputs.append(relu(layer(inputs[-1])))
        delta = (self.layers[-1](inputs[-1]) - y) / self.likelihood_std**2
        gain = torch.zeros_like(delta[:, 0])
        for layer, z in zip(reversed(self.layers), reversed(inputs), strict=True):
            gain += torch.linalg.vecdot(delta.square(), layer.variance(z))
            delta = (delta @ layer.mean[:, :-1]) * (z > 0)
        return 0.5 * step**2 * gain
