"""Worlds: n copies of one Gymnasium task, stepped together, whose exact state can be saved."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import find_highest_version, parse_env_id, registry
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import FlattenObservation

from gantools.errors import Note, UserError, did_you_mean

Physics = Literal["auto", "envpool", "gymnasium"]

# Training seeds lie above this line and evaluation seeds below it, so the two never meet.
FIRST_TRAINING_SEED = 2**29


class Step(NamedTuple):
    """What one step of all n copies gave."""

    obs: np.ndarray  # float32 [n, d]: what to act upon next; a new episode's first where one ended
    next_obs: np.ndarray  # float32 [n, d]: the true successor; an ended episode's last observation
    reward: np.ndarray  # float32 [n]
    terminated: np.ndarray  # bool [n]: the task itself ended the episode
    truncated: np.ndarray  # bool [n]: a time limit cut it (never together with terminated)


class Episode(NamedTuple):
    """A finished episode's true return (undiscounted) and its length in steps."""

    episode_return: float
    length: int


def resolve(env: str) -> str:
    """Return the full registered id that ``env`` means.

    Args:
        env: ``Hopper`` (the newest version; of a namespace, such as ``gantools/``, if only one has
            it), ``Hopper-v5`` or ``module:Hopper-v5``; the module is imported first, which is how
            a third party's environments get registered.

    Raises:
        UserError: the module or environment is unknown, or it cannot be made here.
    """
    make(env_id := _registered(env)).close()
    return env_id


def discrete_actions(space: spaces.Space) -> int | None:
    """How many Discrete actions there are; None for a Box."""
    return int(space.n) if isinstance(space, spaces.Discrete) else None


def _registered(env: str) -> str:
    module, _, name = env.rpartition(":")
    if module:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise UserError(
                f"Cannot import module {module!r} of environment {env!r}: {error}. "
                "Install the package that holds it."
            ) from error
    prefix = f"{module}:" if module else ""
    if name in registry:
        return prefix + name
    try:
        namespace, base, version = parse_env_id(name)
    except gym.error.Error:
        namespace, base, version = None, name, None
    namespaces = {spec.namespace for spec in registry.values() if spec.name == base}
    if namespace is None and version is None and len(namespaces) == 1:
        (namespace,) = namespaces
    newest = find_highest_version(namespace, base)
    full = f"{namespace}/" * bool(namespace) + f"{base}-v{newest}"
    if version is None and full in registry:
        return prefix + full
    raise UserError(
        f"Unknown environment {env!r}.{did_you_mean(name, _newest_first())} "
        "Any id registered with Gymnasium will do; write 'module:Name-v0' to import a module first."
    )


def _newest_first() -> list[str]:
    """All registered ids; of the equally near, ``did_you_mean`` takes the newest version."""
    return sorted(registry, key=lambda env_id: registry[env_id].version or 0)


def make(env: str, **kwargs: Any) -> gym.Env:
    """Make one environment with flat observations: ``gym.make`` with errors a user can act upon.

    Raises:
        UserError: the environment cannot be made, most often because an extra is not installed.
    """
    env_id = _registered(env)
    if "mujoco" in str(registry[env_id.rpartition(":")[2]].entry_point):
        _hear_mujoco()
    try:
        made = gym.make(env_id, **kwargs)
    except (gym.error.Error, ImportError) as error:
        raise UserError(f"Environment {env_id!r} cannot be made here: {error}") from error
    except TypeError as error:
        raise UserError(f"Environment {env_id!r} does not take {kwargs}: {error}") from error
    space = made.observation_space
    flat = isinstance(space, spaces.Box) and len(space.shape) == 1
    return made if flat else FlattenObservation(made)


def _hear_mujoco() -> None:
    """Have MuJoCo's warnings as Python's, not on the terminal and in a file of the working folder;
    without those that tell the authors of a model what will be deprecated."""
    try:
        import mujoco
    except ImportError:
        return  # gym.make says so
    if mujoco.get_mju_user_warning() is None:
        mujoco.set_mju_user_warning(
            lambda said: None if "deprecated" in said else warnings.warn(said, stacklevel=1)
        )


class World:
    """n copies of a task stepped together, with same-step autoreset and exact resume.

    Observations are float32 [n, d]: a Box of any shape is flattened, Discrete is one-hot. Actions
    are float [n, a] for a Box, int64 [n] for Discrete.

    An environment cannot be asked for its state in general, but its state is a function of its
    seed and the actions since. So a world lives in *epochs*: each starts from fresh copies seeded
    by (seed, epoch), records its actions, and ends after ``renew_every`` steps. A saved state is
    the epoch's number and actions; loading replays them. The episodes under way when an epoch ends
    are marked truncated (so values are bootstrapped as at a time limit) and do not count as
    finished.

    Attributes:
        env_id: full registered id.
        n: copies.
        observation_space: one copy's, a flat Box.
        action_space: one copy's, a flat Box or Discrete.
        max_episode_steps: the task's time limit, None if it has none.
        physics: "envpool" or "gymnasium".
        finished: episodes that ended since the caller last emptied the list (``drain``).
    """

    def __init__(
        self,
        env: str,
        n: int,
        *,
        physics: Physics = "auto",
        seed: int,
        threads: int = 2,
        env_kwargs: Mapping[str, Any] | None = None,
        renew_every: int = 131_072,
    ) -> None:
        """Set the copies up; ``reset`` starts them.

        Args:
            env: an environment as ``resolve`` takes it.
            n: copies stepped together.
            physics: "envpool" steps all copies in C++, "gymnasium" one after another in Python;
                "auto" takes envpool where it has this very id and there are no ``env_kwargs``.
            seed: of the task's randomness.
            threads: of envpool.
            env_kwargs: passed to ``gym.make``.
            renew_every: steps, over all copies together, after which an epoch ends; bounds the
                size of a saved state and the time that loading it takes.

        Raises:
            UserError: unknown environment, unsupported spaces, or no such physics for it.
        """
        self._kwargs = dict(env_kwargs or {})
        with make(env, **self._kwargs) as one:
            self.env_id = _registered(env)
            self.max_episode_steps = one.spec.max_episode_steps if one.spec else None
            raw_observations = one.unwrapped.observation_space
            self.observation_space = _flat_box(self.env_id, one.observation_space)
            self.action_space = _supported_actions(self.env_id, one.action_space)
        self.n = n
        self.physics = _choose_physics(physics, self.env_id, self._kwargs, raw_observations)
        self.finished: list[Episode] = []
        self._seed = seed
        self._threads = threads
        self._epoch_steps = max(1, renew_every // n)
        self._epoch = -1
        self._backend: _Backend | None = None
        self._pending: dict[str, Any] | None = None  # a loaded state that is not replayed yet
        self._actions: list[np.ndarray] = []
        self._obs = np.zeros((n, *self.observation_space.shape), np.float32)
        self._returns = np.zeros(n)
        self._lengths = np.zeros(n, np.int64)

    def reset(self) -> np.ndarray:
        """Begin a new epoch: fresh copies, first observations [n, d]."""
        self._pending = None
        return self._begin(self._epoch + 1)

    @property
    def obs(self) -> np.ndarray:
        """The observations to act upon, float32 [n, d]; begins the first epoch if none has."""
        self._start()
        return self._obs

    def clip(self, actions: np.ndarray) -> np.ndarray:
        """Return the actions as the physics gets them: float32 in the box, or int64."""
        if isinstance(self.action_space, spaces.Discrete):
            return np.asarray(actions, np.int64)
        actions = np.asarray(actions, np.float32)
        return np.clip(actions, self.action_space.low, self.action_space.high)

    def step(self, actions: np.ndarray) -> Step:
        """Step all copies; ``actions`` [n, a] or [n] are clipped first (see ``clip``)."""
        self._start()
        step = self._advance(self.clip(actions))
        if len(self._actions) < self._epoch_steps:
            return step
        return step._replace(obs=self.reset(), truncated=~step.terminated)

    def drain(self) -> list[Episode]:
        """Return the episodes finished since the last call and forget them."""
        episodes, self.finished = self.finished, []
        return episodes

    def state_dict(self) -> dict[str, Any]:
        """Return the exact state: numpy arrays and JSON values."""
        if self._pending is not None:
            return dict(self._pending)
        actions = np.stack(self._actions) if self._actions else np.zeros((0, self.n), np.float32)
        return {
            "seed": self._seed,
            "epoch": self._epoch,
            "actions": actions,
            "obs": self._obs.copy(),
            "returns": self._returns.copy(),
            "lengths": self._lengths.copy(),
            "finished": [list(episode) for episode in self.finished],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up a saved state: its epoch is replayed when the world is next acted in.

        Gives a Note then if the replay ends elsewhere: the environment is not deterministic (or its
        version or physics changed), and the resume is approximate.
        """
        self._pending = dict(state)

    def _start(self) -> None:
        """Be ready to step: replay a loaded epoch, or begin the first."""
        if self._pending is None:
            if self._backend is None:
                self.reset()
            return
        state, self._pending = self._pending, None
        self._seed = int(state["seed"])
        if state["epoch"] < 0:
            self._epoch = -1
            self.reset()
            return
        self._begin(int(state["epoch"]))
        for actions in np.asarray(state["actions"]):
            self._advance(actions)
        if not np.array_equal(self._obs, state["obs"]):
            warnings.warn(
                f"{self.env_id} is not deterministic: replaying its actions led elsewhere, so "
                "this resume is approximate.",
                Note,
                stacklevel=2,
            )
        self._returns = np.array(state["returns"], np.float64)
        self._lengths = np.array(state["lengths"], np.int64)
        self.finished = [Episode(float(value), int(length)) for value, length in state["finished"]]

    def close(self) -> None:
        """Free the copies."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None

    def _begin(self, epoch: int) -> np.ndarray:
        self.close()
        self._epoch = epoch
        entropy = np.random.SeedSequence([self._seed, epoch]).generate_state(1)[0]
        seed = FIRST_TRAINING_SEED + int(entropy) % (2**31 - FIRST_TRAINING_SEED - self.n)
        limit = self.max_episode_steps
        if self.physics == "envpool":
            self._backend = _Envpool(self.env_id, self.n, self._threads, seed, limit)
        else:
            self._backend = _Gymnasium(self.env_id, self.n, seed, self._kwargs)
        self._actions.clear()
        self._returns[:] = 0
        self._lengths[:] = 0
        self._obs = self._backend.reset()
        return self._obs

    def _advance(self, actions: np.ndarray) -> Step:
        assert self._backend is not None
        step = self._backend.step(actions)
        self._actions.append(actions)
        self._obs = step.obs
        self._returns += step.reward
        self._lengths += 1
        for i in np.flatnonzero(step.terminated | step.truncated):
            self.finished.append(Episode(float(self._returns[i]), int(self._lengths[i])))
            self._returns[i] = self._lengths[i] = 0
        return step


class _Backend(Protocol):
    def reset(self) -> np.ndarray: ...
    def step(self, actions: np.ndarray) -> Step: ...
    def close(self) -> None: ...


class _Gymnasium:
    """Gymnasium's own copies, one after another."""

    def __init__(self, env_id: str, n: int, seed: int, kwargs: Mapping[str, Any]) -> None:
        copies = [lambda: make(env_id, disable_env_checker=True, **kwargs)] * n
        self._envs = SyncVectorEnv(copies, autoreset_mode=AutoresetMode.SAME_STEP)
        self._seed = seed
        self.close = self._envs.close

    def reset(self) -> np.ndarray:
        return self._envs.reset(seed=self._seed)[0].astype(np.float32)

    def step(self, actions: np.ndarray) -> Step:
        obs, reward, terminated, truncated, info = self._envs.step(actions)
        obs = obs.astype(np.float32)
        next_obs = obs
        ended = np.flatnonzero(terminated | truncated)
        if ended.size:
            next_obs = obs.copy()
            next_obs[ended] = np.stack(info["final_obs"][ended])
        truncated = truncated & ~terminated
        return Step(obs, next_obs, reward.astype(np.float32), terminated.copy(), truncated)


class _Envpool:
    """Envpool's copies, stepped together in C++ threads.

    Envpool resets an ended copy at the next step; resetting just those copies at once, right after
    the step, gives same-step autoreset.
    """

    def __init__(self, env_id: str, n: int, threads: int, seed: int, limit: int | None) -> None:
        import envpool

        options = {} if limit is None else {"max_episode_steps": limit}
        with warnings.catch_warnings():  # it rounds its own spaces' bounds
            warnings.filterwarnings("ignore", message=".*precision lowered")
            self._envs = envpool.make_gymnasium(
                env_id, num_envs=n, num_threads=threads, seed=seed, **options
            )
            self._dtype = self._envs.action_space.dtype
            self._size = spaces.flatdim(self._envs.observation_space)
        self.close = self._envs.close

    def reset(self) -> np.ndarray:
        return self._flat(self._envs.reset()[0])

    def step(self, actions: np.ndarray) -> Step:
        raw, reward, terminated, truncated, _ = self._envs.step(actions.astype(self._dtype))
        obs = next_obs = self._flat(raw)
        ended = np.flatnonzero(terminated | truncated).astype(np.int32)
        if ended.size:
            first, info = self._envs.reset(ended)
            obs = next_obs.copy()
            obs[info["env_id"]] = self._flat(first)
        truncated = truncated & ~terminated
        return Step(obs, next_obs, reward.astype(np.float32), terminated.copy(), truncated)

    def _flat(self, obs: np.ndarray) -> np.ndarray:
        return obs.reshape(-1, self._size).astype(np.float32)


def _choose_physics(
    wanted: Physics, env_id: str, kwargs: Mapping[str, Any], observations: spaces.Space
) -> Literal["envpool", "gymnasium"]:
    if wanted == "gymnasium":
        return wanted
    if kwargs or not isinstance(observations, spaces.Box):
        why = "it steps Box observations without environment options only"
    else:
        try:
            import envpool
        except ImportError:
            why = "envpool is not installed"
        else:
            if env_id in envpool.list_all_envs():
                return "envpool"
            why = "envpool does not have it"
    if wanted == "envpool":
        raise UserError(f"No envpool physics for {env_id!r}: {why}. Use physics 'gymnasium'.")
    return "gymnasium"


def _flat_box(env_id: str, space: spaces.Space) -> spaces.Box:
    if not isinstance(space, spaces.Box):
        raise UserError(
            f"{env_id!r} has {space} observations; only those that Gymnasium can flatten to a Box "
            "of fixed size are supported."
        )
    low, high = space.low.astype(np.float32), space.high.astype(np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def _supported_actions(env_id: str, space: spaces.Space) -> spaces.Box | spaces.Discrete:
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return space
    if isinstance(space, spaces.Box) and len(space.shape) == 1 and space.is_bounded():
        low, high = space.low.astype(np.float32), space.high.astype(np.float32)
        return spaces.Box(low, high, dtype=np.float32)
    raise UserError(
        f"{env_id!r} has {space} actions; a bounded one-dimensional Box and Discrete from 0 are "
        "supported."
    )
