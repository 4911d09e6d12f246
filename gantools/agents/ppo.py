"""PPO with a cheaper ``train``: stable-baselines3's update, computed with fewer operations."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import explained_variance
from torch import Tensor


class PPO(stable_baselines3.PPO):
    """SB3's PPO, whose ``train`` builds no distributions; what it saves, SB3's own PPO opens.

    Measured on one core with minibatches of 512: less than half of the time of SB3's own. Where
    SB3 does more (value clipping, state-dependent exploration), its own ``train`` runs.
    """

    def train(self) -> None:
        """Update the policy on the rollout buffer, as SB3 does (Schulman et al. 2017, eq. 7)."""
        if self.use_sde or self.clip_range_vf is not None:
            return super().train()
        policy = self.policy
        policy.set_training_mode(True)
        self._update_learning_rate(policy.optimizer)
        clip = self.clip_range(self._current_progress_remaining)  # type: ignore[operator]
        parameters = list(policy.parameters())
        stop_at = math.inf if self.target_kl is None else 1.5 * self.target_kl
        figures: dict[str, list[Tensor]] = defaultdict(list)
        stop = False
        for _ in range(self.n_epochs):
            figures["approx_kl"].clear()  # SB3 shows the last epoch's
            for batch in self.rollout_buffer.get(self.batch_size):
                values, log_prob, entropy = evaluate(policy, batch.observations, batch.actions)
                advantages = batch.advantages
                if self.normalize_advantage and len(advantages) > 1:
                    std, mean = torch.std_mean(advantages)
                    advantages = (advantages - mean) / (std + 1e-8)
                log_ratio = log_prob - batch.old_log_prob
                ratio = log_ratio.exp()
                clipped = ratio.clamp(1 - clip, 1 + clip)
                policy_loss = -torch.min(advantages * ratio, advantages * clipped).mean()
                value_loss = torch.nn.functional.mse_loss(batch.returns, values)
                loss = policy_loss + self.vf_coef * value_loss
                if self.ent_coef:
                    loss = loss - self.ent_coef * entropy
                with torch.no_grad():
                    kl = (ratio - 1 - log_ratio).mean()
                    figures["clip_fraction"].append((ratio != clipped).float().mean())
                figures["approx_kl"].append(kl)
                figures["entropy_loss"].append(-entropy.detach())
                figures["policy_gradient_loss"].append(policy_loss.detach())
                figures["value_loss"].append(value_loss.detach())
                if stop := bool(kl > stop_at):
                    break
                policy.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, self.max_grad_norm)
                policy.optimizer.step()
            self._n_updates += 1
            if stop:
                break
        for name, seen in figures.items():
            self.logger.record(f"train/{name}", torch.stack(seen).mean().item())
        self.logger.record("train/loss", loss.item())
        buffer = self.rollout_buffer
        explained = explained_variance(buffer.values.flatten(), buffer.returns.flatten())
        self.logger.record("train/explained_variance", explained)
        if hasattr(policy, "log_std"):
            self.logger.record("train/std", policy.log_std.exp().mean().item())
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip)


def evaluate(
    policy: ActorCriticPolicy, obs: Tensor, actions: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Values [N] and log-probabilities [N] of actions, and the mean entropy: ``evaluate_actions``.

    Args:
        policy: for a Box (a Gaussian with diagonal covariance) or Discrete actions.
        obs: [N, d].
        actions: float32 [N, a] as drawn; int64 [N] or [N, 1] for Discrete actions.
    """
    features = policy.extract_features(obs)
    if policy.share_features_extractor:
        pi, vf = policy.mlp_extractor(features)
    else:
        pi = policy.mlp_extractor.forward_actor(features[0])
        vf = policy.mlp_extractor.forward_critic(features[1])
    head, values = policy.action_net(pi), policy.value_net(vf)[:, 0]
    if isinstance(policy.action_space, spaces.Discrete):
        log_probs = head.log_softmax(-1)
        log_prob = log_probs.gather(1, actions.long().view(-1, 1))[:, 0]
        return values, log_prob, -(log_probs.exp() * log_probs).sum(1).mean()
    constant = 0.5 * math.log(2 * math.pi)
    total = policy.log_std.sum()  # of one action's dimensions
    z = (actions - head) * (-policy.log_std).exp()
    log_prob = -0.5 * z.square().sum(1) - (total + head.shape[1] * constant)
    return values, log_prob, total + head.shape[1] * (0.5 + constant)
