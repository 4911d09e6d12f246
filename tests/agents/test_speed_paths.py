"""What is computed faster than by torch and stable-baselines3 is the same as what they compute."""

from __future__ import annotations

import copy

import pytest
import stable_baselines3
import torch
from torch import nn
from torch.testing import assert_close

from gantools.agents import Adam, OnPolicyAgent, Tanh, World
from gantools.agents.ppo import evaluate
from gantools.losses import wgan_gp


def trained(train, env: str, **settings):
    """Parameters after, and figures of, one ``train`` on the same rollout in the same order."""
    agent = OnPolicyAgent(World(env, 4, seed=0), n_steps=64, batch_size=100, seed=0, **settings)
    agent.model.train = lambda: train(agent.model)
    agent.learn(agent.collect(), lambda transitions: transitions.reward)  # makes Adam's moments
    figures = agent.learn(agent.collect(), lambda transitions: transitions.reward)
    return torch.cat([p.detach().flatten() for p in agent.model.policy.parameters()]), figures


@pytest.mark.parametrize(
    ("env", "settings"),
    [
        ("Pendulum", {"target_kl": None}),
        ("Pendulum", {"target_kl": 1e-3, "normalize_observations": True}),  # stops early
        ("CartPole", {"ent_coef": 0.1, "max_grad_norm": 1e9, "normalize_advantage": False}),
        ("CartPole", {"clip_range_vf": 0.2}),
    ],
)
def test_an_update_is_sb3s_own_and_so_are_its_figures(env, settings):
    ours, figures = trained(lambda model: type(model).train(model), env, **settings)
    theirs, expected = trained(stable_baselines3.PPO.train, env, **settings)
    assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert figures == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("env", ["Pendulum", "CartPole"])
def test_actions_are_evaluated_as_by_sb3(env):
    policy = OnPolicyAgent(World(env, 1, seed=0), n_steps=8, batch_size=8).model.policy
    obs = torch.randn(5, *policy.observation_space.shape)
    actions = policy(obs)[0]
    values, log_prob, entropy = policy.evaluate_actions(obs, actions)
    expected = values[:, 0], log_prob, entropy.mean()
    assert_close(evaluate(policy, obs, actions), expected, atol=1e-6, rtol=1e-5)


def test_the_saved_policy_is_made_of_torchs_own_parts(tmp_path):
    agent = OnPolicyAgent(World("Pendulum", 1, seed=0), n_steps=8, batch_size=8)
    agent.learn(agent.collect(), lambda transitions: transitions.reward)
    agent.model.save(tmp_path / "policy.zip")
    opened = stable_baselines3.PPO.load(tmp_path / "policy.zip")
    assert type(opened.policy.mlp_extractor.policy_net[1]) is nn.Tanh
    assert type(opened.policy.optimizer) is torch.optim.Adam
    obs = torch.randn(5, 3)
    ours, theirs = (model.policy.get_distribution(obs).mode() for model in (agent.model, opened))
    assert_close(ours, theirs, atol=1e-6, rtol=0)


def test_tanh_is_torchs_with_its_derivative():
    x = torch.linspace(-20, 20, 1001, requires_grad=True)
    fast, slow = Tanh()(x), x.tanh()
    assert_close(fast, slow, atol=2e-7, rtol=0)
    (ours,), (theirs,) = (torch.autograd.grad(y.sum(), x) for y in (fast, slow))
    assert_close(ours, theirs, atol=1e-6, rtol=0)
    assert Tanh()(torch.full((64,), 1e30)).eq(1).all()
    assert Tanh()(torch.full((64,), -1e30)).eq(-1).all()


def test_adam_is_torchs():
    options = {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.01, "fused": True}
    nets = [nn.Linear(3, 2)]
    nets.append(copy.deepcopy(nets[0]))
    ours, theirs = (
        Adam(nets[0].parameters(), **options),
        torch.optim.Adam(nets[1].parameters(), **options),
    )
    for _ in range(5):
        x = torch.randn(7, 3)
        for net, optimizer in zip(nets, (ours, theirs), strict=True):
            optimizer.zero_grad()
            net(x).square().sum().backward()
            optimizer.step()
    assert_close(nets[0].state_dict(), nets[1].state_dict())
    assert_close(ours.state_dict()["state"], theirs.state_dict()["state"])


def test_a_penalty_takes_a_gradient_in_closed_form():
    real, fake = torch.randn(6, 3), torch.randn(6, 3)
    weight = torch.tensor([2.0, -1.0, 2.0], requires_grad=True)  # of norm 3: (3 − 1)² = 4

    def gradient_of(x):
        return weight.expand_as(x)

    penalty = wgan_gp(None, real, fake, 1.0, gradient_of=gradient_of)
    assert penalty.item() == pytest.approx(4)
    (gradient,) = torch.autograd.grad(penalty, weight)
    assert_close(gradient, 2 * 2 * weight.detach() / 3)


def test_gails_discriminator_knows_its_gradient():
    discriminator = pytest.importorskip("gantools_gail.discriminator").Discriminator
    torch.manual_seed(0)
    critic = discriminator(torch.zeros(4), torch.ones(4), "gradient-penalty", hidden=9)
    real, fake = torch.randn(80, 5), torch.randn(80, 5)
    gradients = []
    for gradient_of in (None, critic.input_gradient):
        draw = torch.Generator().manual_seed(0)
        penalty = wgan_gp(critic, real, fake, generator=draw, gradient_of=gradient_of)
        weights = [p for name, p in critic.named_parameters() if name != "head.bias"]
        gradients.append([penalty.detach(), *torch.autograd.grad(penalty, weights)])
    assert_close(*gradients, atol=1e-6, rtol=1e-5)
