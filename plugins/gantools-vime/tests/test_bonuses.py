"""Bonuses against closed forms, and before a noisy television."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gantools_vime.bonuses import L2, RND, VIME, Disagreement, Normalizer, Statistics
from gantools_vime.television import learn, noise_over_novelty
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.testing import assert_close

from gantools.agents import Bonus

KINDS = [VIME, L2, RND, Disagreement]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def transitions(size: int, seed: int = 0, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """Two observations, one action; the next observation is (o₁ + a, o₂ − o₁), times the scale."""
    generator = seeded(seed)
    obs = torch.randn(size, 2, generator=generator)
    action = torch.rand(size, 1, generator=generator)
    next_obs = torch.stack([obs[:, 0] + action[:, 0], obs[:, 1] - obs[:, 0]], 1)
    return obs * scale, action, next_obs * scale


def make(kind, steps, seed: int = 0) -> Bonus:
    """A bonus of two observations and one action that has seen the steps once."""
    torch.manual_seed(seed)
    bonus = kind(2, 1)
    bonus.update_statistics(*steps)
    return bonus


# -- what all have in common -------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_one_number_a_transition_and_not_negative(kind):
    bonus = make(kind, transitions(50))
    scores = bonus.score(*transitions(20, seed=1))
    assert scores.shape == (20,)
    assert (scores > 0).all()
    assert not scores.requires_grad


@pytest.mark.parametrize("kind", KINDS)
def test_a_transition_s_score_is_its_own(kind):
    bonus = make(kind, transitions(50))
    steps = transitions(20, seed=1)
    alone = [bonus.score(*(x[k : k + 1] for x in steps)) for k in range(20)]
    assert_close(bonus.score(*steps), torch.cat(alone))


@pytest.mark.parametrize("kind", KINDS)
def test_the_units_of_observations_do_not_matter(kind):
    plain, scaled = transitions(50), transitions(50, scale=100)
    assert_close(
        make(kind, plain).score(*plain), make(kind, scaled).score(*scaled), rtol=1e-3, atol=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_learned_surprises_no_more(kind):
    steps = transitions(500)
    bonus = make(kind, steps)
    before = bonus.score(*steps).mean()
    learn(bonus, steps, 300, lr=1e-2, batch=64)
    assert bonus.score(*steps).mean() < 0.2 * before


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_holds_all_that_scores_depend_on(kind):
    steps = transitions(50)
    bonus, other = make(kind, steps), make(kind, transitions(30, seed=2), seed=1)
    assert not bonus.score(*steps).equal(other.score(*steps))
    other.load_state_dict(bonus.state_dict())
    assert bonus.score(*steps).equal(other.score(*steps))


@pytest.mark.parametrize("kind", KINDS)
def test_moves_are_repeated_with_the_generator(kind):
    steps = transitions(50)
    first, second = make(kind, steps), make(kind, steps)
    for bonus in (first, second):
        learn(bonus, steps, 3, lr=1e-2, batch=64)
    assert first.score(*steps).equal(second.score(*steps))


# -- each kind -----------------------------------------------------------------------------------


def test_vime_scores_are_autograd_s_gain_of_the_normalised_transition():
    steps = transitions(30)
    bonus = make(VIME, steps)
    x, y = bonus.pairs(*steps)
    model = bonus.model
    parameters = {n: p.detach() for n, p in model.named_parameters()}

    def nll(parameters, x, y):
        return -model.log_likelihood(functional_call(model, parameters, x[None]), y[None]).sum()

    gradients = vmap(grad(nll), (None, 0, 0))(parameters, x, y)
    weighted = [
        (gradients[f"layers.{k}.mean"] * layer.std).flatten(1).square().sum(1)
        for k, layer in enumerate(model.layers)
    ]
    assert_close(bonus.score(*steps), 0.5 * bonus.step**2 * sum(weighted), rtol=1e-5, atol=0)


def test_vime_s_terms_are_the_bound_s_on_the_normalised_transitions():
    steps = transitions(30)
    bonus = make(VIME, steps)
    terms = bonus.loss(*steps, 30, seeded())
    assert terms["complexity"] == bonus.model.kl() / 30
    x, y = bonus.pairs(*steps)
    drawn = bonus.model.sample(x, seeded())
    assert_close(terms["likelihood"], -bonus.model.log_likelihood(drawn, y).mean())


def test_l2_of_a_model_that_predicts_nothing_is_the_square_of_the_change():
    steps = transitions(50)
    bonus = make(L2, steps)
    for parameter in bonus.model.parameters():
        nn.init.zeros_(parameter)
    change = steps[2] - steps[0]
    normalised = (change - change.mean(0)) / change.std(0, correction=0)
    assert_close(bonus.score(*steps), normalised.square().sum(1), rtol=1e-4, atol=1e-5)
    assert_close(bonus.loss(*steps, 50)["prediction"], torch.tensor(2.0))  # a variance for each


def test_rnd_is_the_squared_distance_of_two_networks_of_the_successor():
    steps = transitions(50)
    bonus = make(RND, steps)
    seen = steps[2]
    x = (seen - seen.mean(0)) / seen.std(0, correction=0)
    expected = (bonus.predictor(x) - bonus.target(x)).square().sum(1)
    assert_close(bonus.score(*steps), expected.detach(), rtol=1e-4, atol=1e-5)
    assert_close(bonus.loss(*steps, 50)["distillation"], expected.mean())
    other, _, _ = transitions(50, seed=1)
    assert bonus.score(other, steps[1] + 1, seen).equal(bonus.score(*steps))


def test_rnd_s_target_stays_as_it_is():
    steps = transitions(50)
    bonus = make(RND, steps)
    before = [p.clone() for p in bonus.target.parameters()]
    learn(bonus, steps, 5, lr=1e-2, batch=64)
    assert all(p.equal(q) for p, q in zip(bonus.target.parameters(), before, strict=True))
    assert not any(p.requires_grad for p in bonus.target.parameters())


def test_rnd_clips_observations_at_five_standard_deviations():
    obs, action, next_obs = transitions(50)
    bonus = make(RND, (obs, action, next_obs))
    edge = bonus.seen.mean + 5 * bonus.seen.variance.sqrt()
    scores = bonus.score(obs[:3], action[:3], torch.stack([edge, 2 * edge + 10, edge - 0.5]))
    assert_close(scores[1], scores[0])
    assert (scores[2] - scores[0]).abs() > 1e-3


def test_disagreement_is_the_variance_of_members_computed_one_by_one():
    steps = transitions(20)
    bonus = make(Disagreement, steps)
    x, _ = bonus.pairs(*steps)
    each = []
    for member in range(5):
        (first, last) = (w[member] for w in bonus.weights)
        (b, c) = (bias[member] for bias in bonus.biases)
        each.append(torch.relu(x @ first + b) @ last + c)
    expected = torch.stack(each).var(0, correction=0).sum(1)
    assert_close(bonus.score(*steps), expected.detach())


def test_disagreement_of_equals_is_nothing():
    steps = transitions(20)
    bonus = make(Disagreement, steps)
    with torch.no_grad():
        for parameter in bonus.parameters():
            parameter.copy_(parameter[:1].expand_as(parameter))
    assert_close(bonus.score(*steps), torch.zeros(20))


def test_every_member_learns_from_its_own_resample():
    steps = transitions(20)
    bonus = make(Disagreement, steps)
    x, y = bonus.pairs(*steps)
    chosen = torch.randint(20, (5, 20), generator=seeded(3))
    expected = sum(
        (bonus.predict(x[rows].expand(5, -1, -1))[member] - y[rows]).square().sum(1).mean()
        for member, rows in enumerate(chosen)
    )
    assert_close(bonus.loss(*steps, 20, seeded(3))["prediction"], expected)


def test_one_member_cannot_disagree():
    with pytest.raises(ValueError, match="at least two members, not 1"):
        Disagreement(2, 1, members=1)


# -- statistics and normaliser -----------------------------------------------------------------


def test_statistics_are_those_of_all_samples_however_they_came():
    x = 3 + 2 * torch.randn(100, 4, generator=seeded())
    statistics = Statistics(4, clip=10)
    for part in x.split([1, 50, 49]):
        statistics.update(part)
    assert statistics.count == 100
    assert_close(statistics.mean, x.mean(0))
    assert_close(statistics.variance, x.var(0, correction=0))
    assert_close(statistics(x).mean(0), torch.zeros(4), atol=1e-5, rtol=0)


def test_statistics_clip_and_leave_what_never_varies_finite():
    statistics = Statistics(2, clip=5)
    statistics.update(torch.tensor([[0.1, -1.0], [0.1, 1.0], [0.1, 0.0]]))
    normalised = statistics(torch.tensor([[0.1, 100.0], [0.1, -100.0]]))
    assert_close(normalised[:, 1], torch.tensor([5.0, -5.0]))
    assert (normalised[:, 0].abs() < 0.1).all()


def test_the_normaliser_divides_by_the_mean_of_the_last_medians():
    normalizer = Normalizer(rollouts=3)
    rollouts = [torch.rand(7, 4, generator=seeded(k)) for k in range(5)]
    for rollout in rollouts:
        normalizer.update(rollout)
    scale = np.mean([np.median(rollout) for rollout in rollouts[2:]])
    assert_close(normalizer(rollouts[0]), rollouts[0] / float(scale))


def test_the_normaliser_is_safe_where_nothing_surprises():
    normalizer, scores = Normalizer(), torch.tensor([0.0, 0.0, 3.0])
    assert normalizer(scores).equal(scores)
    normalizer.update(scores)
    assert normalizer(scores).equal(scores)
    normalizer.update(torch.full((3,), 2.0))
    normalizer.update(scores)
    assert_close(normalizer(scores), scores / 2)


def test_the_normaliser_goes_on_from_its_state():
    first, second = Normalizer(2), Normalizer(2)
    for k in range(3):
        first.update(torch.full((5,), k + 1.0))
    second.load_state_dict(first.state_dict())
    for normalizer in (first, second):
        normalizer.update(torch.full((5,), 9.0))
    assert_close(second(torch.ones(1)), first(torch.ones(1)))
    assert_close(second(torch.ones(1)), torch.tensor([1 / 6]))


# -- the noisy television ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("kind", "immune"), [(VIME, True), (L2, False)])
def test_noise_draws_l2_more_than_novelty_and_vime_less(kind, immune, seed):
    assert (noise_over_novelty(kind, seed) < 1) is immune
