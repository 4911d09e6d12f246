"""Solvers: known rates on small games, the formulas for any optimizer, and exact resumes."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from gantools import Agent, Game, Player, Trainer, shared
from gantools.engine import (
    Alternating,
    Consensus,
    Extragradient,
    Lookahead,
    NagarajanKolter,
    Optimistic,
    Simultaneous,
)
from gantools.engine.solver import SOLVERS
from gantools.errors import UserError

SGD = {"optimizer": torch.optim.SGD}
CPU = {"accelerator": "cpu"}


class Vector(nn.Module):
    def __init__(self, *values: float) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor(values, dtype=torch.float64))

    def forward(self):
        return self.values


class Bilinear(Game):
    """min over x, max over y of x·y: the equilibrium is (0, 0)."""

    def __init__(self, h: float, **options) -> None:
        options = {**SGD, "lr": h, **options}
        super().__init__(x=Player(Vector(1.0), **options), y=Player(Vector(0.5), **options))

    def x_loss(self, turn):
        return (self.x() * self.y()).sum()

    def y_loss(self, turn):
        return -(self.x() * self.y()).sum()

    def place(self) -> complex:
        return complex(self.x().item(), self.y().item())


def play(game, turns, solver):
    Trainer(turns, solver=solver, **CPU).fit(game)
    return game


# -- rates on the bilinear game -----------------------------------------------------------------
# With z = x + iy the gradient field is v = −iz, so that every linear solver multiplies z.

H = 0.1
RATES = {
    "simultaneous": (Simultaneous(), math.sqrt(1 + H**2)),
    "extragradient": (Extragradient(), math.sqrt(1 - H**2 + H**4)),
    "consensus": (Consensus(0.7), math.sqrt((1 - 0.7 * H) ** 2 + H**2)),
    "lookahead": (
        Lookahead("simultaneous", k=3, alpha=0.4),
        abs(1 + 0.4 * ((1 + H * 1j) ** 3 - 1)) ** (1 / 3),
    ),
    "lookahead of extragradient": (
        Lookahead("extragradient", k=1, alpha=0.5),
        abs(1 + 0.5 * ((1 - H**2 + H * 1j) - 1)),
    ),
}


@pytest.mark.parametrize("name", RATES)
@pytest.mark.parametrize("turns", [3, 300])
def test_the_rate_on_the_bilinear_game(name, turns):
    solver, rate = RATES[name]
    start = abs(Bilinear(H).place())
    game = play(Bilinear(H), turns, copy.deepcopy(solver))
    assert abs(game.place()) == pytest.approx(start * rate**turns, rel=1e-9)


def test_optimistic_descent_is_its_recursion():
    # z_{t+1} = z_t + 2ih z_t − ih z_{t−1}, the first step plain.
    before, now = complex(1, 0.5), complex(1, 0.5) * (1 + 1j * H)
    for _ in range(499):
        before, now = now, now + 2j * H * now - 1j * H * before
    game = play(Bilinear(H), 500, Optimistic())
    assert game.place() == pytest.approx(now, rel=1e-9)
    assert abs(now) < 0.1


def test_nagarajan_kolter_on_the_bilinear_game():
    # V = xy: x adds η‖∂V/∂y‖² = ηx² and shrinks; y is plain.
    game, (x, y), eta = Bilinear(H), (1.0, 0.5), 0.3
    play(game, 200, NagarajanKolter(eta, player="x"))
    for _ in range(200):
        x, y = x - H * (y + 2 * eta * x), y + H * x
    assert game.place() == pytest.approx(complex(x, y), rel=1e-9)


def test_nagarajan_kolter_regularises_the_last_player_if_none_is_named():
    named, left_out = (
        play(Bilinear(H), 20, NagarajanKolter(0.3, player=player)) for player in ("y", None)
    )
    assert named.place() == left_out.place()


@pytest.mark.parametrize("solver", [Alternating(), Simultaneous()])
def test_plain_steps_do_not_settle(solver):
    assert abs(play(Bilinear(H), 2000, solver).place()) > 1


@pytest.mark.parametrize("solver", [Extragradient(), Optimistic(), Consensus(1.0)])
def test_the_others_do(solver):
    assert abs(play(Bilinear(H), 2000, solver).place()) < 1e-3


# -- the Dirac-GAN (Mescheder et al. 2018) ---------------------------------------------------------


class DiracGAN(Game):
    """The generator puts all mass at θ, the data is at 0, and the discriminator is D(x) = ψx.

    The equilibrium is (0, 0); the discriminator's gradient penalty at any point is γ/2 ψ².
    """

    def __init__(self, h=0.05, gamma=0.0) -> None:
        self.gamma = gamma
        super().__init__(
            discriminator=Player(Vector(1.0), lr=h, **SGD),
            generator=Player(Vector(1.0), lr=h, **SGD),
        )

    def value(self):
        # f(θψ) + f(0) with f(t) = −log(1 + exp(−t)), up to a sign of θ
        return -softplus(-(self.discriminator() * self.generator())).sum()

    def discriminator_loss(self, turn):
        return -self.value() + 0.5 * self.gamma * self.discriminator().square().sum()

    def generator_loss(self, turn):
        return self.value()

    def radius(self) -> float:
        return math.hypot(self.discriminator().item(), self.generator().item())


@pytest.mark.parametrize(
    ("solver", "gamma", "low", "high"),
    [
        (Simultaneous(), 0.0, 2.0, 2.4),  # the notes measured 2.18 …
        (Alternating(), 0.0, 1.35, 1.5),  # … 1.415, an orbit …
        (Consensus(1.0), 0.0, 0, 1e-8),  # … 5e-11 …
        (Alternating(), 1.0, 0, 1e-15),  # … 6e-21: R1 …
        (Alternating(), 10.0, 0.05, 0.12),  # … and .081: too much of it is slow
        # Theory: 1.414 · (1 − a² + a⁴)^1000 with a = h/2 is .757; far out it is slower.
        (Extragradient(), 0.0, 0.757, 0.8),
        (Optimistic(), 0.0, 0.757, 0.8),
        (NagarajanKolter(0.5), 0.0, 0, 1e-4),
    ],
)
def test_dirac_gan(solver, gamma, low, high):
    assert low <= play(DiracGAN(gamma=gamma), 2000, solver).radius() <= high


# -- rock, paper, scissors ------------------------------------------------------------------------


class RockPaperScissors(Game):
    """Two players choose by softmax of logits; the equilibrium is one third each."""

    payoff = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64)

    def __init__(self, h=0.5) -> None:
        one, other = Vector(0.5, 0.0, -0.5), Vector(-0.3, 0.6, 0.0)
        super().__init__(one=Player(one, lr=h, **SGD), other=Player(other, lr=h, **SGD))

    def gain(self):
        return self.one().softmax(0) @ self.payoff @ self.other().softmax(0)

    def one_loss(self, turn):
        return -self.gain()

    def other_loss(self, turn):
        return self.gain()

    def distance(self) -> float:
        chances = [p().softmax(0) for p in (self.one, self.other)]
        return max((c - 1 / 3).abs().max().item() for c in chances)


@pytest.mark.parametrize("solver", [Extragradient(), Optimistic(), Consensus(1.0)])
def test_rock_paper_scissors_settles(solver):
    assert play(RockPaperScissors(), 3000, solver).distance() < 1e-3


@pytest.mark.parametrize("solver", [Simultaneous(), Alternating()])
def test_rock_paper_scissors_does_not_settle_by_plain_steps(solver):
    assert play(RockPaperScissors(), 1000, solver).distance() > 0.2


# -- any number of players, any optimizer, shared work ----------------------------------------------


class Ring(Game):
    """Three players in a circle, each wants its number to be far from the next one's."""

    def __init__(self, **options) -> None:
        options = {**SGD, "lr": 0.1, **options}
        names = {"a": 0.3, "b": -0.2, "c": 0.5}
        super().__init__(**{n: Player(Vector(v), **options) for n, v in names.items()})

    def loss(self, player, turn):
        following = {"a": "b", "b": "c", "c": "a"}[player]
        return (self.players[player]() * self.players[following]()).sum()

    def values(self):
        return torch.cat([p().detach() for p in self.players.values()])


def test_consensus_of_three_players_is_its_formula():
    game, gamma = Ring(), 0.4
    z = game.values()
    following = torch.tensor([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=torch.float64)
    for _ in range(10):
        v = following @ z
        z = z - 0.1 * (v + gamma * following.T @ v)
    assert torch.allclose(play(game, 10, Consensus(gamma)).values(), z, rtol=1e-12)


def adam_steps(field, z, turns, h, extra=False, optimistic=False):
    """Extra- or optimistic Adam by hand, with betas (0.5, 0.9) and torch's eps."""
    m, s, t, last = torch.zeros_like(z), torch.zeros_like(z), 0, None

    def step(v):
        nonlocal m, s, t
        t += 1
        m, s = 0.5 * m + 0.5 * v, 0.9 * s + 0.1 * v * v
        return -h * (m / (1 - 0.5**t)) / ((s / (1 - 0.9**t)).sqrt() + 1e-8)

    for _ in range(turns):
        d = step(field(z))
        if extra:
            z = z + step(field(z + d))
        elif optimistic:
            z = z + 2 * d - (d if last is None else last)
            last = d
        else:
            z = z + d
    return z


@pytest.mark.parametrize("name", ["extragradient", "optimistic"])
def test_with_adam_it_is_the_papers_algorithm(name):
    def field(z):
        return torch.stack([z[1], -z[0]])

    which = {"extragradient": "extra", "optimistic": "optimistic"}[name]
    start = torch.tensor([1.0, 0.5], dtype=torch.float64)
    by_hand = adam_steps(field, start, 50, 0.05, **{which: True})
    adam = {"optimizer": torch.optim.Adam, "betas": (0.5, 0.9)}
    game = play(Bilinear(0.05, **adam), 50, SOLVERS[name]())
    assert game.place() == pytest.approx(complex(*by_hand.tolist()), rel=1e-9)


class GAN(Game):
    """A small GAN whose fakes are shared."""

    def __init__(self, **options) -> None:
        torch.manual_seed(3)
        options = {"lr": 1e-2, "betas": (0.5, 0.9), **options}
        make = [nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, n)) for n in (1, 2)]
        super().__init__(
            discriminator=Player(make[0], ema=0.9, **options),
            generator=Player(make[1], ema=0.9, **options),
        )

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(16, 2))

    def discriminator_loss(self, turn):
        real, fake = self.discriminator(turn.randn(16, 2) + 1), self.discriminator(self.fakes(turn))
        return {"adversarial": softplus(-real).mean() + softplus(fake).mean()}

    def generator_loss(self, turn):
        return softplus(-self.discriminator(self.fakes(turn))).mean()

    def vector(self):
        averaged = [p.averaged.state_dict().values() for p in self.players.values()]
        trained = [p.module.state_dict().values() for p in self.players.values()]
        return torch.cat([x.flatten().double() for xs in averaged + trained for x in xs])


def test_consensus_differentiates_through_shared_fakes():
    h, gamma = 0.05, 0.7
    game, by_hand = _sgd_gan(h), _sgd_gan(h)
    play(game, 1, Consensus(gamma))
    d, g = (p.module for p in by_hand.players.values())
    source = torch.Generator().manual_seed(0)
    real = torch.randn(16, 2, generator=source) + 1
    fakes = g(torch.randn(16, 2, generator=source))
    wishes = softplus(-d(real)).mean() + softplus(d(fakes)).mean(), softplus(-d(fakes)).mean()
    weights = [*d.parameters()], [*g.parameters()]
    v = [torch.autograd.grad(w, p, create_graph=True) for w, p in zip(wishes, weights, strict=True)]
    norm = 0.5 * sum(x.square().sum() for field in v for x in field)
    more = torch.autograd.grad(norm, weights[0] + weights[1])
    for parameter, own, extra in zip(weights[0] + weights[1], v[0] + v[1], more, strict=True):
        parameter.data -= h * (own.detach() + gamma * extra)
    assert torch.allclose(_trained(game), _trained(by_hand), atol=1e-7)


def _sgd_gan(h):
    game = GAN()
    for player in game.players.values():
        player._make_optimizer, player._options = torch.optim.SGD, {"lr": h}
    return game


def _trained(game):
    return torch.cat([p.flatten() for pl in game.players.values() for p in pl.module.parameters()])


@pytest.mark.parametrize("name", SOLVERS)
def test_a_resume_is_exact(name):
    whole = play(GAN(), 7, SOLVERS[name]())

    first, part = GAN(), Trainer(7, solver=SOLVERS[name](), **CPU)

    class Stop:
        def training_began(self, trainer): ...
        def turn_ended(self, trainer, figures):
            trainer.should_stop = trainer.turn == 3

        def training_ended(self, trainer, error): ...

    part.observers = [Stop()]
    part.fit(first)
    second, rest = GAN(), Trainer(7, solver=SOLVERS[name](), **CPU)
    rest.setup(second)
    rest.load_state_dict(copy.deepcopy(part.state_dict()), part.process_state_dict())
    rest.fit(second)
    assert torch.equal(second.vector(), whole.vector())
    assert rest.turn == 7


def test_what_a_solver_cannot_play_is_refused_before_the_first_turn():
    class Echo(Agent):
        def collect(self, turn): ...
        def learn(self, rollout, reward, turn): ...
        def state_dict(self): ...
        def load_state_dict(self, state): ...

    class WithAgent(Game):
        def x_loss(self, turn): ...
        def agent_reward(self, turn, transitions): ...

    for solver in (Extragradient(), Optimistic(), Consensus(), NagarajanKolter(), Lookahead()):
        with pytest.raises(UserError, match="'agent' is an agent"):
            Trainer(1, solver=solver, **CPU).fit(WithAgent(x=Player(Vector(1.0)), agent=Echo()))
    game = Bilinear(H)
    game.y.moves = 2
    with pytest.raises(UserError, match="'y' has 2"):
        play(game, 1, Extragradient())
    with pytest.raises(UserError, match="no player 'z'"):
        play(Bilinear(H), 1, NagarajanKolter(player="z"))
    with pytest.raises(UserError, match="inner is one of alternating"):
        Lookahead("lookahead")


def test_accumulated_gradients_are_those_of_the_whole_batch():
    class Fit(Game):
        def line_loss(self, turn):
            x, y = turn.batch
            return (self.line(x) - y).square().mean()

        def other_loss(self, turn):
            x, y = turn.batch
            return (self.other(x) + self.line(x).detach() - y).square().mean()

    class Data:
        def __init__(self, size):
            self.size = size

        def __iter__(self):
            x = torch.arange(24.0).view(24, 1) / 24
            return iter(zip(x.split(self.size), (x * x).split(self.size), strict=True))

    def fit(size, accumulate):
        torch.manual_seed(0)
        game = Fit(line=Player(nn.Linear(1, 1), lr=0.1), other=Player(nn.Linear(1, 1), lr=0.1))
        Trainer(6, accumulate=accumulate, **CPU).fit(game, Data(size))
        return _trained(game)

    assert torch.allclose(fit(4, 3), fit(12, 1), atol=1e-6)
    with pytest.raises(UserError, match="accumulate"):
        Trainer(1, accumulate=2, solver=Consensus(), **CPU).fit(Bilinear(H))
