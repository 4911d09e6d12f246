"""Worlds: what a step means, time limits, autoreset, and exact resume."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from gantools.agents.worlds import FIRST_TRAINING_SEED, World, make, resolve
from gantools.errors import UserError

COUNTING = "counting:Counting-v0"


def actions(world: World, rng: np.random.Generator) -> np.ndarray:
    if world.action_space.shape:
        return rng.uniform(-1.5, 1.5, (world.n, *world.action_space.shape))
    return rng.integers(world.action_space.n, size=world.n)


def test_resolve_takes_the_newest_version_full_ids_and_modules():
    assert resolve("CartPole") == "CartPole-v1"
    assert resolve("CartPole-v0") == "CartPole-v0"
    assert resolve("Hopper") == "Hopper-v5"
    assert resolve("counting:Clock") == "counting:Clock-v2"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("Hoper", "Unknown environment 'Hoper'. Did you mean 'Hopper-v5'?"),
        ("CartPole-v9", "Did you mean 'CartPole-v1'?"),
        ("no_such_module:Hopper-v5", "Cannot import module 'no_such_module'"),
        ("counting:Hoping-v0", "Unknown environment 'counting:Hoping-v0'."),
        ("what is this", "Unknown environment 'what is this'."),
    ],
)
def test_resolve_says_what_is_wrong(env, said):
    with pytest.raises(UserError) as raised:
        resolve(env)
    assert said in str(raised.value)


def test_resolve_names_a_missing_dependency(monkeypatch):
    import gymnasium as gym

    def lacks(**_):
        raise gym.error.DependencyNotInstalled("Box3D is not installed: pip install box3d")

    gym.register("Lacking-v0", lacks)
    with pytest.raises(UserError, match="'Lacking-v0' cannot be made here: Box3D is not installed"):
        resolve("Lacking")


def test_other_actions_are_refused():
    with pytest.raises(UserError, match="MultiDiscrete"):
        World("counting:Matrix-v0", 1, seed=0)


@pytest.mark.parametrize(
    ("env", "kwargs"), [(COUNTING, {}), ("Hopper", {"reset_noise_scale": 0.1}), ("FrozenLake", {})]
)
def test_no_envpool_where_it_lacks_the_task_or_options_are_given(env, kwargs):
    assert World(env, 1, seed=0, env_kwargs=kwargs).physics == "gymnasium"
    with pytest.raises(UserError, match="No envpool physics"):
        World(env, 1, seed=0, env_kwargs=kwargs, physics="envpool")


def test_unknown_options_are_refused():
    with pytest.raises(UserError, match=r"does not take {'colour': 1}"):
        World("CartPole", 1, seed=0, env_kwargs={"colour": 1})


def test_termination_and_time_limit_and_the_true_successor():
    world = World(COUNTING, 2, seed=0)
    world.reset()
    steps = [world.step(np.array([t == 2, 0])) for t in range(5)]

    ended = steps[2]  # copy 0 terminated with its third step
    assert ended.terminated.tolist() == [True, False]
    assert ended.truncated.tolist() == [False, False]
    assert ended.next_obs.tolist() == [[0, 3], [0, 3]]  # the true successor …
    assert ended.obs.tolist() == [[1, 0], [0, 3]]  # … and the new episode's first
    assert steps[3].next_obs.tolist() == [[1, 1], [0, 4]]

    cut = steps[4]  # copy 1 met the time limit of 5
    assert cut.terminated.tolist() == [False, False]
    assert cut.truncated.tolist() == [False, True]
    assert cut.next_obs.tolist() == [[1, 2], [0, 5]]
    assert cut.obs.tolist() == [[1, 2], [1, 0]]
    assert world.drain() == [(6.0, 3), (15.0, 5)]
    assert world.drain() == []


def test_terminating_at_the_time_limit_is_termination():
    world = World(COUNTING, 1, seed=0)
    for t in range(5):
        step = world.step(np.array([t == 4]))
    assert step.terminated
    assert not step.truncated


@pytest.mark.parametrize("physics", ["envpool", "gymnasium"])
def test_both_physics_reset_at_the_step_that_ends_an_episode(physics):
    world = World("CartPole", 4, physics=physics, seed=0)
    world.reset()
    ends = 0
    for _ in range(60):
        step = world.step(np.ones(4))
        ended = step.terminated
        ends += ended.sum()
        angle_or_place = np.abs(step.next_obs[ended][:, [0, 2]]) > [2.4, 0.2094]
        assert angle_or_place.any(1).all()  # the successor is where the pole has fallen
        assert (np.abs(step.obs[ended]) <= 0.05).all()  # the next obs is a fresh start
        assert (step.obs[~ended] == step.next_obs[~ended]).all()
    assert ends > 10


@pytest.mark.parametrize("physics", ["envpool", "gymnasium"])
def test_a_time_limit_truncates_in_both_physics(physics):
    world = World("MountainCar", 2, physics=physics, seed=0)
    assert world.max_episode_steps == 200
    steps = [world.step(np.ones(2)) for _ in range(200)]
    assert not any(step.truncated.any() or step.terminated.any() for step in steps[:-1])
    assert steps[-1].truncated.all()
    assert not steps[-1].terminated.any()


def test_discrete_observations_are_one_hot_and_box_actions_clipped():
    world = World("counting:Clock-v0", 2, seed=0)
    assert world.max_episode_steps is None
    assert world.reset().tolist() == [[1, 0, 0, 0]] * 2
    step = world.step(np.array([[5.0], [-1.0]]))
    assert step.obs.dtype == np.float32
    assert step.obs.tolist() == [[0, 1, 0, 0]] * 2
    assert step.reward.tolist() == [2.0, -1.0]  # the task saw the clipped action
    assert world.clip(np.array([[5.0]])).tolist() == [[2.0]]


def test_an_epoch_ends_by_truncation_and_the_next_begins_afresh():
    world = World(COUNTING, 2, seed=0, renew_every=6)
    steps = [world.step(np.array([t == 2, 0])) for t in range(3)]
    assert steps[1].truncated.tolist() == [False, False]
    assert steps[2].terminated.tolist() == [True, False]
    assert steps[2].truncated.tolist() == [False, True]
    assert steps[2].next_obs.tolist() == [[0, 3], [0, 3]]
    assert steps[2].obs.tolist() == [[0, 0], [0, 0]]
    assert world.drain() == [(6.0, 3)]  # the episode that was cut does not count
    assert len(world.state_dict()["actions"]) == 0


def test_epochs_and_seeds_differ_and_lie_above_the_evaluation_seeds(monkeypatch):
    starts = [World("CartPole", 2, seed=seed).reset() for seed in (0, 0, 1)]
    assert (starts[0] == starts[1]).all()
    assert (starts[0] != starts[2]).any()
    world = World("CartPole", 2, seed=0)
    assert (world.reset() != world.reset()).any()
    assert FIRST_TRAINING_SEED > 500_000_000


@pytest.mark.parametrize("steps", [0, 37, 100])
@pytest.mark.parametrize(
    ("env", "physics"),
    [
        ("Hopper", "envpool"),
        ("Hopper", "gymnasium"),
        ("CartPole", "envpool"),
        ("CartPole", "gymnasium"),
    ],
)
def test_a_loaded_world_continues_bit_for_bit(env, physics, steps):
    def new() -> World:
        return World(env, 3, physics=physics, seed=4, renew_every=150)

    rng = np.random.default_rng(0)
    world = new()
    for _ in range(steps):
        world.step(actions(world, rng))
    loaded = new()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded.load_state_dict(world.state_dict())
    assert (loaded.obs == world.obs).all()
    for _ in range(60):  # across an end of an epoch
        chosen = actions(world, rng)
        for ours, theirs in zip(world.step(chosen), loaded.step(chosen), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert world.drain() == loaded.drain()


def test_an_environment_that_is_not_deterministic_is_noticed():
    options = {"env_kwargs": {"noise": 1.0}}
    world = World(COUNTING, 1, seed=0, **options)
    world.step(np.zeros(1))
    loaded = World(COUNTING, 1, seed=0, **options)
    loaded.load_state_dict(world.state_dict())
    with pytest.warns(UserWarning, match="not deterministic"):
        _ = loaded.obs


def test_mujoco_s_advice_to_authors_of_models_is_not_shown(tmp_path, monkeypatch, capfd):
    pytest.importorskip("mujoco")
    monkeypatch.chdir(tmp_path)
    make("HalfCheetah-v5").close()
    assert capfd.readouterr().err == ""
    assert not list(tmp_path.iterdir())
