"""Time GAIL of PyPI's imitation on Hopper: the other library's side of the speed comparison.

It runs in an environment of its own, since imitation 1.0.1 needs Gymnasium 0.29 and
stable-baselines3 2.2. From the repository's root:

    python3 -m venv .venv-imitation
    .venv-imitation/bin/pip install -r benchmarks/gail_speed/requirements-imitation.txt
    .venv-imitation/bin/python benchmarks/gail_speed/imitation_side.py --config tuned

One line of JSON goes to standard output, progress bars to standard error. Only the call that trains
is timed; one round (rollout, PPO, discriminator) goes before it unmeasured, as a warm-up.

Where a choice had to be made it is the one that makes imitation faster: no log files or tables
(its default writes both), and no `RolloutInfoWrapper` around the learner's environments.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from imitation.algorithms.adversarial.gail import GAIL
from imitation.data.types import Trajectory
from imitation.policies.base import NormalizeFeaturesExtractor
from imitation.rewards.reward_nets import BasicRewardNet
from imitation.util import logger
from imitation.util.networks import RunningNorm
from imitation.util.util import make_vec_env
from stable_baselines3 import PPO

# "rollout" is the steps of one round over all environments together, so that a round stays the
# documented one whatever --envs says. "ppo" and "gail" go to the constructors as they are.
CONFIGS: dict[str, dict[str, Any]] = {
    # The example in imitation's documentation (its GAIL page and its tutorial, which agree):
    # 8 environments with PPO's default of 2048 steps each. A buffer of 512 under batches of 1024
    # is what it says.
    "docs": {
        "rollout": 8 * 2048,
        "ppo": {
            "batch_size": 64,
            "n_epochs": 5,
            "learning_rate": 4e-4,
            "gamma": 0.95,
            "ent_coef": 0.0,
        },
        "gail": {
            "demo_batch_size": 1024,
            "gen_replay_buffer_capacity": 512,
            "n_disc_updates_per_round": 8,
        },
    },
    # What imitation ships as tuned for Hopper: scripts/config/tuned_hps/gail_seals_hopper_*.json.
    # Its normalisation of the reward net's output is left out: GAIL never calls that layer.
    "tuned": {
        "rollout": 4096,
        "ppo": {
            "batch_size": 512,
            "n_epochs": 20,
            "learning_rate": 4.3984856156897565e-5,
            "gamma": 0.995,
            "gae_lambda": 0.98,
            "clip_range": 0.1,
            "ent_coef": 0.001255299425412744,
            "vf_coef": 0.20315938606555833,
            "max_grad_norm": 0.9,
            "policy_kwargs": {
                "activation_fn": torch.nn.ReLU,
                "net_arch": {"pi": [64, 64], "vf": [64, 64]},
                "features_extractor_class": NormalizeFeaturesExtractor,
                "features_extractor_kwargs": {"normalize_class": RunningNorm},
            },
        },
        "gail": {
            "demo_batch_size": 128,
            "gen_replay_buffer_capacity": 4096,
            "n_disc_updates_per_round": 8,
        },
    },
    # Not documented by imitation: as much learning per environment step as gantools' recipe for
    # Hopper does, for a comparison at equal work (16 environments of 128 steps, at most 10 epochs
    # of 512; SB3 stops at 1.5 times `target_kl`, so at a KL of 0.03). The nets stay imitation's.
    "matched": {
        "rollout": 16 * 128,
        "ppo": {
            "batch_size": 512,
            "n_epochs": 10,
            "learning_rate": 3e-4,
            "gamma": 0.995,
            "gae_lambda": 0.97,
            "clip_range": 0.2,
            "target_kl": 0.02,
        },
        "gail": {
            "demo_batch_size": 256,
            "gen_replay_buffer_capacity": 2048,
            "n_disc_updates_per_round": 20,
        },
    },
}


def load_demonstrations(path: Path, low: np.ndarray, high: np.ndarray) -> list[Trajectory]:
    """Read a file of expert episodes as imitation's trajectories.

    Args:
        path: an .npz with `obs`, `act`, `next_obs` (one row a step, the episodes one after the
            other) and `ep_len` (steps of each episode).
        low: the environment's lowest actions; the expert's are clipped to them.
        high: the environment's highest actions.

    Returns:
        One trajectory an episode. It has one observation more than actions, and `terminal` is
        always true, as imitation calls a whole episode, whether it fell or ran out of time.
    """
    with np.load(path) as data:
        obs, act, next_obs = data["obs"], data["act"], data["next_obs"]
        ends = np.cumsum(data["ep_len"])
    act = np.clip(act, low, high)
    return [
        Trajectory(np.vstack([obs[a:b], next_obs[b - 1 : b]]), act[a:b], infos=None, terminal=True)
        for a, b in zip([0, *ends[:-1]], ends, strict=True)
    ]


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Train as `args` say and return what the JSON line holds."""
    torch.set_num_threads(args.threads)
    config = CONFIGS[args.config]
    ppo = dict(config["ppo"], n_steps=config["rollout"] // args.envs)
    if args.minibatch:
        ppo["batch_size"] = args.minibatch
    rounds = max(1, round(args.steps / config["rollout"]))

    venv = make_vec_env(
        args.env, rng=np.random.default_rng(args.seed), n_envs=args.envs, parallel=args.parallel
    )
    with tempfile.TemporaryDirectory() as folder:
        gail = GAIL(
            demonstrations=load_demonstrations(
                args.demos, venv.action_space.low, venv.action_space.high
            ),
            venv=venv,
            gen_algo=PPO("MlpPolicy", venv, seed=args.seed, device="cpu", **ppo),
            reward_net=BasicRewardNet(
                venv.observation_space, venv.action_space, normalize_input_layer=RunningNorm
            ),
            allow_variable_horizon=True,  # Hopper's episodes end when it falls
            log_dir=folder,
            custom_logger=logger.configure(folder, format_strs=[]),
            **config["gail"],
        )
        gail.train(config["rollout"])
        before = gail.gen_algo.num_timesteps
        start, cpu_start = time.perf_counter(), time.process_time()
        gail.train(rounds * config["rollout"])
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        env_steps = gail.gen_algo.num_timesteps - before
    venv.close()

    return {
        "library": "imitation",
        "version": version("imitation"),
        "env": args.env,
        "envs": args.envs,
        "env_steps": env_steps,
        "seconds": round(seconds, 3),
        "env_steps_per_second": round(env_steps / seconds, 1),
        # Steadier than seconds on a shared machine; not measured for SubprocVecEnv's workers.
        "cpu_seconds": None if args.parallel else round(cpu_seconds, 3),
        "settings": {
            "config": args.config,
            "vec_env": "SubprocVecEnv" if args.parallel else "DummyVecEnv",
            "threads": args.threads,
            "seed": args.seed,
            "gen_train_timesteps": gail.gen_train_timesteps,
            **config["gail"],
            "ppo": {key: value for key, value in ppo.items() if key != "policy_kwargs"},
            "policy_net": "64-64 ReLU, RunningNorm" if "policy_kwargs" in ppo else "64-64 tanh",
            "reward_net": "BasicRewardNet 32-32 ReLU, RunningNorm",
            "torch": version("torch"),
            "stable-baselines3": version("stable-baselines3"),
            "gymnasium": version("gymnasium"),
            "mujoco": version("mujoco"),
        },
    }


def main() -> None:
    """Read the command line, measure, print one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--env", default="Hopper-v4", help="Gymnasium id (default: %(default)s)")
    parser.add_argument("--envs", type=int, default=16, help="environments (default: %(default)s)")
    parser.add_argument(
        "--steps", type=int, default=50_000, help="timed steps, to the nearest round (%(default)s)"
    )
    parser.add_argument("--threads", type=int, default=1, help="torch threads (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed (default: %(default)s)")
    parser.add_argument(
        "--demos",
        type=Path,
        default=Path("../shared/data/experts/Hopper-v5.npz"),
        help="expert episodes, .npz with obs, act, next_obs, ep_len (default: %(default)s)",
    )
    parser.add_argument(
        "--config",
        choices=sorted(CONFIGS),
        default="docs",
        help="settings: the documentation's example, imitation's tuned ones for Hopper, or as much "
        "learning per step as gantools does (default: %(default)s)",
    )
    parser.add_argument("--parallel", action="store_true", help="SubprocVecEnv, not DummyVecEnv")
    parser.add_argument("--minibatch", type=int, help="PPO's minibatch, in place of the config's")
    args = parser.parse_args()

    for name in ("envs", "steps", "threads", "minibatch"):
        value = getattr(args, name)
        if value is not None and value < 1:
            parser.error(f"--{name} is {value}; it must be at least 1")
    rollout = CONFIGS[args.config]["rollout"]
    if rollout % args.envs:
        parser.error(f"--envs {args.envs} does not divide the {rollout} steps of a round")
    if not args.demos.is_file():
        parser.error(f"--demos {args.demos} is not a file; give an .npz of expert episodes")
    with np.load(args.demos) as data:
        missing = {"obs", "act", "next_obs", "ep_len"} - set(data.files)
    if missing:
        parser.error(f"--demos {args.demos} lacks {', '.join(sorted(missing))}")
    print(json.dumps(measure(args)))


if __name__ == "__main__":
    main()
