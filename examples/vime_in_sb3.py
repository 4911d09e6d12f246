"""VIME's bonus in a training of stable-baselines3, without the rest of gantools.

python examples/vime_in_sb3.py
"""

from gantools_vime.environments import register
from gantools_vime.wrapper import VIMEBonus
from gymnasium.wrappers import RescaleObservation
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecEnv


def make(copies: int, seed: int) -> VecEnv:
    """A reward of 1 at the goal and nothing before; observations between -1 and 1."""
    limits = {"min_obs": -1, "max_obs": 1}
    task = "gantools/SparseMountainCar-v0"
    return make_vec_env(task, copies, seed, wrapper_class=RescaleObservation, wrapper_kwargs=limits)


if __name__ == "__main__":
    register()  # the sparse tasks; any other environment will do

    env = VIMEBonus(make(16, seed=0))
    policy = PPO("MlpPolicy", env, n_steps=128, batch_size=512, gamma=0.995, seed=0)
    policy.learn(60_000)

    # Evaluated where no bonus is paid.
    mean, _ = evaluate_policy(policy, make(1, seed=1), n_eval_episodes=20)
    print(f"the goal is reached in {mean:.0%} of episodes")
