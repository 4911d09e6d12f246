"""Bonuses for exploring: how much a transition surprises a model that learns from transitions."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from gantools.agents import Bonus
from gantools.nn import mlp
from gantools_vime.bayes import BayesianMLP


class Statistics(nn.Module):
    """Running mean and standard deviation of features; normalises by them.

    Args:
        features: of a sample.
        clip: normalised features lie in [−clip, clip].
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, features: int, clip: float) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros((), dtype=torch.long))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))
        self.clip = clip

    @torch.no_grad()
    def update(self, x: Tensor) -> None:
        """Let samples [N, features] count as if they had come with all before them."""
        variance, mean = torch.var_mean(x, 0, correction=0)
        self.count += len(x)
        share = len(x) / self.count
        apart = mean - self.mean
        self.variance += share * (variance - self.variance) + share * (1 - share) * apart.square()
        self.mean += share * apart

    def forward(self, x: Tensor) -> Tensor:
        """(x − mean) / std, clipped: [N, features] -> [N, features]."""
        std = self.variance.sqrt().clamp(min=1e-6)  # of what never varies, rounding is left
        return ((x - self.mean) / std).clamp(-self.clip, self.clip)


class Dynamics(Bonus):
    """A bonus whose model predicts how the observation changes, from observation and action.

    Both sides are normalised by running statistics and clipped to ±10. (The authors of VIME
    predict the next observation; the change leaves nothing to gain from copying the input.)
    """

    def __init__(self, observations: int, actions: int) -> None:
        super().__init__(observations, actions)
        self.inputs = Statistics(observations + actions, clip=10)
        self.changes = Statistics(observations, clip=10)

    def update_statistics(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> None:
        """Let a rollout count in the statistics of inputs and changes."""
        self.inputs.update(torch.cat([obs, action], 1))
        self.changes.update(next_obs - obs)

    def pairs(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> tuple[Tensor, Tensor]:
        """What the model predicts from and what it predicts, normalised: [N, d + a], [N, d]."""
        return self.inputs(torch.cat([obs, action], 1)), self.changes(next_obs - obs)


class VIME(Dynamics):
    """What a transition would teach a Bayesian model of the dynamics (Houthooft et al. 2016).

    Args:
        observations: d, features of an observation.
        actions: a, features of an action.
        width: units of a hidden layer.
        depth: how many hidden layers there are.
        prior_std: of every weight's prior.
        likelihood_std: of the noise in a normalised change.
        initial_std: of every weight to begin with.
        step: λ of the information gain.
    """

    def __init__(
        self,
        observations: int,
        actions: int,
        width: int = 32,
        depth: int = 1,
        prior_std: float = 0.5,
        likelihood_std: float = 0.5,
        initial_std: float = 0.05,
        step: float = 0.01,
    ) -> None:
        super().__init__(observations, actions)
        self.model = BayesianMLP(
            observations + actions,
            observations,
            width,
            depth,
            prior_std,
            likelihood_std,
            initial_std,
        )
        self.step = step

    def loss(
        self,
        obs: Tensor,
        action: Tensor,
        next_obs: Tensor,
        size: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The negated variational bound's terms: ``likelihood`` and ``complexity``."""
        return self.model.loss(*self.pairs(obs, action, next_obs), size, generator)

    @torch.no_grad()
    def score(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """Information gain in nats, [N]."""
        return self.model.information_gain(*self.pairs(obs, action, next_obs), self.step)


class L2(Dynamics):
    """The squared error of a model of the dynamics, ‖s' − f(s, a)‖² (as in Stadie et al. 2015).

    Args:
        observations: d, features of an observation.
        actions: a, features of an action.
        width: units of a hidden layer.
        depth: how many hidden layers there are.
    """

    def __init__(self, observations: int, actions: int, width: int = 32, depth: int = 1) -> None:
        super().__init__(observations, actions)
        self.model = mlp(observations + actions, observations, width, depth)

    def loss(
        self,
        obs: Tensor,
        action: Tensor,
        next_obs: Tensor,
        size: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The mean squared error, summed over features, as ``prediction``."""
        return {"prediction": self.error(obs, action, next_obs).mean()}

    @torch.no_grad()
    def score(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """The squared error in normalised changes, summed over features: [N]."""
        return self.error(obs, action, next_obs)

    def error(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """The same with its graph."""
        x, y = self.pairs(obs, action, next_obs)
        return (y - self.model(x)).square().sum(1)


class Disagreement(Dynamics):
    """The variance of what several models of the dynamics predict (Pathak et al. 2019).

    Each begins with weights of its own and learns from its own resample of every minibatch.

    Args:
        observations: d, features of an observation.
        actions: a, features of an action.
        members: how many models there are.
        width: units of a hidden layer.
        depth: how many hidden layers there are.

    Raises:
        ValueError: there are fewer than two members.
    """

    def __init__(
        self, observations: int, actions: int, members: int = 5, width: int = 32, depth: int = 1
    ) -> None:
        super().__init__(observations, actions)
        if members < 2:
            raise ValueError(f"disagreement takes at least two members, not {members}")
        models = [mlp(observations + actions, observations, width, depth) for _ in range(members)]
        layers = list(zip(*(model[::2] for model in models), strict=True))  # without the ReLUs
        self.weights = nn.ParameterList(
            torch.stack([layer.weight.detach().T for layer in members]) for members in layers
        )
        self.biases = nn.ParameterList(
            torch.stack([layer.bias.detach()[None] for layer in members]) for members in layers
        )
        self.members = members

    def predict(self, x: Tensor) -> Tensor:
        """Every member's predictions for its own inputs: [M, N, d + a] -> [M, N, d]."""
        *hidden, last = zip(self.weights, self.biases, strict=True)
        for weight, bias in hidden:
            x = relu(torch.baddbmm(bias, x, weight))
        weight, bias = last
        return torch.baddbmm(bias, x, weight)

    def loss(
        self,
        obs: Tensor,
        action: Tensor,
        next_obs: Tensor,
        size: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The members' mean squared errors, summed over features and members: ``prediction``."""
        x, y = self.pairs(obs, action, next_obs)
        shape = (self.members, len(x))
        chosen = torch.randint(len(x), shape, generator=generator, device=x.device)
        error = (y[chosen] - self.predict(x[chosen])).square()
        return {"prediction": error.sum(2).mean(1).sum()}

    @torch.no_grad()
    def score(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """The variance over members, summed over features: [N]; next_obs does not matter."""
        x, _ = self.pairs(obs, action, next_obs)
        return self.predict(x.expand(self.members, *x.shape)).var(0, correction=0).sum(1)


class RND(Bonus):
    """Random network distillation: how badly a fixed random network of s' is imitated.

    ‖f̂(s') − f(s')‖² with f fixed and f̂ a hidden layer deeper; observations are normalised and
    clipped to ±5, weights begin orthogonal times √2 (Burda et al. 2018, sections 2.2 and 2.4 and
    the authors' code).

    Args:
        observations: d, features of an observation.
        actions: features of an action, which do not matter.
        features: outputs of either network.
        width: units of a hidden layer.
        depth: hidden layers of f.
    """

    def __init__(
        self, observations: int, actions: int, features: int = 64, width: int = 64, depth: int = 1
    ) -> None:
        super().__init__(observations, actions)
        self.seen = Statistics(observations, clip=5)
        self.target = mlp(observations, features, width, depth)
        self.predictor = mlp(observations, features, width, depth + 1)
        for layer in (*self.target[::2], *self.predictor[::2]):
            nn.init.orthogonal_(layer.weight, math.sqrt(2))
            nn.init.zeros_(layer.bias)
        self.target.requires_grad_(False)

    def update_statistics(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> None:
        """Let a rollout's successors count in the statistics of observations."""
        self.seen.update(next_obs)

    def loss(
        self,
        obs: Tensor,
        action: Tensor,
        next_obs: Tensor,
        size: int,
        generator: torch.Generator | None = None,
    ) -> dict[str, Tensor]:
        """The mean squared error, summed over features, as ``distillation``."""
        return {"distillation": self.error(next_obs).mean()}

    @torch.no_grad()
    def score(self, obs: Tensor, action: Tensor, next_obs: Tensor) -> Tensor:
        """The squared error, summed over features: [N]."""
        return self.error(next_obs)

    def error(self, next_obs: Tensor) -> Tensor:
        """The same with its graph."""
        x = self.seen(next_obs)
        return (self.predictor(x) - self.target(x)).square().sum(1)


class Normalizer:
    """Divides scores by the mean of the last rollouts' medians (Houthooft et al. 2016).

    So a bonus of one is an ordinary transition's, however much the model has learned. A rollout's
    own median counts before its scores are divided, as in the authors' code.

    Args:
        rollouts: how many medians are kept; 10 in the authors' code.
    """

    def __init__(self, rollouts: int = 10) -> None:
        self.medians: deque[float] = deque(maxlen=rollouts)

    def update(self, scores: Tensor) -> None:
        """Let a rollout's scores count; a median of zero says nothing about their scale."""
        median = scores.detach().float().quantile(0.5).item()
        if median > 0:
            self.medians.append(median)

    def __call__(self, scores: Tensor) -> Tensor:
        """Scores over the medians' mean, of any shape; as they are before there is a median."""
        return scores * (len(self.medians) / sum(self.medians)) if self.medians else scores

    def state_dict(self) -> dict[str, Any]:
        """Return the medians, oldest first."""
        return {"medians": list(self.medians)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what ``state_dict`` gave."""
        self.medians.clear()
        self.medians.extend(state["medians"])
