"""Run an application from Python, then use what it trained.

python examples/gail_in_python.py
"""

import json

import gymnasium as gym
from stable_baselines3 import PPO

import gantools

if __name__ == "__main__":
    run = gantools.run("gail", env="CartPole", steps=50_000, episodes=5)
    print(json.loads(run.evaluation_file.read_text())["return_mean"])

    # The trained game, with its players by name …
    trained = gantools.load(run.path)
    print(trained.game.policy.steps, "environment steps,", trained.game.discriminator.module)

    # … or the policy alone, without gantools.
    policy, env = PPO.load(run.path / "policy.zip"), gym.make("CartPole-v1")
    observation, _ = env.reset(seed=1)
    print(policy.predict(observation, deterministic=True))
