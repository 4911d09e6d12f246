"""PPO with a cheaper ``train``: stable-baselines3's update, computed with fewer operations."""

from __future__ import annotations

import math

import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import explained_variance
from torch import Tensor, nn


class Tanh(nn.Tanh):
    """tanh x = 2σ(2x) − 1, three times as fast as ``torch.tanh`` and equal within 2e-7."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it elementwise; a single step's few rows are not worth three operations more."""
        return x.tanh() if len(x) < 64 else torch.sigmoid(x + x).mul(2).sub_(1)


class Adam(torch.optim.Adam):
    """torch's fused Adam without what surrounds it: for small nets that takes longer than Adam."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move along the gradients."""
        if len(self.state) < sum(len(group["params"]) for group in self.param_groups):
            super().step()  # makes the moments
            return
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None]
            states = [self.state[p] for p in moved]
            torch._fused_adam_(
                moved,
                [p.grad for p in moved],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],
                [state["step"].add_(1) for state in states],
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=group["maximize"],
            )

    step.hooked = True  # type: ignore[attr-defined]  # else torch wraps it in a profiler's record


class PPO(stable_baselines3.PPO):
    """SB3's PPO, whose ``train`` makes the same update with fewer operations.

    It saves what SB3's own PPO opens. Where SB3 does more (value clipping, state-dependent
    exploration), its own ``train`` runs.
    """

    policy: ActorCriticPolicy

    def _setup_model(self) -> None:
        super()._setup_model()
        for net in list(self.policy.mlp_extractor.modules()):
            for name, layer in net.named_children():
                if type(layer) is nn.Tanh:
                    setattr(net, name, Tanh())
        optimizer = self.policy.optimizer
        if type(optimizer) is torch.optim.Adam and optimizer.defaults["fused"]:
            optimizer.__class__ = Adam

    def train(self) -> None:
        """Update the policy on the rollout buffer (Schulman et al. 2017, eq. 7), as SB3 does."""
        if self.use_sde or self.clip_range_vf is not None:
            return super().train()
        policy, optimizer, buffer = self.policy, self.policy.optimizer, self.rollout_buffer
        policy.set_training_mode(True)
        self._update_learning_rate(optimizer)
        clip = self.clip_range(self._current_progress_remaining)  # type: ignore[operator]
        parameters = list(policy.parameters())
        figures: list[Tensor] = []
        for _ in range(self.n_epochs):
            epoch = len(figures)
            stop = False
            for batch in buffer.get(self.batch_size):
                values, log_prob, entropy = evaluate(policy, batch.observations, batch.actions)
                with torch.no_grad():
                    advantages = batch.advantages
                    if self.normalize_advantage and len(advantages) > 1:
                        std, mean = torch.std_mean(advantages)
                        advantages = (advantages - mean) / (std + 1e-8)
                    log_ratio = log_prob - batch.old_log_prob
                    ratio = log_ratio.exp()
                    surrogate = advantages * ratio
                    clipped = advantages * ratio.clamp(1 - clip, 1 + clip)
                    error = values - batch.returns
                    kl = (ratio - 1 - log_ratio).mean()
                    outside = ((ratio - 1).abs() > clip).float().mean()
                    objective = torch.min(surrogate, clipped).mean()
                    figures.append(
                        torch.stack([kl, outside, -objective, error.square().mean(), -entropy])
                    )
                    stop = self.target_kl is not None and kl.item() > 1.5 * self.target_kl
                    if stop:
                        break
                    # The objective's gradient: that of r A is r A ∇log π, clipped it is 0.
                    pull = surrogate * (surrogate <= clipped) / -len(values)
                    miss = error * (2 * self.vf_coef / len(values))
                for parameter in parameters:
                    parameter.grad = None
                torch.autograd.backward(
                    (log_prob, values, entropy), (pull, miss, torch.tensor(-self.ent_coef))
                )
                gradients = [p.grad for p in parameters if p.grad is not None]
                norm = torch.cat([g.flatten() for g in gradients]).norm().item()
                if norm > self.max_grad_norm:
                    torch._foreach_mul_(gradients, self.max_grad_norm / (norm + 1e-6))
                optimizer.step()
            self._n_updates += 1
            if stop:
                break
        means = torch.stack(figures).mean(0).tolist()
        names = ("clip_fraction", "policy_gradient_loss", "value_loss", "entropy_loss")
        for name, figure in zip(names, means[1:], strict=True):
            self.logger.record(f"train/{name}", figure)
        last = figures[-1]
        loss = last[2] + self.vf_coef * last[3] + self.ent_coef * last[4]
        self.logger.record("train/approx_kl", torch.stack(figures[epoch:])[:, 0].mean().item())
        self.logger.record("train/loss", loss.item())
        explained = explained_variance(buffer.values.flatten(), buffer.returns.flatten())
        self.logger.record("train/explained_variance", explained)
        if hasattr(policy, "log_std"):
            self.logger.record("train/std", policy.log_std.exp().mean().item())
        self.logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        self.logger.record("train/clip_range", clip)


def evaluate(
    policy: ActorCriticPolicy, obs: Tensor, actions: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Values [N] and log-probabilities [N] of actions, and the policy's mean entropy.

    The same numbers as ``policy.evaluate_actions``, without building distribution objects.

    Args:
        policy: for a Box (a Gaussian with diagonal covariance) or Discrete actions.
        obs: float32 [N, d].
        actions: float32 [N, a] as drawn; [N] or [N, 1] for Discrete actions.
    """
    features = policy.extract_features(obs)
    pi, vf = features if isinstance(features, tuple) else (features, features)
    head = policy.action_net(policy.mlp_extractor.forward_actor(pi))
    values = policy.value_net(policy.mlp_extractor.forward_critic(vf))[:, 0]
    if isinstance(policy.action_space, spaces.Discrete):
        log_probs = head.log_softmax(-1)
        log_prob = log_probs.gather(1, actions.long().view(-1, 1))[:, 0]
        return values, log_prob, -(log_probs.exp() * log_probs).sum(1).mean()
    constant = 0.5 * head.shape[1] * math.log(2 * math.pi)
    spread = policy.log_std.sum() + constant
    z = (actions - head) * (-policy.log_std).exp()
    return values, -0.5 * z.square().sum(1) - spread, spread + 0.5 * head.shape[1]
