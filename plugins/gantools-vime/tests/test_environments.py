"""VIME's sparse tasks against known physics, known policies, states and objects placed by hand."""

from __future__ import annotations

import subprocess
import sys
import warnings

import gymnasium as gym
import mujoco
import numpy as np
import pytest
from gantools_vime.environments import TIME_LIMIT, SparseCartPoleSwingup, register
from gantools_vime.environments_mujoco import PLACES, sense
from gymnasium.utils.env_checker import check_env

from gantools.agents.worlds import World, resolve

IDS = [
    f"gantools/{name}-v0"
    for name in ("SparseMountainCar", "SparseCartPoleSwingup", "SparseHalfCheetah", "SwimmerGather")
]

register()


def play(env_id, policy, seed=0):
    """Rewards of one episode, and how it ended."""
    with gym.make(env_id) as env:
        obs, _ = env.reset(seed=seed)
        rewards, terminated, truncated = [], False, False
        while not terminated and not truncated:
            obs, reward, terminated, truncated, _ = env.step(policy(obs))
            rewards.append(reward)
    return np.array(rewards), terminated, truncated


# All four


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasiums_own_checks_pass(env_id):
    env = gym.make(env_id).unwrapped
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*infinity")
        check_env(env, skip_render_check=True)
    assert len(env.observation_space.shape) == 1
    np.testing.assert_array_equal(env.action_space.high, 1)


def test_registering_is_idempotent_and_imports_no_mujoco():
    program = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "from gantools_vime.environments import register\n"
        "register(); register()\n"
        "assert not {'mujoco', 'pygame', 'torch'} & sys.modules.keys()\n"
        "import gymnasium as gym\n"
        "print(sum(env_id.startswith('gantools/') for env_id in gym.registry))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (said.stdout.strip(), said.stderr) == ("4", "")
    assert resolve("gantools/SwimmerGather") == "gantools/SwimmerGather-v0"


@pytest.mark.parametrize("env_id", IDS)
def test_a_world_resumes_exactly_by_replaying_seed_and_actions(env_id):
    world, resumed = (World(env_id, 2, seed=seed, physics="gymnasium") for seed in (3, 4))
    rng = np.random.default_rng(0)
    acts = rng.uniform(-1, 1, (TIME_LIMIT + 60, 2, *world.action_space.shape))
    for act in acts[:-30]:  # over the end of an episode at the latest
        world.step(act)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed.load_state_dict(world.state_dict())
        assert len(world.finished) >= 2
        for act in acts[-30:]:
            for here, there in zip(world.step(act), resumed.step(act), strict=True):
                np.testing.assert_array_equal(here, there)
    assert world.finished == resumed.finished


@pytest.mark.parametrize("env_id", [IDS[0], IDS[2], IDS[3]])
def test_doing_nothing_is_worth_nothing_until_the_time_limit(env_id):
    zero = np.zeros(gym.make(env_id).action_space.shape, np.float32)
    rewards, terminated, truncated = play(env_id, lambda obs: zero)
    assert (len(rewards), terminated, truncated) == (TIME_LIMIT, False, True)
    assert not rewards.any()


# Mountain car


@pytest.mark.parametrize("seed", range(5))
def test_pumping_energy_reaches_the_goal_for_one_reward(seed):
    rewards, terminated, truncated = play(
        IDS[0], lambda obs: np.where(obs[1:] < 0, -1, 1).astype(np.float32), seed
    )
    assert terminated
    assert not truncated
    assert len(rewards) < 200
    np.testing.assert_array_equal(np.flatnonzero(rewards), [len(rewards) - 1])
    assert rewards[-1] == 1


def test_the_goal_alone_counts_not_the_action():
    env = gym.make(IDS[0]).unwrapped
    env.reset(seed=0)
    for position, expected in ((0.40, 0), (0.44, 1)):
        env.state = np.array([position, 0.03])
        _, reward, terminated, *_ = env.step(np.ones(1, np.float32))
        assert (reward, terminated) == (expected, bool(expected))


# Cart-pole

# The bar is given by its inertia: a rectangle of 1 m x .1 m and .1 kg, its centre .5 m up.
MODEL = """
<mujoco>
  <option timestep=".05" gravity="0 0 -10" integrator="RK4">
    <flag contact="disable"/>
  </option>
  <worldbody>
    <body>
      <inertial pos="0 0 0" mass="1" diaginertia="1 1 1"/>
      <joint name="x" type="slide" axis="1 0 0"/>
      <body>
        <inertial pos="0 0 .5" mass=".1" diaginertia=".1 .00841666666666667 .1"/>
        <joint name="theta" type="hinge" axis="0 1 0"/>
      </body>
    </body>
  </worldbody>
  <actuator><motor joint="x" gear="10"/></actuator>
</mujoco>
"""


def test_the_cart_pole_moves_as_mujocos():
    env = SparseCartPoleSwingup()
    env.reset(seed=0)
    env.state = np.array([0.5, -1.0, 2.5, 2.0])
    model = mujoco.MjModel.from_xml_string(MODEL)
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = env.state[[0, 2]], env.state[[1, 3]]
    rng = np.random.default_rng(0)
    for _ in range(60):
        action = rng.uniform(-1, 1, 1)
        env.step(action)
        data.ctrl[:] = action
        mujoco.mj_step(model, data)
    expected = [data.qpos[0], data.qvel[0], data.qpos[1], data.qvel[1]]
    np.testing.assert_allclose(env.state, expected, atol=1e-9)


def energy(env):
    """Kinetic and potential energy of cart and pole in J, by the bar's centre and inertia."""
    _, x_dot, theta, theta_dot = env.state
    bar_x, bar_z = x_dot + 0.5 * theta_dot * np.cos(theta), -0.5 * theta_dot * np.sin(theta)
    turning = 0.1 * (1 + 0.01) / 12 * theta_dot**2
    kinetic = (1.0 * x_dot**2 + 0.1 * (bar_x**2 + bar_z**2) + turning) / 2
    return kinetic + 0.1 * 10 * 0.5 * np.cos(theta)


def test_energy_and_momentum_are_kept_without_a_force():
    env = SparseCartPoleSwingup()
    env.reset(seed=0)
    env.state = np.array([0.0, 0.0, np.pi - 2.5, 0.0])  # a swing through 286 degrees
    before = energy(env)
    for _ in range(TIME_LIMIT):
        env.step(np.zeros(1))
        _, x_dot, theta, theta_dot = env.state
        assert abs(energy(env) - before) < 5e-4  # of the 1 J between hanging and standing
        assert abs(1.1 * x_dot + 0.05 * theta_dot * np.cos(theta)) < 1e-4


@pytest.mark.parametrize(
    ("x", "theta", "expected"),
    [
        (0, 0, (1, False)),
        (0, np.arccos(0.81), (1, False)),
        (0, -np.arccos(0.81), (1, False)),
        (0, 2 * np.pi, (1, False)),
        (0, np.arccos(0.79), (0, False)),
        (0, np.pi, (0, False)),
        (2.99, 0, (1, False)),
        (3.01, 0, (0, True)),
        (-3.01, 0, (0, True)),
    ],
)
def test_standing_counts_and_leaving_the_track_ends(monkeypatch, x, theta, expected):
    env = SparseCartPoleSwingup()
    env.reset(seed=0)
    monkeypatch.setattr(env, "time_step", 0.0)  # nothing moves: the state is the one set
    env.state = np.array([x, 0, theta, 0])
    _, reward, terminated, truncated, _ = env.step(np.zeros(1))
    assert (reward, terminated) == expected
    assert not truncated


def swing_up(obs):
    """Pump the pole's energy up to that of standing; near there, hold it by linear feedback."""
    x, x_dot, c, s, theta_dot = obs
    if c > 0.9:
        force = 1.0 * x + 2.5 * x_dot + 40 * s + 8 * theta_dot
    else:
        lacking = 0.5 * (1 - c) - 0.5 * 0.0341667 * theta_dot**2
        force = -30 * lacking * theta_dot * c - 4 * x - 4 * x_dot
    return np.clip([force / 10], -1, 1).astype(np.float32)


def test_an_energy_controller_swings_the_pole_up_and_holds_it():
    for seed in range(5):
        rewards, terminated, truncated = play(IDS[1], swing_up, seed)
        assert (len(rewards), terminated, truncated) == (TIME_LIMIT, False, True)
        assert rewards.sum() > 400


def test_the_cart_pole_draws_itself():
    env = gym.make(IDS[1], render_mode="rgb_array")
    env.reset(seed=0)
    pictures = []
    for x, theta in ((0, 0), (0, np.pi / 2)):
        env.unwrapped.state = np.array([x, 0, theta, 0])
        pictures.append(env.render())
    assert pictures[0].shape == (300, 700, 3)
    assert pictures[0].dtype == np.uint8
    standing, lying = ((picture != 255).any(-1) for picture in pictures)
    assert standing[60, 350]  # 90 cm above the hinge
    assert not lying[60, 350]
    assert lying[150, 440]
    assert not standing[150, 440]


# Half-cheetah


@pytest.mark.parametrize(("x", "expected"), [(4.5, 0), (5.5, 1), (-5.5, 0)])
def test_the_cheetah_is_paid_beyond_five_metres_and_sees_where_it_is(x, expected):
    env = gym.make(IDS[2])
    env.reset(seed=0)
    body = env.unwrapped
    body.set_state(np.array([x, *body.data.qpos[1:]]), body.data.qvel)
    obs, reward, terminated, truncated, _ = env.step(np.ones(6, np.float32))
    assert reward == expected
    assert abs(obs[0] - x) < 0.4
    assert not terminated
    assert not truncated


# Swimmer


@pytest.mark.parametrize(
    ("place", "heading", "bin_", "reading"),
    [
        ((3, 0.1), 0, 5, 1 - np.hypot(3, 0.1) / 6),  # just left of straight ahead
        ((3, -0.1), 0, 4, 1 - np.hypot(3, 0.1) / 6),
        ((0.1, -2), 0, 0, 1 - np.hypot(2, 0.1) / 6),  # right
        ((0.1, 2), 0, 9, 1 - np.hypot(2, 0.1) / 6),  # left
        ((0, 2), 0, 9, 1 - 2 / 6),  # on the edge
        ((-0.1, 2), 0, None, None),  # behind
        ((5.9, 1), 0, 5, 1 - np.hypot(5.9, 1) / 6),
        ((6.0, 1), 0, None, None),  # too far
        ((0.1, 3), np.pi / 2, 4, 1 - np.hypot(3, 0.1) / 6),
        ((-3, 0.1), np.pi + 4 * np.pi, 4, 1 - np.hypot(3, 0.1) / 6),
        ((-3, -0.1), -np.pi, 5, 1 - np.hypot(3, 0.1) / 6),
    ],
)
def test_an_object_shows_in_its_bin_by_its_distance(place, heading, bin_, reading):
    expected = np.zeros(10)
    if bin_ is not None:
        expected[bin_] = reading
    np.testing.assert_allclose(sense(np.array([place]), heading), expected, atol=1e-12)


def test_of_two_objects_in_a_bin_the_nearer_is_read():
    for places in ([(2, 0.1), (4, 0.2)], [(4, 0.2), (2, 0.1)]):
        readings = sense(np.array(places), 0.0)
        assert readings[5] == pytest.approx(1 - np.hypot(2, 0.1) / 6)
        assert np.count_nonzero(readings) == 1
    assert not sense(np.zeros((0, 2)), 0.0).any()


@pytest.fixture
def pool():
    """The swimmer straight and still at the origin, all objects out of reach and sight."""
    env = gym.make(IDS[3])
    env.reset(seed=0)
    body = env.unwrapped
    body.set_state(np.zeros(5), np.zeros(5))
    body.places = np.full((16, 2), 50.0)
    return env


STILL = np.zeros(2, np.float32)


def test_objects_lie_on_the_grid_apart_from_each_other_and_the_start():
    assert PLACES.shape == (48, 2)
    env = gym.make(IDS[3]).unwrapped
    layouts = []
    for seed in (1, 2):
        env.reset(seed=seed)
        layouts.append(env.places.copy())
        assert len(np.unique(env.places, axis=0)) == 16
        assert set(np.unique(env.places)) <= {-6, -4, -2, 0, 2, 4, 6}
        assert np.hypot(*env.places.T).min() >= 2
    assert not np.array_equal(*layouts)


def test_observations_are_the_swimmers_own_then_apples_then_bombs(pool):
    body = pool.unwrapped
    body.places[3] = 3, 0.1
    body.places[12] = 3, -0.1
    obs, *_ = pool.step(STILL)
    np.testing.assert_allclose(obs[:10], 0, atol=1e-9)
    expected = np.zeros((2, 10))
    expected[0, 5] = expected[1, 4] = 1 - np.hypot(3, 0.1) / 6
    np.testing.assert_allclose(obs[10:].reshape(2, 10), expected, atol=1e-9)

    body.set_state(np.array([1, 2, np.pi / 2, 0, 0]), np.zeros(5))
    body.places[:] = 50
    body.places[15] = 1.1, 5  # three metres ahead, a little to the right
    obs, *_ = pool.step(STILL)
    np.testing.assert_allclose(obs[:3], [1, 2, np.pi / 2], atol=1e-9)
    assert not obs[10:20].any()
    assert np.flatnonzero(obs[20:]) == [4]


def test_the_sensor_sits_at_the_centre_of_mass(pool):
    angles = np.array([0.3, 1.2, -0.7])  # the front link's, and the two joints'
    pool.unwrapped.set_state(np.array([1, 2, *angles]), np.zeros(5))
    along = np.exp(1j * angles.cumsum())  # the links' directions, each 1 m long
    hinge = 1 + 2j + 0.5 * along[0]
    links = [hinge + along[0] / 2, hinge - along[1] / 2, hinge - along[1] - along[2] / 2]
    centre = 50 + 50j - np.mean(links)
    expected = np.tile([centre.real, centre.imag], (16, 1))
    np.testing.assert_allclose(pool.unwrapped._offsets(), expected, atol=1e-9)
    pool.step(np.ones(2, np.float32))  # also when it moves
    state = pool.unwrapped.data.qpos.copy(), pool.unwrapped.data.qvel.copy()
    after = pool.unwrapped._offsets()
    pool.unwrapped.set_state(*state)
    np.testing.assert_allclose(pool.unwrapped._offsets(), after, rtol=0, atol=1e-4)


def test_what_is_near_is_caught_once_and_disappears(pool):
    body = pool.unwrapped
    body.places[0], body.places[1], body.places[8] = (0.9, 0.1), (0, 0.99), (0.5, 0.5)
    body.places[9] = 1.01, 0
    obs, reward, terminated, _, info = pool.step(STILL)
    assert (reward, info["apples"], info["bombs"], terminated) == (1, 2, 1, False)
    assert not obs[10:20].any()
    assert obs[20:].max() == pytest.approx(1 - 1.01 / 6)  # the bomb that is left
    obs, reward, _, _, info = pool.step(STILL)
    assert (reward, info["apples"], info["bombs"]) == (0, 0, 0)
    body.places[9] = 0, 0.5
    assert pool.step(STILL)[1] == -1
    body.reset(seed=1)
    assert body.left.all()


def test_the_episode_ends_with_the_last_object(pool):
    body = pool.unwrapped
    body.left[:15] = False
    assert not pool.step(STILL)[2]
    body.places[15] = 0, 0.5
    _, reward, terminated, truncated, _ = pool.step(STILL)
    assert (reward, terminated, truncated) == (-1, True, False)


def test_a_travelling_wave_swims_to_the_apples_ahead(pool):
    body = pool.unwrapped
    body.places[:2] = (2, 0), (4, 0)
    caught = []
    for t in range(TIME_LIMIT):
        angles, speeds = body.data.qpos[3:], body.data.qvel[3:]
        wave = np.sin(4 * body.dt * t + np.array([0, -1.2]))
        _, reward, *_ = pool.step(np.clip(2 * (wave - angles) - 0.2 * speeds, -1, 1))
        caught.append(reward)
    assert sorted(caught)[-3:] == [0, 1, 1]
    assert min(caught) == 0


def test_what_is_left_is_drawn_apples_green_and_bombs_red(pool, monkeypatch):
    class Viewer:
        drawn: list[dict] = []  # noqa: RUF012

        def add_marker(self, **marker):
            self.drawn.append(marker)

    body = pool.unwrapped
    body.left[1:15] = False
    body.places[0], body.places[15] = (2, 0), (0, 4)
    monkeypatch.setattr(body.mujoco_renderer, "viewer", Viewer())
    monkeypatch.setattr(body.mujoco_renderer, "render", lambda mode: "a picture")
    assert body.render() == "a picture"
    apple, bomb = Viewer.drawn
    np.testing.assert_array_equal(apple["pos"][:2], (2, 0))
    np.testing.assert_array_equal(bomb["pos"][:2], (0, 4))
    assert apple["rgba"][1] > apple["rgba"][0]
    assert bomb["rgba"][0] > bomb["rgba"][1]
