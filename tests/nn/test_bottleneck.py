"""The bottleneck, and its multiplier in games whose equilibrium is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from gantools import Game, Player, Trainer
from gantools.losses import bottleneck_kl, non_saturating
from gantools.nn import Bottleneck, Code, Multiplier, mlp


def test_a_code_is_drawn_from_its_distribution():
    code = Code(torch.tensor([[1.0, -2.0]]).repeat(20000, 1), torch.tensor([[0.5, 2.0]]))
    z = code.sample(torch.Generator().manual_seed(0))
    assert_close(z.mean(0), torch.tensor([1.0, -2.0]), atol=0.05, rtol=0)
    assert_close(z.std(0), torch.tensor([0.5, 2.0]), atol=0.05, rtol=0)
    assert torch.equal(z, code.sample(torch.Generator().manual_seed(0)))


def test_the_code_is_the_layers_output_and_its_information_torchs_divergence():
    layer = Bottleneck(3, 4)
    x = torch.randn(5, 3)
    out = x @ layer.weight.T + layer.bias
    code = layer(x)
    assert_close(code.mean, out[:, :4])
    assert_close(code.std, out[:, 4:].exp().log1p() + 1e-4)
    theirs = kl_divergence(Normal(code.mean, code.std), Normal(0.0, 1.0)).sum(1)
    assert_close(code.information(), theirs)


def test_gradients_flow_through_a_sample():
    mean, std = torch.zeros(1, 2, requires_grad=True), torch.ones(1, 2, requires_grad=True)
    z = Code(mean, std).sample()
    z.sum().backward()
    assert_close(mean.grad, torch.ones(1, 2))
    assert_close(std.grad, z.detach())  # ∂z/∂std = ε, which is z itself here


class Mean(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.m = nn.Parameter(torch.zeros(1, 1))


class Greedy(Game):
    """The player wants its mean m large; I_c bounds ½m², its information."""

    limit = 0.5

    def __init__(self) -> None:
        super().__init__(
            greedy=Player(Mean(), optimizer=torch.optim.SGD, lr=0.2),
            multiplier=Player(Multiplier(), optimizer=torch.optim.SGD, lr=0.2),
        )

    def information(self):
        return bottleneck_kl(self.greedy.m, torch.ones(1, 1)).mean()

    def greedy_loss(self, turn):
        beta = self.multiplier().detach()
        return -2 * self.greedy.m.sum() + beta * (self.information() - self.limit)

    def multiplier_loss(self, turn):
        return -self.multiplier() * (self.information().detach() - self.limit)


def test_dual_ascent_finds_the_saddle_point():
    game = Greedy()
    Trainer(150, accelerator="cpu").fit(game)
    assert game.greedy.m.item() == pytest.approx(math.sqrt(2 * 0.5), abs=1e-3)
    assert game.multiplier().item() == pytest.approx(2 / math.sqrt(2 * 0.5), abs=1e-3)


def test_the_multiplier_stays_at_zero_while_nothing_is_too_much():
    game = Greedy()
    game.limit = 1e6
    Trainer(5, accelerator="cpu").fit(game)
    assert game.multiplier().item() == 0


class Critic(nn.Module):
    """A discriminator of points with a bottleneck of two numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.body = mlp(2, 16, width=32, depth=1)
        self.bottleneck = Bottleneck(16, 2)
        self.head = nn.Linear(2, 1)


class VDB(Game):
    """A discriminator that may hold I_c nats of a sample; fakes are the reals, moved."""

    limit = 0.2

    def __init__(self, lr: float) -> None:
        super().__init__(
            discriminator=Player(Critic(), lr=5e-3),
            multiplier=Player(Multiplier(), optimizer=torch.optim.SGD, lr=lr),
        )
        self.history: list[float] = []

    def discriminator_loss(self, turn):
        critic, real = self.discriminator, turn.randn(128, 2)
        code = critic.bottleneck(critic.body(torch.cat([real, 2 + turn.randn(128, 2)])))
        real, fake = critic.head(code.sample(turn.generator)).chunk(2)
        information = code.information().mean()
        turn.log("information", information)
        self.history.append(information.item())
        beta = self.multiplier().detach()
        bottleneck = beta * (information - self.limit)
        return {"scores": non_saturating.discriminator(real, fake), "bottleneck": bottleneck}

    def multiplier_loss(self, turn):
        return -self.multiplier() * (turn.figures["information"] - self.limit)


@pytest.mark.parametrize(("lr", "bounded"), [(0.5, True), (0.0, False)])
def test_in_training_the_information_comes_to_what_is_allowed(lr, bounded):
    torch.manual_seed(0)
    game = VDB(lr)
    Trainer(200, accelerator="cpu", threads=1).fit(game)
    late = sum(game.history[-50:]) / 50
    if bounded:
        assert late == pytest.approx(game.limit, rel=0.1)
        assert game.multiplier().item() > 0.1
    else:
        assert late > 3 * game.limit
