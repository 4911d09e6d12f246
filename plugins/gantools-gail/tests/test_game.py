"""The game against closed forms: rewards, absorbing states, losses, constraints, controls."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from gantools_gail.application import GAIL
from gantools_gail.config import GAILConfig
from gantools_gail.discriminator import Discriminator
from gantools_gail.game import REWARDS, Expert, ImitationGame
from gymnasium.spaces import Box, Discrete
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from gantools import Agent, Setting, Trainer, Turn
from gantools.agents import Transitions

GAMMA, BATCH = 0.9, 8
FUTURE = GAMMA / (1 - GAMMA)


def a_turn() -> Turn:
    return Turn(0, 1, torch.device("cpu"), torch.Generator().manual_seed(0))


def transitions(steps: int, terminated: list[int] = (), truncated: list[int] = ()) -> Transitions:
    """The same step again and again; some end their episode."""
    ends = {"terminated": terminated, "truncated": truncated}
    flags = {
        name: torch.tensor([i in places for i in range(steps)]) for name, places in ends.items()
    }
    step = {"obs": torch.tensor([0.3, -0.2]), "action": torch.tensor([0.5])}
    rows = {name: row.expand(steps, -1) for name, row in step.items()}
    return Transitions(next_obs=rows["obs"], reward=torch.zeros(steps), **rows, **flags)


class FakePolicy(Agent):
    """A policy whose rollout is given, and which learns nothing."""

    def __init__(self, steps: Transitions) -> None:
        super().__init__()
        self.steps, self.world = steps, SimpleNamespace(action_space=Box(-1, 1, (1,)))

    def rollout(self, turn):
        return self.steps

    def collect(self, turn):
        return self.steps

    def learn(self, rollout, reward, turn):
        return {}

    def state_dict(self):
        return {}

    def load_state_dict(self, state): ...

    def termination_rate(self, turn):
        return self.steps.terminated.float().mean().item()

    def experience(self, turn, size):
        return self.steps[torch.arange(size) % len(self.steps)]


def make(steps: Transitions, absorbed: float = 0.0, scale: float = 1.0, **options) -> ImitationGame:
    """A game on two observations and an action, whose expert always does one and the same."""
    torch.manual_seed(1)
    options = {"constraint": "none", "gamma": GAMMA, "batch": BATCH, **options}
    config = GAILConfig(**options)
    mean, std = torch.tensor([0.1, 0.0, -0.1]), torch.tensor([1.0, 0.5, 2.0])
    discriminator = Discriminator(mean, std, config.constraint)
    with torch.no_grad():
        for parameter in discriminator.parameters():
            parameter *= scale
    features = torch.tensor([[0.3, -0.2, 0.5]])
    return ImitationGame(FakePolicy(steps), discriminator, Expert(features, absorbed), config)


def logits(game: ImitationGame) -> tuple[float, float]:
    """D's logits of the one live step and of the absorbing state."""
    critic = game.discriminator.module
    live = (torch.tensor([0.3, -0.2, 0.5]) - critic.mean) / critic.std
    with torch.no_grad():
        here = critic(torch.cat([live, torch.zeros(1)])[None])
        after = critic(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
    return here.item(), after.item()


# -- rewards ---------------------------------------------------------------------------------


@pytest.mark.parametrize("logit", [-30.0, -2.0, 0.0, 0.7, 30.0])
def test_rewards_are_their_closed_forms_with_d_the_sigmoid_of_the_logit(logit):
    x = torch.tensor(logit, dtype=torch.float64)
    d = 1 / (1 + math.exp(-logit))
    minus_log_one_minus_d = math.log1p(math.exp(logit))  # 1 − D = 1 / (1 + e^logit)
    assert REWARDS["-log(1-D)"](x).item() == pytest.approx(minus_log_one_minus_d, rel=1e-9)
    assert REWARDS["log(D)"](x).item() == pytest.approx(math.log(d), rel=1e-9)
    log_odds = math.log(d) + minus_log_one_minus_d
    assert REWARDS["airl"](x).item() == pytest.approx(log_odds, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("reward", list(REWARDS))
def test_without_absorbing_states_every_step_is_worth_its_logit_s_reward(reward):
    steps = transitions(6, terminated=[2], truncated=[4])
    game = make(steps, reward=reward, absorbing=False, reward_scale=0.5)
    here, _ = logits(game)
    expected = 0.5 * REWARDS[reward](torch.tensor(here))
    assert_close(game.policy_reward(a_turn(), steps), expected.expand(6))


@pytest.mark.parametrize("reward", list(REWARDS))
def test_termination_is_worth_all_absorbing_steps_to_come_and_truncation_nothing(reward):
    steps = transitions(6, terminated=[2], truncated=[4])
    game = make(steps, reward=reward, absorbing=True, reward_scale=0.5)
    _, after = logits(game)
    worth = game.policy_reward(a_turn(), steps)
    assert_close(worth[[0, 1, 3, 4, 5]], worth[0].expand(5))
    absorbing = REWARDS[reward](torch.tensor(after))
    assert_close(worth[2] - worth[0], 0.5 * FUTURE * absorbing, rtol=1e-4, atol=1e-6)


def test_rewards_have_the_shape_of_the_transitions():
    steps = transitions(6, terminated=[3])
    game = make(steps)
    square = Transitions(*(x.unflatten(0, (3, 2)) for x in vars(steps).values()))
    expected = game.policy_reward(a_turn(), steps).view(3, 2)
    assert_close(game.policy_reward(a_turn(), square), expected)


def test_the_constant_reward_is_the_same_everywhere():
    steps = transitions(6, terminated=[2], truncated=[4])
    game = make(steps, control="constant-reward", reward_scale=0.1)
    assert game.policy_reward(a_turn(), steps).tolist() == pytest.approx([0.1] * 6)


def test_discrete_actions_are_seen_one_hot():
    game = make(transitions(2))
    game.actions = int(Discrete(3).n)
    steps = replace(transitions(2), action=torch.tensor([2, 0]))
    assert game.features(steps)[:, 2:].tolist() == [[0, 0, 1], [1, 0, 0]]


# -- the discriminator's loss ------------------------------------------------------------------


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


@pytest.mark.parametrize("absorbing", [True, False])
def test_classification_is_the_loss_by_hand(absorbing):
    # A quarter of the policy's steps terminate; the expert has 0.7 absorbing steps a live one.
    game = make(transitions(8, terminated=[1, 5]), absorbed=0.7, absorbing=absorbing)
    here, after = logits(game)
    expert, policy = softplus(-here), softplus(here)  # −log D and −log(1 − D)
    if absorbing:
        expert += 0.7 * softplus(-after)
        policy += 0.25 * FUTURE * softplus(after)
    expected = 0.5 * (expert + policy)
    terms = game.discriminator_loss(a_turn())
    assert terms.keys() == {"classification"}
    assert terms["classification"].item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("scale", "steep"), [(3.0, True), (0.5, False)])
def test_the_gradient_penalty_is_one_sided(scale, steep):
    game = make(transitions(8), constraint="gradient-penalty", penalty=2.5, scale=scale)
    critic = game.discriminator.module
    weights = [layer.weight.detach() for layer in (critic.body[0], critic.body[2], critic.head)]
    biases = [layer.bias.detach() for layer in (critic.body[0], critic.body[2])]
    x = critic.inputs(torch.tensor([[0.3, -0.2, 0.5]]))[0]
    one = torch.tanh(weights[0] @ x + biases[0])
    two = torch.tanh(weights[1] @ one + biases[1])
    chain = weights[2] @ torch.diag(1 - two**2) @ weights[1] @ torch.diag(1 - one**2) @ weights[0]
    norm = chain.norm().item()
    assert (norm > 1) == steep
    penalty = game.discriminator_loss(a_turn())["penalty"].item()
    assert penalty == pytest.approx(2.5 * max(0.0, norm - 1) ** 2, rel=1e-4)


def test_the_bottleneck_s_term_is_the_multiplier_times_what_is_too_much():
    game = make(transitions(8), constraint="bottleneck", information=0.25)
    with torch.no_grad():
        game.multiplier.module.beta.fill_(2.0)
    critic = game.discriminator.module
    mean, std = critic.encode(critic.inputs(torch.tensor([[0.3, -0.2, 0.5]])))
    kl = kl_divergence(Normal(mean, std), Normal(0.0, 1.0)).sum().item()
    turn = a_turn()
    terms = game.discriminator_loss(turn)
    assert terms["bottleneck"].item() == pytest.approx(2 * (kl - 0.25), rel=1e-4)
    assert turn.figures["discriminator/information"].item() == pytest.approx(kl, rel=1e-4)
    assert game.multiplier_loss(turn).item() == pytest.approx(-2 * (kl - 0.25), rel=1e-4)


# -- the application -------------------------------------------------------------------------------


def demonstrations(path, lengths=(10, 30), terminated=(True, False)):
    """CartPole episodes whose observations are all different."""
    steps = sum(lengths)
    obs = np.random.default_rng(0).normal(size=(steps, 4)).astype(np.float32)
    np.savez(
        path,
        obs=obs,
        act=np.arange(steps) % 2,
        next_obs=obs,
        ep_len=np.array(lengths),
        ep_ret=np.array(lengths, np.float32),
        terminated=np.array(terminated),
    )
    return str(path)


@pytest.mark.parametrize(
    ("lengths", "terminated", "rate"),
    [
        ((10, 30), (True, False), 1 / 40),
        ((10, 30), (True, True), 2 / 40),
        ((10, 30), (False, False), 0),
        ((1,), (True,), 1),
    ],
)
def test_the_expert_is_absorbed_as_often_as_its_episodes_terminate(
    tmp_path, small, lengths, terminated, rate
):
    demos = demonstrations(tmp_path / "demos.npz", lengths, terminated)
    # However few pairs are kept of them, terminations are counted for each of the whole's steps.
    options = {**small, "demos": demos, "trajectories": len(lengths), "pairs": 3, "gamma": GAMMA}
    game, _ = GAIL(GAILConfig(**options)).build(Setting())
    assert game.expert.absorbed == pytest.approx(rate * FUTURE, rel=1e-6)


def test_the_shuffled_expert_has_its_own_actions_at_others_observations(tmp_path, small):
    options = {**small, "demos": demonstrations(tmp_path / "demos.npz"), "pairs": 30}
    features = []
    for control in ("none", "shuffled-expert"):
        torch.manual_seed(0)
        game, _ = GAIL(GAILConfig(**options, control=control)).build(Setting())
        features.append(game.expert.features)
    own, shuffled = features
    assert torch.equal(own[:, :4], shuffled[:, :4])
    assert torch.equal(own[:, 4:].sum(0), shuffled[:, 4:].sum(0))
    assert not torch.equal(own[:, 4:], shuffled[:, 4:])


def test_features_are_normalised_by_the_expert_s(small):
    game, _ = GAIL(GAILConfig(**small)).build(Setting())
    seen = game.discriminator.module.inputs(game.expert.features)
    varied = game.expert.features.std(0) > 1e-2
    assert_close(seen.mean(0), torch.zeros(7), atol=1e-4, rtol=0)
    assert_close(seen[:, :-1].std(0)[varied], torch.ones(int(varied.sum())), atol=0.05, rtol=0)


def play(small, turns: int, **options) -> ImitationGame:
    config = GAILConfig(**{**small, **options})
    torch.manual_seed(0)
    game, _ = GAIL(config).build(Setting())
    betas = []
    for turn in range(turns):
        trainer = Trainer(turn + 1, accelerator="cpu", threads=1)
        if turn == 0:
            trainer.setup(game)
        trainer.game, trainer._generator, trainer.turn = game, a_turn().generator, turn
        trainer.fit(game)
        if config.constraint == "bottleneck":
            betas.append(game.multiplier().item())
    game.betas = betas
    return game


def test_the_multiplier_rises_while_more_passes_than_may(small):
    betas = play(small, 4, constraint="bottleneck", information=0.0).betas
    assert betas == sorted(set(betas))
    assert betas[0] > 0


def test_the_multiplier_is_never_negative(small):
    assert play(small, 3, constraint="bottleneck", information=1e3).betas == [0.0] * 3


def test_spectral_norm_keeps_each_layer_s_largest_singular_value_at_one(small):
    options = {"discriminator_moves": 10, "discriminator_lr": 3e-4}  # power iteration keeps up
    game = play(small, 2, constraint="spectral-norm", **options)
    critic = game.discriminator.module.eval()
    for layer in (critic.body[0], critic.body[2], critic.head):
        largest = torch.linalg.svdvals(layer.weight)[0].item()
        assert largest == pytest.approx(1, abs=0.05)
        raw = torch.linalg.svdvals(layer.parametrizations.weight.original)[0].item()
        assert abs(raw - 1) > 0.05  # it would not be at one by itself
