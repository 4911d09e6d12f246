"""Demonstrations: an expert's episodes, from a file, a Minari dataset or a policy that plays."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from gantools.agents.evaluation import Predict, play
from gantools.agents.worlds import make, resolve
from gantools.errors import UserError
from gantools.files import aside

FIRST_DEMONSTRATION_SEED = 20_000_000
_KEYS = ("obs", "act", "next_obs", "ep_len", "ep_ret", "terminated")


@dataclass(frozen=True)
class Demonstrations:
    """An expert's steps, episode after episode.

    Attributes:
        obs: float32 [N, d].
        action: float32 [N, a], clipped to the box, or int64 [N].
        next_obs: float32 [N, d], the true successors.
        terminated: bool [N], whether the task ended the episode with this step.
        lengths: int64 [E], the steps kept of each episode; they sum to N.
        durations: int64 [E], the steps that the whole episodes had.
        returns: float32 [E], the whole episodes' undiscounted returns.
        ended: bool [E], whether each whole episode ended by termination, not by a time limit; a
            subsample may lack the last step, so ``terminated`` does not say it.
        env_id: the environment.
        source: where the steps come from, for reports.
        deterministic: whether the expert acted by its mode; None if unknown.
    """

    obs: Tensor
    action: Tensor
    next_obs: Tensor
    terminated: Tensor
    lengths: Tensor
    durations: Tensor
    returns: Tensor
    ended: Tensor
    env_id: str
    source: str
    deterministic: bool | None = None

    def __len__(self) -> int:
        """N, the number of steps."""
        return len(self.obs)

    def subsample(
        self, trajectories: int | None = 4, pairs: int | None = 50, *, seed: int = 0
    ) -> Demonstrations:
        """Return the GAIL paper's setting: few episodes, and few evenly spaced steps of each.

        Args:
            trajectories: how many episodes, drawn without replacement; None takes all.
            pairs: at most how many steps of each: every (length // pairs)-th from a random offset;
                None takes all.
            seed: of the draw and the offsets.

        Raises:
            UserError: there are fewer episodes than asked for.
        """
        rng = np.random.default_rng(seed)
        episodes = len(self.lengths)
        if trajectories is not None and trajectories > episodes:
            raise UserError(
                f"{trajectories} trajectories were asked for, and {self.source} has {episodes}: "
                f"ask for at most {episodes}."
            )
        chosen = np.sort(rng.permutation(episodes)[:trajectories])
        starts = np.cumsum(self.lengths.numpy()) - self.lengths.numpy()
        kept = []
        for start, length in zip(starts[chosen], self.lengths.numpy()[chosen], strict=True):
            stride = max(1, length // (pairs or length))
            kept.append(np.arange(start + rng.integers(stride), start + length, stride)[:pairs])
        steps = torch.from_numpy(np.concatenate(kept))
        return replace(
            self,
            obs=self.obs[steps],
            action=self.action[steps],
            next_obs=self.next_obs[steps],
            terminated=self.terminated[steps],
            lengths=torch.tensor([len(indices) for indices in kept]),
            durations=self.durations[chosen],
            returns=self.returns[chosen],
            ended=self.ended[chosen],
        )

    def save(self, path: Path | str) -> None:
        """Write a compressed .npz that ``load`` reads: whole, or not at all."""
        deterministic = self.deterministic
        with aside(Path(path)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(
                file,
                obs=self.obs.numpy(),
                act=self.action.numpy(),
                next_obs=self.next_obs.numpy(),
                ep_len=self.lengths.numpy(),
                ep_ret=self.returns.numpy(),
                terminated=self.ended.numpy(),
                source=self.source,
                **({} if deterministic is None else {"deterministic": deterministic}),
            )


def load(source: str | Path, env: str) -> Demonstrations:
    """Load demonstrations for an environment, and check that they fit it.

    Args:
        source: a .npz, .hdf5 or .h5 file with ``obs`` [N, d], ``act`` [N, a] or [N], ``next_obs``,
            and per episode ``ep_len``, ``ep_ret``, ``terminated``; a Minari dataset as
            ``minari:NAME`` or its folder; or an SB3 ``.zip`` model, which then plays 10 episodes.
            (Such a model holds pickled code: load only those that you trust.)
        env: the environment, as ``worlds.resolve`` takes it.

    Raises:
        UserError: the source is missing, unreadable, or does not fit the environment.
    """
    env_id, text = resolve(env), str(source)
    with closing(make(env_id)) as world:
        if (Path(text) / "manifest.json").exists():
            raise UserError(
                f"{text!r} is a run: let its policy play first, `gantools gail record {text}`."
            )
        if text.startswith("minari:") or Path(text).is_dir():
            return _check(_read_minari(text.removeprefix("minari:"), world), world, env_id, text)
        path = Path(text)
        if not path.is_file():
            raise UserError(f"No demonstrations at {text!r}: check the path.")
        if path.stat().st_size == 0:
            raise UserError(f"{text!r} is empty: write or download it again.")
        if path.suffix == ".zip":
            return demonstrate(_load_model(path, world), env_id, source=text)
        if path.suffix not in _READERS:
            raise UserError(
                f"{text!r} is not of a known kind: .npz, .hdf5, .h5, an SB3 .zip, or minari:NAME."
            )
        try:
            return _check(_READERS[path.suffix](path), world, env_id, text)
        except _UNREADABLE as error:
            raise UserError(f"{text!r} cannot be read: {error}. Write it again.") from error


def demonstrate(
    predict: Predict,
    env: str,
    episodes: int = 10,
    *,
    seed: int = 0,
    deterministic: bool = True,
    source: str = "a policy",
) -> Demonstrations:
    """Let a policy play whole episodes in plain ``gym.make`` and return them.

    Args:
        predict: an SB3 model or policy, or a function from an observation to an action.
        env: the environment, as ``worlds.resolve`` takes it.
        episodes: how many.
        seed: episode i is reset with ``20_000_000 + 1000 * seed + i``: seeds apart from those of
            training and of evaluation.
        deterministic: whether a model or policy acts by its mode rather than by drawing.
        source: what the demonstrations say of where they come from.
    """
    env_id = resolve(env)
    with closing(make(env_id)) as world:
        first = FIRST_DEMONSTRATION_SEED + 1000 * seed
        played = [
            play(predict, world, seed=first + i, deterministic=deterministic)
            for i in range(episodes)
        ]
        steps = [step for episode in played for step in episode]
        columns = {
            "obs": np.stack([step.obs for step in steps]),
            "act": np.stack([step.action for step in steps]),
            "next_obs": np.stack([step.next_obs for step in steps]),
            "ep_len": np.array([len(episode) for episode in played]),
            "ep_ret": np.array([sum(step.reward for step in episode) for episode in played]),
            "terminated": np.array([episode[-1].terminated for episode in played]),
            "deterministic": np.array(deterministic),
        }
        return _check(columns, world, env_id, source)


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    if not zipfile.is_zipfile(path):
        raise ValueError("it is not an .npz file")
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _read_hdf5(path: Path) -> dict[str, np.ndarray]:
    import h5py

    with h5py.File(path) as file:
        return {key: np.asarray(file[key]) for key in (*_KEYS, "deterministic") if key in file}


_UNREADABLE = (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
_READERS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    ".npz": _read_npz,
    ".hdf5": _read_hdf5,
    ".h5": _read_hdf5,
}


def _read_minari(name: str, env: gym.Env) -> dict[str, np.ndarray]:
    try:
        import minari
    except ImportError as error:
        raise UserError(
            f"Reading 'minari:{name}' needs Minari: pip install 'minari[hdf5]'."
        ) from error
    try:
        folder = Path(name) / "data"
        dataset = minari.MinariDataset(folder) if folder.is_dir() else minari.load_dataset(name)
        episodes = list(dataset.iterate_episodes())
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UserError(
            f"No readable Minari dataset {name!r} here ({error}): run 'minari download {name}' "
            "first, or give the dataset's folder."
        ) from error
    space: Any = env.unwrapped.observation_space
    flat = [
        np.array([spaces.flatten(space, obs) for obs in episode.observations])
        for episode in episodes
    ]
    return {
        "obs": np.concatenate([obs[:-1] for obs in flat]),
        "act": np.concatenate([episode.actions for episode in episodes]),
        "next_obs": np.concatenate([obs[1:] for obs in flat]),
        "ep_len": np.array([len(episode) for episode in episodes]),
        "ep_ret": np.array([episode.rewards.sum() for episode in episodes]),
        "terminated": np.array([episode.terminations[-1] for episode in episodes]),
    }


def _load_model(path: Path, env: gym.Env) -> Predict:
    from stable_baselines3 import DQN, PPO, SAC, TD3

    for algorithm in (PPO, SAC, TD3, DQN):  # PPO opens every actor-critic: TRPO's and A2C's too
        try:
            model = algorithm.load(path, device="cpu")
        except Exception:  # a model of another algorithm fails in as many ways as there are
            continue
        spaces_of_model = (model.observation_space, model.action_space)
        spaces_of_env = (env.observation_space, env.action_space)
        for mine, its in zip(spaces_of_model, spaces_of_env, strict=True):
            if mine.shape != its.shape or getattr(mine, "n", None) != getattr(its, "n", None):
                raise UserError(f"{str(path)!r} was trained for {mine}, and the task has {its}.")
        return model
    raise UserError(f"{str(path)!r} is not an SB3 model that PPO, TRPO, A2C, SAC, TD3 or DQN made.")


def _check(columns: Mapping[str, Any], env: gym.Env, env_id: str, source: str) -> Demonstrations:
    """Turn columns into demonstrations of this environment, or say what is wrong with them."""
    missing = [key for key in _KEYS if key not in columns]
    if missing:
        raise UserError(f"{source!r} lacks {', '.join(missing)}: it needs {', '.join(_KEYS)}.")
    lengths = np.asarray(columns["ep_len"], np.int64)
    steps, episodes = int(lengths.sum()), len(lengths)
    if steps == 0:
        raise UserError(f"{source!r} holds no steps: record some episodes first.")
    if (lengths < 1).any():
        raise UserError(f"ep_len in {source!r} holds {lengths.min()}: every episode has steps.")
    observed = env.observation_space.shape
    actions: Any = env.action_space
    discrete = isinstance(actions, spaces.Discrete)
    acted = () if discrete else actions.shape
    if discrete and np.shape(columns["act"]) == (steps, 1):
        columns = {**columns, "act": np.asarray(columns["act"])[:, 0]}
    wanted = {"obs": observed, "next_obs": observed, "act": acted}
    for key, shape in {**wanted, "ep_ret": None, "terminated": None}.items():
        expected = (episodes,) if shape is None else (steps, *shape)
        if np.shape(columns[key]) != expected:
            raise UserError(
                f"{key} in {source!r} has shape {np.shape(columns[key])}, and {env_id} with these "
                f"{episodes} episodes of {steps} steps needs {expected}: is it another task's?"
            )
        if not np.isfinite(columns[key]).all():
            raise UserError(f"{key} in {source!r} holds NaN or infinity: record it again.")
    action = np.asarray(columns["act"])
    if not discrete:
        action = np.clip(action, actions.low, actions.high).astype(np.float32)
    elif not np.isin(action, np.arange(actions.n)).all():
        raise UserError(
            f"act in {source!r} holds other values than {env_id}'s actions 0 to "
            f"{actions.n - 1}: is it another task's?"
        )
    ended = np.asarray(columns["terminated"], bool)
    terminated = np.zeros(steps, bool)
    terminated[np.cumsum(lengths) - 1] = ended
    deterministic = columns.get("deterministic")
    return Demonstrations(
        obs=torch.tensor(np.asarray(columns["obs"], np.float32)),
        action=torch.tensor(action.astype(np.int64) if discrete else action),
        next_obs=torch.tensor(np.asarray(columns["next_obs"], np.float32)),
        terminated=torch.tensor(terminated),
        lengths=torch.tensor(lengths),
        durations=torch.tensor(lengths),
        returns=torch.tensor(np.asarray(columns["ep_ret"], np.float32)),
        ended=torch.tensor(ended),
        env_id=env_id,
        source=source,
        deterministic=None if deterministic is None else bool(deterministic),
    )
