"""Light paths through stable-baselines3 actor-critics: drawing actions, normalising."""

from __future__ import annotations

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor


def actor_head(policy: ActorCriticPolicy, obs: Tensor) -> Tensor:
    """Return the Gaussian's means [N, a], or the logits [N, k] of Discrete actions, for obs [N, d].

    The same numbers as ``policy.get_distribution``, without building distribution objects.
    """
    latent = policy.mlp_extractor.forward_actor(policy.pi_features_extractor(obs))
    return policy.action_net(latent)


def draw(policy: ActorCriticPolicy, head: Tensor, noise: Tensor) -> Tensor:
    """Return actions drawn with given noise: float [N, a] (not clipped), or int64 [N].

    Args:
        policy: whose ``log_std`` is used where actions are a Box.
        head: what ``actor_head`` gave.
        noise: [N, a] or [N, k], from ``draw_noise``.
    """
    if isinstance(policy.action_space, spaces.Discrete):
        return (head + noise).argmax(-1)
    return head + policy.log_std.exp() * noise


def draw_noise(policy: ActorCriticPolicy, *shape: int, generator: torch.Generator) -> Tensor:
    """Return the noise that ``draw`` needs, [*shape, a]: normal, or Gumbel for Discrete actions."""
    space = policy.action_space
    if isinstance(space, spaces.Discrete):
        exponential = torch.empty(*shape, int(space.n)).exponential_(generator=generator)
        return -exponential.log()
    assert isinstance(space, spaces.Box)
    return torch.randn(*shape, *space.shape, generator=generator)


class Normalizer(BaseFeaturesExtractor):
    """A features extractor that normalises observations by running statistics.

    The statistics are buffers of the policy: they are saved, loaded and deployed with it. They
    change only in ``update``, so a policy is one fixed function while it collects a rollout, and
    not at all after ``fix``.
    """

    mean: Tensor
    variance: Tensor
    count: Tensor
    shift: Tensor
    scale: Tensor

    def __init__(self, observation_space: spaces.Box, limit: float = 10.0) -> None:
        """Begin with mean 0 and variance 1; normalised observations are clipped to ``limit``."""
        super().__init__(observation_space, features_dim=spaces.flatdim(observation_space))
        self.limit = limit
        self.fixed = False
        self.register_buffer("mean", torch.zeros(self.features_dim, dtype=torch.float64))
        self.register_buffer("variance", torch.ones(self.features_dim, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("shift", torch.zeros(self.features_dim))
        self.register_buffer("scale", torch.ones(self.features_dim))

    def fix(self, obs: Tensor) -> None:
        """Normalise by the statistics of these observations [N, d] from now on."""
        self.update(obs)
        self.fixed = True

    @torch.no_grad()
    def update(self, obs: Tensor) -> None:
        """Take observations [N, d] into the statistics, unless they are fixed."""
        if self.fixed:
            return
        obs = obs.double()
        variance, mean = torch.var_mean(obs, 0, correction=0)
        total = self.count + len(obs)
        weight = len(obs) / total.item()
        delta = mean - self.mean
        self.variance.lerp_(variance, weight).add_(delta.square() * weight * (1 - weight))
        self.mean.add_(delta * weight)
        self.count.copy_(total)
        self.shift.copy_(self.mean)
        self.scale.copy_((self.variance + 1e-8).rsqrt())

    def forward(self, obs: Tensor) -> Tensor:
        """Return normalised observations, [N, d] -> [N, d]."""
        return ((obs - self.shift) * self.scale).clamp(-self.limit, self.limit)
