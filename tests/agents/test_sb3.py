"""Agents: advantages by hand, SB3's own update, exact resume, files that SB3 opens, learning."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from stable_baselines3 import PPO, SAC
from stable_baselines3.common.buffers import RolloutBuffer
from torch.testing import assert_close

from gantools.agents.buffers import WholeRolloutBuffer
from gantools.agents.evaluation import evaluate
from gantools.agents.policies import Normalizer, actor_head, draw, draw_noise
from gantools.agents.sb3 import OffPolicyAgent, OnPolicyAgent, behaviour_clone
from gantools.agents.worlds import World
from gantools.errors import NonFiniteError, UserError
from gantools.runs.checkpoint import load_state, save_state

COUNTING = "counting:Counting-v0"


def own(transitions):
    return transitions.reward


def ones(transitions):
    return torch.ones(transitions.shape)


def parameters(agent) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in agent.model.policy.parameters()])


def always(agent: OnPolicyAgent, action: int, value: float) -> None:
    """Make the policy take one action and value every state alike."""
    policy = agent.model.policy
    with torch.no_grad():
        policy.action_net.bias.copy_(torch.nn.functional.one_hot(torch.tensor(action), 2) * 1e6)
        policy.value_net.weight.zero_()
        policy.value_net.bias.fill_(value)


@pytest.mark.parametrize(
    ("action", "advantages"),
    [
        # γ = λ = ½, value 3, reward 1: each step's error is 1 + ½·3 − 3 = −½, also at the time
        # limit after 5 steps, where it is not handed on; each sum is −½ + ¼ of the next one.
        (0, [-0.666015625, -0.6640625, -0.65625, -0.625, -0.5, -0.625, -0.5]),
        # Every step terminates, and nothing follows: 1 − 3.
        (1, [-2.0] * 7),
    ],
)
def test_advantages_by_hand(action, advantages, monkeypatch):
    agent = OnPolicyAgent(
        World(COUNTING, 2, seed=0), n_steps=7, batch_size=14, gamma=0.5, gae_lambda=0.5
    )
    always(agent, action, value=3.0)
    monkeypatch.setattr(agent.model, "train", lambda: None)
    figures = agent.learn(agent.collect(), ones)
    buffer = agent.model.rollout_buffer
    assert_close(buffer.advantages, np.array([advantages] * 2, np.float32).T)
    assert_close(buffer.returns, buffer.advantages + 3)
    assert figures["reward"] == 1.0  # the bootstrapped values are no rewards
    assert figures["steps"] == 14


def test_rollouts_hold_what_the_physics_got_and_say_how_episodes_ended():
    agent = OnPolicyAgent(World("counting:Clock-v0", 3, seed=0), n_steps=4, batch_size=12)
    rollout = agent.collect()
    assert rollout.shape == (4, 3)
    assert rollout.action.abs().max() <= 2
    assert_close(rollout.action[..., 0], rollout.reward)
    assert_close(rollout.next_obs[:-1], rollout.obs[1:])
    assert rollout.flatten().obs.shape == (12, 4)
    assert_close(rollout.flatten()[3].obs, rollout[1].obs[0])


def test_minibatches_are_one_shuffled_pass_with_aligned_columns():
    world = World("CartPole", 2, seed=0)
    shuffle = torch.Generator().manual_seed(0)
    buffer = WholeRolloutBuffer(
        6, world.observation_space, world.action_space, n_envs=2, generator=shuffle
    )
    names = torch.arange(12.0).view(6, 2)
    obs = names[..., None].expand(6, 2, 4)
    buffer.fill(obs, names.long(), names, torch.zeros(6, 2), names, names)
    batches = list(buffer.get(5))
    assert [len(batch.old_values) for batch in batches] == [5, 5, 2]
    for batch in batches:
        assert_close(batch.observations[:, 3], batch.old_values)
        assert_close(batch.actions[:, 0].float(), batch.old_log_prob)
    seen = torch.cat([batch.old_values for batch in batches])
    assert seen.tolist() != sorted(seen.tolist())
    assert sorted(seen.tolist()) == list(range(12))


@pytest.mark.parametrize("env", ["Pendulum", "CartPole"])
def test_the_update_is_sb3s(env, monkeypatch):
    """The same rollout in SB3's own buffer, in the same order, gives the same parameters."""
    agent = OnPolicyAgent(World(env, 1, seed=0), n_steps=64, batch_size=16, n_epochs=4)
    theirs = copy.deepcopy(agent.model)
    space = agent.world.observation_space, agent.world.action_space
    theirs.rollout_buffer = RolloutBuffer(64, *space, gae_lambda=0.97, gamma=0.995)
    theirs._logger = copy.copy(agent.model.logger)
    orders = []

    rollout = agent.collect()
    for t in range(64):
        obs, drawn = rollout.obs[t], agent._drawn[t]
        with torch.no_grad():
            value, log_prob, _ = theirs.policy.evaluate_actions(obs, drawn)
            reward = rollout.reward[t].clone()
            if rollout.truncated[t]:
                reward += 0.995 * theirs.policy.predict_values(rollout.next_obs[t])[0]
        ended = rollout.terminated | rollout.truncated
        start = ended[t - 1] if t else torch.ones(1)
        theirs.rollout_buffer.add(
            obs.numpy(), drawn.numpy(), reward.numpy(), start.numpy(), value, log_prob
        )
    with torch.no_grad():
        last = theirs.policy.predict_values(torch.from_numpy(agent.world.obs))
    theirs.rollout_buffer.compute_returns_and_advantage(last, ended[-1].numpy())

    def shuffle(n: int, generator: torch.Generator) -> torch.Tensor:
        orders.append(torch.from_numpy(np.random.default_rng(len(orders)).permutation(n)))
        return orders[-1]

    monkeypatch.setattr(torch, "randperm", shuffle)
    before = parameters(agent)
    agent.learn(rollout, own)
    assert len(orders) == 4
    monkeypatch.setattr(np.random, "permutation", lambda n: orders.pop(0).numpy())
    theirs.train()
    expected = torch.cat([p.detach().flatten() for p in theirs.policy.parameters()])
    assert_close(parameters(agent), expected, atol=1e-5, rtol=0)
    assert (parameters(agent) - before).abs().max() > 1e-3


@pytest.mark.parametrize("env", ["Pendulum", "CartPole"])
def test_actions_are_drawn_from_sb3s_distribution(env):
    policy = OnPolicyAgent(World(env, 1, seed=0), n_steps=8, batch_size=8).model.policy
    obs = torch.randn(3, *policy.observation_space.shape)
    head = actor_head(policy, obs)
    distribution = policy.get_distribution(obs).distribution
    noise = draw_noise(policy, 40_000, 3, generator=torch.Generator().manual_seed(0))
    drawn = draw(policy, head, noise)
    if env == "CartPole":
        assert_close(head.softmax(-1), distribution.probs)
        assert_close((drawn == 1).float().mean(0), distribution.probs[:, 1], atol=0.01, rtol=0)
    else:
        assert_close(head, distribution.mean)
        assert_close(drawn.mean(0), distribution.mean, atol=0.02, rtol=0)
        assert_close(drawn.std(0), distribution.stddev, atol=0.02, rtol=0)


def build(kind: str, seed: int, steps_in_epoch: int = 131_072):
    if kind == "sac":
        world = World("Pendulum", 2, seed=seed, renew_every=steps_in_epoch)
        options = {"buffer_size": 64, "batch_size": 16, "learning_starts": 32, "train_freq": 10}
        return OffPolicyAgent(world, seed=seed, gradient_steps=2, **options)
    env = "CartPole" if kind == "trpo" else "Hopper"
    world = World(env, 2, seed=seed, renew_every=steps_in_epoch)
    return OnPolicyAgent(
        world, kind, seed=seed, n_steps=32, batch_size=32, normalize_observations=kind == "ppo"
    )


@pytest.mark.parametrize("steps_in_epoch", [131_072, 100])
@pytest.mark.parametrize("kind", ["ppo", "trpo", "sac"])
def test_a_loaded_agent_continues_bit_for_bit(kind, steps_in_epoch, tmp_path):
    agent = build(kind, 1, steps_in_epoch)
    for _ in range(5):
        agent.learn(agent.collect(), own)
    save_state(agent.state_dict(), tmp_path, "agent")
    loaded = build(kind, 2, steps_in_epoch)
    assert not torch.equal(parameters(loaded), parameters(agent))
    loaded.load_state_dict(load_state(tmp_path, "agent"))
    for player in (agent, loaded):
        torch.manual_seed(id(player))  # SB3's use of the global generators must not matter
        np.random.seed(id(player) % 2**32)
        for _ in range(3):
            player.figures = player.learn(player.collect(), own)
    assert torch.equal(parameters(loaded), parameters(agent))
    assert loaded.figures == pytest.approx(agent.figures, rel=0, abs=0, nan_ok=True)


@pytest.mark.parametrize(("kind", "algorithm"), [("ppo", PPO), ("sac", SAC)])
def test_sb3_opens_the_model(kind, algorithm, tmp_path):
    agent = build(kind, 0)
    agent.learn(agent.collect(), own)
    agent.model.save(tmp_path / "model.zip")
    opened = algorithm.load(tmp_path / "model.zip")
    obs = np.linspace(-1, 1, agent.world.observation_space.shape[0], dtype=np.float32)
    assert_close(
        opened.predict(obs, deterministic=True)[0],
        agent.model.predict(obs, deterministic=True)[0],
    )


def test_replay_is_relabelled_at_every_gradient_step():
    agent = build("sac", 0)
    seen = []

    def reward(transitions):
        seen.append(transitions)
        return torch.full(transitions.shape, 7.0)

    for _ in range(4):
        agent.learn(agent.collect(), reward)
    assert len(seen) == 2 * 3  # two gradient steps a turn, once 32 steps are taken
    sample = agent.model.replay_buffer.sample(500)
    assert (sample.rewards == 7).all()
    assert sample.actions.abs().max() <= 1  # scaled, from the box of ±2
    assert seen[-1].action.abs().max() > 1


def test_a_full_replay_buffer_forgets_the_oldest_steps():
    agent = build("sac", 0)
    rollouts = [agent.collect() for _ in range(4)]  # 40 steps of 2 copies; it holds 32
    kept = agent.model.replay_buffer.observations
    assert_close(kept[:8], rollouts[3].obs[2:].numpy())
    assert_close(kept[8:10], rollouts[0].obs[8:].numpy())


def test_sac_refuses_discrete_actions():
    with pytest.raises(UserError, match="SAC needs continuous actions, and 'CartPole-v1' has"):
        OffPolicyAgent(World("CartPole", 1, seed=0))


@pytest.mark.parametrize("kind", ["ppo", "sac"])
def test_rewards_that_are_not_finite_are_noticed(kind):
    agent = build(kind, 0)
    agent.name = "policy"
    for _ in range(3):
        agent.learn(agent.collect(), own)
    with pytest.raises(NonFiniteError, match="its rewards are not finite"):
        agent.learn(agent.collect(), lambda t: torch.full(t.shape, torch.nan))


def test_the_normaliser_has_seen_all_rollouts():
    torch.manual_seed(0)
    normalizer = Normalizer(World("CartPole", 1, seed=0).observation_space)
    data = torch.randn(300, 4) * 5 + 3
    assert_close(normalizer(data), data.clamp(-10, 10))
    for chunk in data.split([50, 150, 100]):
        normalizer.update(chunk)
    assert_close(normalizer.mean, data.double().mean(0))
    assert_close(normalizer.variance, data.double().var(0, correction=0))
    normal = normalizer(data)
    assert_close(normal.mean(0), torch.zeros(4), atol=1e-5, rtol=0)
    assert_close(normal.std(0, correction=0), torch.ones(4))


def test_a_schedule_follows_the_progress():
    agent = OnPolicyAgent(
        World("CartPole", 2, seed=0),
        n_steps=8,
        batch_size=16,
        learning_rate=lambda remaining: 0.1 * remaining,
    )
    agent.set_progress_remaining(0.25)
    assert agent.learn(agent.collect(), own)["learning_rate"] == pytest.approx(0.025)


def test_cloning_recovers_a_linear_expert_and_leaves_the_values():
    policy = OnPolicyAgent(World("Pendulum", 1, seed=0), n_steps=8, batch_size=8).model.policy
    obs = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    action = obs[:, :1] - 0.5 * obs[:, 1:2]
    values = policy.predict_values(obs)
    first = behaviour_clone(policy, obs, action, steps=1)
    assert behaviour_clone(policy, obs, action, steps=400, lr=3e-3) < first - 0.5
    means = policy.get_distribution(obs).distribution.mean
    assert (means - action).abs().mean() < 0.1
    assert_close(policy.predict_values(obs), values)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["ppo", "trpo"])
def test_learns_to_balance(algorithm):
    world = World("CartPole", 16, seed=0)
    agent = OnPolicyAgent(world, algorithm, gamma=0.99, learning_rate=1e-3)
    for _ in range(60):
        agent.learn(agent.collect(), own)
    assert np.mean(evaluate(agent.model, "CartPole", 10).returns) > 450
