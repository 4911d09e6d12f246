"""VIME in any stable-baselines3 training: a wrapper of the environments that are trained in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper
from stable_baselines3.common.vec_env.base_vec_env import VecEnvStepReturn
from torch import Tensor
from torch.nn.functional import one_hot

from gantools import UserError
from gantools.agents import Bonus, discrete_actions
from gantools_vime.bonuses import VIME, Normalizer
from gantools_vime.pool import Pool


class VIMEBonus(VecEnvWrapper):
    """Adds η · surprise / median, capped, to every reward; its model learns from all that it sees.

    Steps are scored as they come. After each ``rollout`` of them they go into the pool and the
    statistics, and the model moves; the first rollout is paid nothing, for until then surprise has
    no scale. Whatever is inside (``Monitor``, say) and any environment of its own, such as one to
    evaluate in, sees the task's reward alone.

    Args:
        venv: observations are a Box, actions a one-dimensional Box or Discrete.
        eta: η, what an ordinary transition's surprise is worth in reward.
        bonus: makes the model from d and a, such as another class of :mod:`gantools_vime.bonuses`.
        cap: no step's surprise is worth more than this many times η.
        rollout: steps, over all copies together, from one time the model learns to the next.
        moves: the model's moves each time.
        batch: transitions of the pool in a move.
        lr: the model's learning rate.
        pool: transitions that are kept.
        seed: of the model.

    Attributes:
        model: the bonus.

    Raises:
        UserError: such spaces are not supported, or η is negative.

    Example:
        >>> from stable_baselines3 import PPO
        >>> from stable_baselines3.common.env_util import make_vec_env
        >>> env = VIMEBonus(make_vec_env("MountainCarContinuous-v0", 2))
        >>> model = PPO("MlpPolicy", env)  # and .learn(100_000)
    """

    def __init__(
        self,
        venv: VecEnv,
        eta: float = 1e-3,
        bonus: Callable[[int, int], Bonus] = VIME,
        *,
        cap: float = 10.0,
        rollout: int = 2048,
        moves: int = 64,
        batch: int = 256,
        lr: float = 1e-3,
        pool: int = 1_000_000,
        seed: int = 0,
    ) -> None:
        super().__init__(venv)
        observations, actions = venv.observation_space, venv.action_space
        if not isinstance(observations, spaces.Box):
            raise UserError(f"VIMEBonus sees Box observations, not {observations}.")
        self._actions = discrete_actions(actions)
        if self._actions is None and not (
            isinstance(actions, spaces.Box) and len(actions.shape) == 1
        ):
            raise UserError(f"VIMEBonus knows Discrete and flat Box actions, not {actions}.")
        if eta < 0:
            raise UserError(f"η is what surprise is worth, at least 0, not {eta}.")
        sizes = spaces.flatdim(observations), spaces.flatdim(actions)
        self.eta, self.cap, self.rollout = eta, cap, rollout
        self.moves, self.batch = moves, batch
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            self.model = bonus(*sizes)
        self.pool = Pool(*sizes, pool)
        self.normalizer = Normalizer()
        self._optimizer = torch.optim.Adam(
            [p for p in self.model.parameters() if p.requires_grad], lr=lr
        )
        self._generator = torch.Generator().manual_seed(seed)
        self._seen: list[tuple[Tensor, Tensor, Tensor]] = []  # since the model last learned

    def reset(self) -> np.ndarray:
        """Begin new episodes: first observations, [n, …]."""
        self._obs = self.venv.reset()
        return self._obs

    def step_async(self, actions: np.ndarray) -> None:
        """Act; ``actions`` are [n, a] or [n]."""
        self._action = actions
        self.venv.step_async(actions)

    def step_wait(self) -> VecEnvStepReturn:
        """Observations, rewards with the bonus, dones and infos."""
        obs, rewards, dones, infos = self.venv.step_wait()
        next_obs = obs.copy()
        for i in np.flatnonzero(dones):  # obs is the next episode's first
            next_obs[i] = infos[i]["terminal_observation"]
        seen = self._features(self._obs), self._action_features(), self._features(next_obs)
        self._obs = obs
        self._seen.append(seen)
        if len(self.pool):
            surprise = self.normalizer(self.model.score(*seen)).clamp(max=self.cap)
            rewards = rewards + self.eta * surprise.numpy()
        if len(self._seen) * self.num_envs >= self.rollout:
            self._learn()
        return obs, rewards, dones, infos

    def _features(self, obs: np.ndarray) -> Tensor:
        return torch.tensor(obs.reshape(self.num_envs, -1), dtype=torch.float32)

    def _action_features(self) -> Tensor:
        if self._actions is None:
            return torch.tensor(self._action, dtype=torch.float32)
        return one_hot(torch.tensor(self._action), self._actions).float()

    def _learn(self) -> None:
        rollout = [torch.cat(columns) for columns in zip(*self._seen, strict=True)]
        self._seen.clear()
        self.pool.add(*rollout)
        self.model.update_statistics(*rollout)
        self.normalizer.update(self.model.score(*rollout))
        for _ in range(self.moves):
            drawn = self.pool.draw(self.batch, self._generator)
            terms = self.model.loss(*drawn, size=len(self.pool), generator=self._generator)
            self._optimizer.zero_grad()
            torch.stack(list(terms.values())).sum().backward()
            self._optimizer.step()
