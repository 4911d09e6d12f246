"""stable-baselines3's algorithms as players: PPO and TRPO on rollouts, SAC on replay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import cloudpickle
import numpy as np
import torch
from gymnasium import spaces
from sb3_contrib import TRPO
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.policies import ActorCriticPolicy
from torch import Tensor

from gantools.agents import policies
from gantools.agents.buffers import RelabellingReplayBuffer, WholeRolloutBuffer
from gantools.agents.policies import Normalizer, actor_head, draw, draw_noise
from gantools.agents.rollout import Transitions
from gantools.agents.worlds import Step, World
from gantools.engine import Agent, Reward
from gantools.engine.turn import Turn
from gantools.errors import NonFiniteError, UserError

OnPolicyAlgorithm = Literal["ppo", "trpo"]

_ON_POLICY = {"ppo": PPO, "trpo": TRPO}
_ON_POLICY_DEFAULTS: dict[str, dict[str, Any]] = {
    "ppo": {
        "n_steps": 128,
        "batch_size": 512,
        "n_epochs": 10,
        "learning_rate": 3e-4,
        "gamma": 0.995,
        "gae_lambda": 0.97,
        "clip_range": 0.2,
        "target_kl": 0.03,
    },
    "trpo": {"n_steps": 128, "batch_size": 512, "gamma": 0.995, "gae_lambda": 0.97},
}
_SAC_DEFAULTS = {"buffer_size": 300_000, "batch_size": 256, "learning_starts": 5_000}


class SB3Agent(Agent):
    """What the agents share: a world, an SB3 model without an environment, figures and state.

    Attributes:
        world: where it acts.
        model: the SB3 algorithm.
    """

    model: BaseAlgorithm

    def __init__(self, world: World, seed: int) -> None:
        super().__init__()
        self.world = world
        self._generator = torch.Generator().manual_seed(seed)

    @property
    def steps(self) -> int:
        """Environment steps taken so far, over all copies."""
        return self.model.num_timesteps

    def save(self, path: Path | str) -> None:
        """Write the model as a zip that SB3 opens by itself, where gantools is not installed."""
        cloudpickle.register_pickle_by_value(policies)  # our normaliser goes along
        try:
            self.model.save(path)
        finally:
            cloudpickle.unregister_pickle_by_value(policies)

    def set_progress_remaining(self, fraction: float) -> None:
        """Say how much of the training remains, 1 to 0, for SB3's schedules (learning rate, …)."""
        self.model._current_progress_remaining = fraction

    def experience(self, turn: Turn, size: int) -> Transitions:
        """Draw ``size`` of the transitions that the agent learns from: here of this turn's rollout.

        Drawn with replacement from ``turn.generator``; flat, [size].
        """
        steps = self.rollout(turn).flatten()
        return steps[turn.randint(len(steps), (size,)).cpu()]

    def termination_rate(self, turn: Turn) -> float:
        """The fraction of terminating steps among those that :meth:`experience` draws from."""
        return self.rollout(turn).terminated.float().mean().item()

    def state_dict(self) -> dict[str, Any]:
        """Return policy, optimizers, world, random state and counters."""
        return {
            "parameters": self.model.get_parameters(),
            "world": self.world.state_dict(),
            "generator": self._generator.get_state(),
            "steps": self.model.num_timesteps,
            "updates": self.model._n_updates,
            "progress_remaining": self.model._current_progress_remaining,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state; replays the world's epoch (see ``World``)."""
        self.model.set_parameters(state["parameters"], exact_match=True, device="cpu")
        self.world.load_state_dict(state["world"])
        self._generator.set_state(state["generator"])
        self.model.num_timesteps = int(state["steps"])
        self.model._n_updates = int(state["updates"])
        self.model._current_progress_remaining = float(state["progress_remaining"])

    def _set_up(self, model: BaseAlgorithm) -> None:
        """Give a model made with ``env=None`` the world's spaces and build its networks."""
        model.observation_space = self.world.observation_space
        model.action_space = self.world.action_space
        model.n_envs = self.world.n
        with self._seeded():
            model._setup_model()
        model.set_logger(Logger(folder=None, output_formats=[]))
        self.model = model

    def _seeded(self) -> _SeededTorch:
        return _SeededTorch(self._generator)

    def _checked(self, rewards: Tensor) -> Tensor:
        if not torch.isfinite(rewards).all():
            raise NonFiniteError("its rewards are not finite")
        return rewards.detach().float()

    def _figures(self) -> dict[str, float]:
        """What SB3 logged since the last call, and the returns of the episodes that finished."""
        logged = self.model.logger.name_to_value
        figures = {name.removeprefix("train/"): float(value) for name, value in logged.items()}
        logged.clear()
        for name, value in figures.items():
            if name.endswith("loss") and not math.isfinite(value):
                raise NonFiniteError(f"its {name} is {value}")
        episodes = self.world.drain()
        if episodes:
            returns, lengths = zip(*episodes, strict=True)
            figures["episode_return"] = float(np.mean(returns))
            figures["episode_length"] = float(np.mean(lengths))
        return {**figures, "steps": self.steps}


class OnPolicyAgent(SB3Agent):
    """PPO or TRPO on rollouts of all copies of a world.

    A rollout is collected with the policy's actor alone; values and log-probabilities follow in
    one pass, rewards in one call. Where a limit cut an episode, the value of the true successor
    stands for its future; where it terminated, nothing does.

    Example:
        >>> agent = OnPolicyAgent(World("CartPole-v1", 8, seed=0), n_steps=32)
        >>> figures = agent.learn(agent.collect(), lambda transitions: transitions.reward)
    """

    model: PPO | TRPO

    def __init__(
        self,
        world: World,
        algorithm: OnPolicyAlgorithm = "ppo",
        *,
        seed: int = 0,
        normalize_observations: bool = False,
        **hyperparameters: Any,
    ) -> None:
        """Build the policy (64-64 tanh by default).

        Args:
            world: where to act.
            algorithm: "ppo" or "trpo".
            seed: of the initial weights, the actions and the minibatches.
            normalize_observations: whether the policy normalises observations by their running
                mean and variance, which it learns from its rollouts and carries with it.
            hyperparameters: as SB3 calls them; they replace the defaults at the top of this file.
        """
        super().__init__(world, seed)
        settings = {**_ON_POLICY_DEFAULTS[algorithm], **hyperparameters}
        policy_kwargs: dict[str, Any] = {"optimizer_kwargs": {"eps": 1e-5, "fused": True}}
        if normalize_observations:
            policy_kwargs["features_extractor_class"] = Normalizer
        settings["policy_kwargs"] = policy_kwargs | settings.get("policy_kwargs", {})
        self._set_up(
            _ON_POLICY[algorithm](
                "MlpPolicy", None, device="cpu", _init_setup_model=False, **settings
            )
        )
        self._buffer = self.model.rollout_buffer = WholeRolloutBuffer(
            self.model.n_steps,
            world.observation_space,
            world.action_space,
            device="cpu",
            gae_lambda=self.model.gae_lambda,
            gamma=self.model.gamma,
            n_envs=world.n,
            generator=self._generator,
        )
        self._drawn: Tensor  # the last rollout's actions before clipping, which PPO's ratio needs

    @torch.no_grad()
    def collect(self, turn: Turn | None = None) -> Transitions:
        """Act for ``n_steps`` in all copies: transitions of leading shape [n_steps, n]."""
        policy: ActorCriticPolicy = self.model.policy
        policy.set_training_mode(False)
        noise = draw_noise(policy, self.model.n_steps, self.world.n, generator=self._generator)
        taken: list[tuple[np.ndarray, ...]] = []
        obs = self.world.obs
        for step_noise in noise:
            drawn = draw(policy, actor_head(policy, torch.from_numpy(obs)), step_noise).numpy()
            step = self.world.step(drawn)
            taken.append((obs, drawn, *step[1:]))
            obs = step.obs
        seen, self._drawn, *rest = (torch.from_numpy(np.stack(x)) for x in zip(*taken, strict=True))
        self.model.num_timesteps += seen.shape[0] * seen.shape[1]
        return Transitions(seen, torch.from_numpy(self.world.clip(self._drawn.numpy())), *rest)

    def learn(
        self, rollout: Transitions, reward: Reward, turn: Turn | None = None
    ) -> dict[str, float]:
        """Update on the last collected rollout, with ``reward(rollout)`` of shape [T, n] or [N]."""
        if turn is not None:
            self.set_progress_remaining(1 - turn.progress)
        policy, buffer = self.model.policy, self._buffer
        rewards = self._checked(reward(rollout)).reshape(rollout.shape).clone()
        mean_reward = rewards.mean().item()
        with torch.no_grad():
            values, log_probs, _ = policy.evaluate_actions(
                rollout.obs.flatten(0, 1), self._drawn.flatten(0, 1)
            )
            cut = rollout.truncated
            futures = policy.predict_values(rollout.next_obs[cut])[:, 0]
            rewards[cut] += self.model.gamma * futures
            last_values = policy.predict_values(torch.from_numpy(self.world.obs))
        done = (rollout.terminated | cut).float()
        buffer.fill(
            obs=rollout.obs,
            actions=self._drawn,
            rewards=rewards,
            episode_starts=done.roll(1, 0),
            values=values.view(rollout.shape),
            log_probs=log_probs.view(rollout.shape),
        )
        buffer.compute_returns_and_advantage(last_values, done[-1].numpy())
        with self._seeded():
            self.model.train()
        if isinstance(policy.features_extractor, Normalizer):
            policy.features_extractor.update(rollout.obs.flatten(0, 1))
        return {**self._figures(), "reward": mean_reward}


class OffPolicyAgent(SB3Agent):
    """SAC, whose replayed transitions are worth what the reward says at each gradient step."""

    model: SAC

    def __init__(
        self,
        world: World,
        algorithm: Literal["sac"] = "sac",
        *,
        seed: int = 0,
        train_freq: int = 1,
        gradient_steps: int = 1,
        **hyperparameters: Any,
    ) -> None:
        """Build the networks and an empty replay buffer.

        Args:
            world: where to act; its actions must be a Box.
            algorithm: "sac".
            seed: of the initial weights, the actions and what is replayed.
            train_freq: steps of all n copies together in a rollout, then the agent learns.
            gradient_steps: how many gradient steps it then makes.
            hyperparameters: as SB3 calls them; they replace the defaults at the top of this file.

        Raises:
            UserError: the actions are Discrete.
        """
        if not isinstance(world.action_space, spaces.Box):
            raise UserError(
                f"SAC needs continuous actions, and {world.env_id!r} has {world.action_space}: "
                "choose ppo or trpo."
            )
        super().__init__(world, seed)
        self._train_freq = train_freq
        self._gradient_steps = gradient_steps
        model = SAC(
            "MlpPolicy",
            None,  # type: ignore[arg-type]  # SB3 itself loads models without an environment
            device="cpu",
            target_entropy=-float(world.action_space.shape[0]),
            _init_setup_model=False,
            **{**_SAC_DEFAULTS, **hyperparameters},
        )
        model.replay_buffer = self._buffer = RelabellingReplayBuffer(
            model.buffer_size,
            world.observation_space,
            world.action_space,
            device="cpu",
            n_envs=world.n,
            generator=self._generator,
        )
        self._set_up(model)

    @torch.no_grad()
    def collect(self, turn: Turn | None = None) -> Transitions:
        """Act ``train_freq`` times in all copies, at random until ``learning_starts`` steps."""
        taken: list[tuple[np.ndarray, ...]] = []
        with self._seeded():
            for _ in range(self._train_freq):
                obs = self.world.obs
                actions = self.world.clip(self._act(obs))
                step: Step = self.world.step(actions)
                self._buffer.add_step(obs, actions, step)
                taken.append((obs, actions, *step[1:]))
                self.model.num_timesteps += self.world.n
        return Transitions(*(torch.from_numpy(np.stack(x)) for x in zip(*taken, strict=True)))

    def learn(
        self, rollout: Transitions, reward: Reward, turn: Turn | None = None
    ) -> dict[str, float]:
        """Make the gradient steps on replayed transitions, each relabelled by ``reward``."""
        if turn is not None:
            self.set_progress_remaining(1 - turn.progress)
        self._buffer.reward = lambda transitions: self._checked(reward(transitions))
        if self.steps >= self.model.learning_starts:
            with self._seeded():
                self.model.train(self._gradient_steps, self.model.batch_size)
        return self._figures()

    def experience(self, turn: Turn, size: int) -> Transitions:
        """Draw ``size`` transitions of the replay buffer, with replacement; flat, [size]."""
        self.rollout(turn)
        return self._buffer.draw(size, turn.generator)

    def termination_rate(self, turn: Turn) -> float:
        """The fraction of terminating steps in the replay buffer."""
        self.rollout(turn)
        return float(self._buffer.dones[: self._buffer.size()].mean())

    def state_dict(self) -> dict[str, Any]:
        """Return policy, optimizers, world, random state, counters and the replay buffer."""
        return {
            **super().state_dict(),
            "log_ent_coef": self.model.log_ent_coef,  # None where it is not learned
            "replay": self._buffer.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state; replays the world's epoch (see ``World``)."""
        super().load_state_dict(state)
        if self.model.log_ent_coef is not None:
            self.model.log_ent_coef.data.copy_(state["log_ent_coef"])
        self._buffer.load_state_dict(state["replay"])

    def _act(self, obs: np.ndarray) -> np.ndarray:
        if self.steps < self.model.learning_starts:
            space = self.model.action_space
            assert isinstance(space, spaces.Box)
            uniform = torch.rand(self.world.n, *space.shape).numpy()
            return space.low + (space.high - space.low) * uniform
        return self.model.predict(obs, deterministic=False)[0]


def behaviour_clone(
    policy: ActorCriticPolicy, obs: Tensor, action: Tensor, *, steps: int = 400, lr: float = 1e-3
) -> float:
    """Warm-start a policy's actor by maximum likelihood on demonstrations, full-batch.

    Args:
        policy: an on-policy agent's ``model.policy``; moves in place, its value function does not.
        obs: float32 [N, d].
        action: float32 [N, a], or int64 [N].
        steps: of Adam.
        lr: its learning rate.

    Returns:
        The last mean negative log-likelihood.
    """
    actor = [p for name, p in policy.named_parameters() if "value" not in name]
    optimizer = torch.optim.Adam(actor, lr=lr, fused=True)
    for _ in range(steps):
        loss = -policy.get_distribution(obs).log_prob(action).mean()
        optimizer.zero_grad()
        loss.backward(inputs=actor)
        optimizer.step()
    return loss.item()


class _SeededTorch:
    """While entered, torch's global generator, from which SB3 draws, is seeded from ours."""

    def __init__(self, generator: torch.Generator) -> None:
        self._generator = generator

    def __enter__(self) -> None:
        self._outer = torch.get_rng_state()
        torch.manual_seed(int(torch.randint(2**31, (), generator=self._generator)))

    def __exit__(self, *_: object) -> None:
        torch.set_rng_state(self._outer)
