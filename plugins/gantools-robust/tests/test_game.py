"""What the classifiers want, and where the attacker may go."""

from __future__ import annotations

import math

import pytest
import torch
from gantools_robust.config import RobustConfig
from gantools_robust.game import Duel, accuracy, divergence
from torch import nn

from gantools import Trainer, Turn
from gantools.engine import Alternating, Simultaneous
from gantools.testing import differences

B = 16


def batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = 0.4 + 0.2 * torch.rand(B, 1, 28, 28, generator=generator)  # no bound is near
    return x, torch.arange(B) % 10


def made(**options) -> Duel:
    """The game, set up, before its first turn."""
    torch.manual_seed(0)
    game = Duel(RobustConfig(**options))
    Trainer(turns=1, accelerator="cpu").setup(game)
    return game


def turn(step=50, turns=100, data=None) -> Turn:
    source = torch.Generator().manual_seed(2)
    return Turn(step, turns, torch.device("cpu"), source, iter([data or batch()]))


def linear(game) -> None:
    """Make the classifier a linear one, against which fgsm is the best move."""
    game.classifier.module = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


# -- what they want -----------------------------------------------------------------------------


def test_the_divergence_is_the_closed_form():
    p, q = torch.tensor([[0.5, 0.25, 0.25]]), torch.tensor([[0.1, 0.1, 0.8]])
    expected = sum(a * math.log(a / b) for a, b in zip(p[0].tolist(), q[0].tolist(), strict=True))
    assert divergence(q.log() + 3, p).item() == pytest.approx(expected, rel=1e-5)
    assert divergence(p.log() - 1, p).item() == pytest.approx(0, abs=1e-6)


def test_the_accuracy_counts_the_rightly_named():
    logits = torch.eye(4)[[0, 1, 1, 3]]
    assert accuracy(logits, torch.tensor([0, 1, 2, 3])).item() == 0.75


@pytest.mark.parametrize("attack", ["pgd", "fgsm"])
def test_who_knows_nothing_errs_by_log_10_in_the_given_shares(attack):
    game = made(attack=attack, clean=0.2)
    for parameter in game.classifier.module.parameters():
        nn.init.zeros_(parameter)
    loss = game.loss("classifier", turn())
    assert loss["clean"].item() == pytest.approx(0.2 * math.log(10))
    assert loss["attacked"].item() == pytest.approx(0.8 * math.log(10))


def test_without_an_attacker_the_classifier_wants_what_plain_does():
    game = made(attack="none")
    game.classifier.module.load_state_dict(game.plain.module.state_dict())
    loss = game.loss("classifier", turn())
    assert list(loss) == ["clean"]
    assert loss["clean"].item() == game.loss("plain", turn()).item() > 0


def test_the_attack_makes_the_loss_larger_and_is_as_strong_as_the_dual_norm_says():
    game = made(attack="fgsm", clean=0.0, epsilon=0.05, warmup=0.0)
    linear(game)
    x, y = batch()
    loss = game.loss("classifier", turn())["attacked"]
    w, z = game.classifier.module[1].weight, game.classifier(x)
    gradient = (z.softmax(1) - torch.eye(10)[y]) @ w  # of each sample's cross-entropy, [B, 784]
    first_order = nn.functional.cross_entropy(z, y) + 0.05 * gradient.abs().sum(1).mean()
    assert loss.item() >= first_order.item()  # cross-entropy is convex in the logits


def test_trades_wants_the_same_answer_wherever_the_attacker_goes():
    game = made(loss="trades", beta=4.0, warmup=0.0)
    one, other = batch(), turn()
    loss = game.loss("classifier", other)
    x, y = one
    z = game.classifier(x)
    assert loss["clean"].item() == pytest.approx(nn.functional.cross_entropy(z, y).item())
    moved = game.attack(x, z.detach().softmax(1), turn(), divergence)  # with the same start
    expected = 4.0 * divergence(game.classifier(moved), z.softmax(1)).item()
    assert loss["difference"].item() == pytest.approx(expected, rel=1e-4)
    noise = x + 0.3 * torch.empty_like(x).uniform_(-1, 1).sign()
    assert expected > 2 * 4.0 * divergence(game.classifier(noise), z.softmax(1)).item() > 0
    free = made(loss="trades", beta=4.0, epsilon=0.0).loss("classifier", turn())
    assert free["difference"].item() == pytest.approx(0, abs=1e-6)


# -- the attacker -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "warmup", "growth"),
    [(0, 0.4, 0), (10, 0.4, 0.25), (20, 0.4, 0.5), (40, 0.4, 1), (99, 0.4, 1), (0, 0.0, 1)],
)
@pytest.mark.parametrize("attack", ["pgd", "fgsm"])
def test_the_attackers_reach_grows_in_the_warmup(attack, step, warmup, growth):
    game = made(attack=attack, epsilon=0.2, warmup=warmup)
    linear(game)
    x, y = batch()
    moved = game.attack(x, y, turn(step))
    assert (moved - x).abs().max().item() == pytest.approx(0.2 * growth, abs=1e-6)


def test_the_step_is_the_given_share_of_epsilon():
    game = made(epsilon=0.2, warmup=0.0, attack_steps=1, attack_step_size=0.25)
    linear(game)
    x, y = batch()
    one, start = game.attack(x, y, turn()), None
    game.classifier.module[1].weight.data.zero_()  # nowhere to go: the start
    game.classifier.module[1].bias.data.zero_()
    start = game.attack(x, y, turn())
    inside = (one - x).abs() < 0.2 - 1e-4  # the ball's edge did not cut the step short
    assert inside.float().mean() > 0.5
    assert torch.allclose((one - start).abs()[inside], torch.tensor(0.05), atol=1e-5)


def test_the_attack_is_the_same_again_and_follows_the_turns_generator():
    game = made()
    x, y = batch()
    assert torch.equal(game.attack(x, y, turn()), game.attack(x, y, turn()))
    one = turn()
    assert not torch.equal(game.attack(x, y, one), game.attack(x, y, one))


def weights(solver=None, **options):
    """Of all players after three turns."""
    game = made(attack_steps=2, warmup=0.0, **options)
    Trainer(turns=3, accelerator="cpu", solver=solver).fit(game, [batch(i) for i in range(3)])
    return {name: player.module.state_dict() for name, player in game.players.items()}


def test_plain_is_trained_the_same_whoever_attacks_the_other():
    attacked, alone = weights(), weights(attack="none")
    assert not differences(attacked["plain"], alone["plain"])
    assert differences(attacked["classifier"], alone["classifier"])


def test_the_attack_is_against_the_classifier_as_it_stands_whatever_the_solver():
    assert not differences(weights(Alternating()), weights(Simultaneous()))
