"""Train an expert by PPO on a task's own reward and record its demonstrations.

``python train.py --env Hopper-v5 --seed 0`` writes ``../gantools_gail/demonstrations/<env>.npz``.
README.md in this folder says what the recorded experts reach.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from stable_baselines3 import PPO
from torch import Tensor

from gantools.agents import Episodes, OnPolicyAgent, Transitions, World, demonstrate, evaluate

Reward = Callable[[Transitions], Tensor]
DEMONSTRATIONS = Path(__file__).parent.parent / "gantools_gail" / "demonstrations"


def own_reward(transitions: Transitions) -> Tensor:
    """The task's own reward."""
    return transitions.reward


def mountain_car_reward(transitions: Transitions) -> Tensor:
    """The task's -1 a step, plus a potential difference: the car's mechanical energy.

    Without it no policy that PPO begins with ever reaches the flag within 200 steps. The energy is
    that of a mass in the task's own gravity, scaled so that the way up is worth about 60.
    """

    def potential(obs: Tensor) -> Tensor:
        position, velocity = obs.unbind(-1)
        return 20_000 * (0.5 * velocity.square() + 0.0025 / 3 * torch.sin(3 * position))

    return transitions.reward + potential(transitions.next_obs) - potential(transitions.obs)


@dataclass(frozen=True)
class Settings:
    """How an expert is trained."""

    steps: int  # of the environment
    hyperparameters: dict[str, object] = field(default_factory=dict)  # of SB3's PPO
    reward: Reward = own_reward
    copies: int = 16
    first_check: float = 0.5  # fraction of the training after which checkpoints compete


LOCOMOTION = {"gamma": 0.99, "gae_lambda": 0.95, "target_kl": None}
CHEETAH = {
    "gamma": 0.98,
    "gae_lambda": 0.92,
    "batch_size": 256,
    "target_kl": None,
    "max_grad_norm": 0.8,
    "policy_kwargs": {
        "log_std_init": -2.0,
        "net_arch": [128, 128],
        "activation_fn": torch.nn.ReLU,
        "ortho_init": False,
    },
}
CLASSIC = {"n_steps": 64, "gamma": 0.99, "gae_lambda": 0.95, "learning_rate": 1e-3}
SETTINGS = {
    "Hopper-v5": Settings(2_000_000, {**LOCOMOTION, "gamma": 0.995}),
    "Walker2d-v5": Settings(4_000_000, LOCOMOTION),
    "HalfCheetah-v5": Settings(1_200_000, CHEETAH),
    "CartPole-v1": Settings(200_000, CLASSIC),
    "Acrobot-v1": Settings(400_000, {**CLASSIC, "ent_coef": 0.01, "target_kl": None}),
    "MountainCar-v0": Settings(1_000_000, CLASSIC, mountain_car_reward),
    "Pendulum-v1": Settings(
        300_000, {**CLASSIC, "gamma": 0.95, "batch_size": 256, "target_kl": None}
    ),
}


class ReturnScale:
    """Divides rewards by the running standard deviation of discounted returns."""

    def __init__(self, copies: int, gamma: float) -> None:
        self._gamma = gamma
        self._running = torch.zeros(copies)
        self._count, self._sum, self._squares = 0, 0.0, 0.0

    def __call__(self, rewards: Tensor, done: Tensor) -> Tensor:
        """Take in and scale the rewards [T, n] of a rollout."""
        for reward, ended in zip(rewards, done, strict=True):
            self._running = self._gamma * self._running + reward
            self._count += len(reward)
            self._sum += self._running.sum().item()
            self._squares += self._running.square().sum().item()
            self._running[ended] = 0
        mean = self._sum / self._count
        return rewards / (self._squares / self._count - mean**2 + 1e-8) ** 0.5


def train(env: str, seed: int, best: Path) -> None:
    """Train; of the policies in the later part, ``best`` keeps the one of best mean - std."""
    settings = SETTINGS[env]
    world = World(env, settings.copies, seed=seed)
    learning_rate = float(settings.hyperparameters.get("learning_rate", 3e-4))
    agent = OnPolicyAgent(
        world,
        seed=seed,
        normalize_observations=True,
        **{**settings.hyperparameters, "learning_rate": lambda left: learning_rate * left},
    )
    scale = ReturnScale(settings.copies, agent.model.gamma)

    def reward(transitions: Transitions) -> Tensor:
        done = transitions.terminated | transitions.truncated
        return scale(settings.reward(transitions), done)

    began, best_score = time.time(), -np.inf
    next_check = settings.first_check
    while agent.steps < settings.steps:
        done = agent.steps / settings.steps
        agent.set_progress_remaining(1 - done)
        figures = agent.learn(agent.collect(), reward)
        if done < next_check and agent.steps < settings.steps:
            continue
        next_check += 0.05
        checked = evaluate(agent.model, env, 10, seed=900)
        score = np.mean(checked.returns) - np.std(checked.returns)
        if score > best_score:
            best_score = score
            agent.model.save(best)
        print(
            f"{agent.steps:9d} steps {time.time() - began:6.0f} s "
            f"training {figures.get('episode_return', np.nan):8.1f} {describe(checked)}",
            flush=True,
        )


def describe(episodes: Episodes) -> str:
    """Return the episodes' mean ± standard deviation and range of lengths."""
    return (
        f"{np.mean(episodes.returns):.1f} ± {np.std(episodes.returns):.1f}, "
        f"lengths {min(episodes.lengths)}–{max(episodes.lengths)}"
    )


def main() -> None:
    """Train unless the checkpoint is there already; then record demonstrations and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", required=True, choices=SETTINGS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=10, help="to record")
    parser.add_argument("--checkpoints", type=Path, default=Path("expert-checkpoints"))
    parser.add_argument("--out", type=Path, default=DEMONSTRATIONS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.checkpoints.mkdir(parents=True, exist_ok=True)
    best = arguments.checkpoints / f"{arguments.env}-seed{arguments.seed}.zip"
    if not best.exists():
        train(arguments.env, arguments.seed, best)
    expert = PPO.load(best, device="cpu")
    source = (
        f"PPO, seed {arguments.seed}, {expert.num_timesteps:,} steps, deterministic; "
        f"plugins/gantools-gail/experts/train.py --env {arguments.env} --seed {arguments.seed}"
    )
    recorded = demonstrate(expert, arguments.env, arguments.episodes, source=source)
    recorded.save(arguments.out / f"{arguments.env}.npz")
    print(
        f"recorded: {describe(Episodes(recorded.returns.tolist(), recorded.lengths.tolist(), []))}"
    )
    print(
        f"{expert.num_timesteps:,} steps; 20 episodes: {describe(evaluate(expert, arguments.env))}"
    )


if __name__ == "__main__":
    main()
