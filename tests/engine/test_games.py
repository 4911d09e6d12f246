"""Games with known answers, any number of players, and the same numbers as a loop by hand."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from torch import nn

from gantools import Game, Player, Trainer, Turn, shared
from gantools.engine import Alternating, Simultaneous
from gantools.errors import NonFiniteError
from gantools.losses import hinge, non_saturating


class Point(nn.Module):
    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))

    def forward(self):
        return self.value


class Bilinear(Game):
    """min over x, max over y of x·y: the equilibrium is (0, 0)."""

    def __init__(self, h: float) -> None:
        sgd = {"optimizer": torch.optim.SGD, "lr": h}
        super().__init__(x=Player(Point(1.0), **sgd), y=Player(Point(0.0), **sgd))

    def x_loss(self, turn):
        return self.x() * self.y()

    def y_loss(self, turn):
        return -self.x() * self.y()

    def radius(self) -> float:
        return math.hypot(self.x().item(), self.y().item())


@pytest.mark.parametrize("h", [0.1, 0.3])
def test_simultaneous_steps_spiral_outwards_by_the_theory_factor(h):
    game = Bilinear(h)
    Trainer(50, solver=Simultaneous(), accelerator="cpu").fit(game)
    assert game.radius() == pytest.approx((1 + h * h) ** 25, rel=1e-9)


@pytest.mark.parametrize("turns", [1, 10, 500])
def test_alternating_steps_orbit_on_the_theory_ellipse(turns):
    # x' = x − hy, y' = y + hx' (symplectic Euler) keeps x² + y² − hxy, which is 1 at the start.
    h = 0.1
    game = Bilinear(h)
    Trainer(turns, solver=Alternating(), accelerator="cpu").fit(game)
    x, y = game.x().item(), game.y().item()
    assert x * x + y * y - h * x * y == pytest.approx(1, rel=1e-9)


def test_the_learning_rate_follows_its_schedule_and_goes_on_after_a_resume():
    class Slope(Game):
        def x_loss(self, turn):
            return self.x()

    def make() -> Slope:
        options = {"optimizer": torch.optim.SGD, "lr": 0.1}
        return Slope(x=Player(Point(0.0), schedule=lambda p: (1 - p) ** 2, **options))

    whole, trainer = make(), Trainer(5, accelerator="cpu")
    trainer.fit(whole)
    assert whole.x().item() == pytest.approx(-0.1 * sum((1 - t / 5) ** 2 for t in range(5)))

    first, part = make(), Trainer(5, accelerator="cpu")
    part.setup(first)
    for step in range(3):
        part.solver.play(first, Turn(step, 5, torch.device("cpu"), torch.Generator()))
    second, rest = make(), Trainer(5, accelerator="cpu")
    rest.setup(second)
    rest.load_state_dict({**part.state_dict(), "turn": 3}, part.process_state_dict())
    rest.fit(second)
    assert second.x().item() == whole.x().item()


class Ensemble(Game):
    """One generator against discriminators that are named when the game is made."""

    def __init__(self, count: int) -> None:
        critics = {f"critic{i}": Player(nn.Linear(2, 1), lr=1e-2) for i in range(count)}
        super().__init__(**critics, generator=Player(nn.Linear(2, 2), lr=1e-2))
        self.critics = list(critics)

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(16, 2))

    def loss(self, player, turn):
        fakes = self.fakes(turn)
        if player == "generator":
            return {c: hinge.generator(self.players[c](fakes)) for c in self.critics}
        return hinge.discriminator(
            self.players[player](turn.randn(16, 2) + 3), self.players[player](fakes)
        )


def test_an_ensemble_of_any_size_plays():
    game = Ensemble(4)
    before = copy.deepcopy([p.module.state_dict() for p in game.players.values()])
    Trainer(3, accelerator="cpu").fit(game)
    for old, player in zip(before, game.players.values(), strict=True):
        assert not torch.equal(old["weight"], player.module.weight)


def mlp(i: int, o: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(i, 16), nn.Tanh(), nn.Linear(16, o))


class GAN(Game):
    def __init__(self, d: nn.Module, g: nn.Module, **options) -> None:
        adam = {"lr": 1e-2, "betas": (0.5, 0.9), "fused": False, **options}
        super().__init__(discriminator=Player(d, **adam), generator=Player(g, **adam))
        self.data = torch.Generator().manual_seed(7)

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(32, 2))

    def discriminator_loss(self, turn):
        real = torch.randn(32, 2, generator=self.data) + 1
        return non_saturating.discriminator(
            self.discriminator(real), self.discriminator(self.fakes(turn))
        )

    def generator_loss(self, turn):
        return non_saturating.generator(self.discriminator(self.fakes(turn)))


def test_the_engine_gives_the_numbers_of_a_loop_by_hand_bit_for_bit():
    torch.manual_seed(0)
    d, g = mlp(2, 1), mlp(2, 2)
    d2, g2 = copy.deepcopy(d), copy.deepcopy(g)
    Trainer(20, seed=3, accelerator="cpu").fit(GAN(d, g))

    data, noise = torch.Generator().manual_seed(7), torch.Generator().manual_seed(3)
    od = torch.optim.Adam(d2.parameters(), lr=1e-2, betas=(0.5, 0.9))
    og = torch.optim.Adam(g2.parameters(), lr=1e-2, betas=(0.5, 0.9))
    for _ in range(20):
        real = torch.randn(32, 2, generator=data) + 1
        fake = g2(torch.randn(32, 2, generator=noise))
        od.zero_grad()
        non_saturating.discriminator(d2(real), d2(fake.detach())).backward()
        od.step()
        og.zero_grad()
        non_saturating.generator(d2(fake)).backward()
        og.step()
    for ours, theirs in zip(
        [*d.parameters(), *g.parameters()], [*d2.parameters(), *g2.parameters()], strict=True
    ):
        assert torch.equal(ours, theirs)


def test_ema_is_the_moving_average_of_the_weights_after_every_move():
    game = GAN(mlp(2, 1), mlp(2, 2), ema=0.9)
    trainer = Trainer(1, accelerator="cpu")
    trainer.setup(game)
    weight = game.generator.module[0].weight
    expected = weight.detach().clone()
    for turns in range(1, 5):
        trainer.turns = turns
        trainer.fit(game)
        # AveragedModel copies at its first update, as torch does.
        expected = weight.detach().clone() if turns == 1 else 0.9 * expected + 0.1 * weight.detach()
    assert torch.allclose(game.generator.averaged[0].weight, expected, atol=1e-7)


def test_clipping_is_to_the_global_norm():
    module = nn.Linear(3, 1, bias=False)
    before = module.weight.detach().clone()

    class Steep(Game):
        def player_loss(self, turn):
            return 1000 * self.player(torch.ones(1, 3)).sum()

    sgd = {"optimizer": torch.optim.SGD, "lr": 1.0}
    Trainer(1, accelerator="cpu").fit(Steep(player=Player(module, clip_norm=0.5, **sgd)))
    assert (module.weight - before).norm().item() == pytest.approx(0.5, rel=1e-4)


def test_a_term_that_is_not_finite_is_named_with_turn_and_player():
    class Broken(GAN):
        def generator_loss(self, turn):
            good = super().generator_loss(turn)
            return {"good": good, "bad": good * (math.inf if turn.step == 2 else 1)}

    with pytest.raises(NonFiniteError, match=r"turn 2: player 'generator': the term 'bad'"):
        Trainer(5, accelerator="cpu").fit(Broken(mlp(2, 1), mlp(2, 2)))


def test_a_gradient_that_is_not_finite_is_named_by_parameter():
    class Kink(Game):
        def player_loss(self, turn):
            return self.player(torch.zeros(1, 2)).abs().sqrt().sum()  # finite, with gradient inf

    player = Player(nn.Linear(2, 1), lr=0.1)
    nn.init.zeros_(player.module.bias)
    with pytest.raises(NonFiniteError, match="gradient of"):
        Trainer(1, accelerator="cpu").fit(Kink(player=player))


def test_a_gradient_that_was_not_used_does_not_reach_the_next_move():
    class Poisoned(Game):
        poison = math.nan

        def player_loss(self, turn):
            return self.player(torch.ones(1, 2)).sum() * self.poison

    game = Poisoned(player=Player(nn.Linear(2, 1), lr=0.1))
    trainer = Trainer(1, accelerator="cpu")
    with pytest.raises(NonFiniteError):
        trainer.fit(game)
    game.poison = 1.0  # as after a rollback
    trainer.fit(game)
    assert torch.isfinite(game.player.module.weight).all()


def test_a_game_with_a_state_of_its_own_keeps_it():
    class Pool(GAN):
        seen = 0

        def discriminator_loss(self, turn):
            self.seen += 1
            return super().discriminator_loss(turn)

        def state_dict(self):
            return {"seen": self.seen}

        def load_state_dict(self, state):
            self.seen = state["seen"]

    trainer = Trainer(3, accelerator="cpu")
    trainer.fit(Pool(mlp(2, 1), mlp(2, 2)))
    second, loaded = Pool(mlp(2, 1), mlp(2, 2)), Trainer(3, accelerator="cpu")
    loaded.setup(second)
    loaded.load_state_dict(trainer.state_dict(), trainer.process_state_dict())
    assert second.seen == 3


def test_short_evaluations_leave_modules_and_random_states_as_they_were():
    game = GAN(nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 1)), mlp(2, 2))
    trainer = Trainer(1, accelerator="cpu")
    trainer.setup(game)
    statistics, state = game.discriminator.module[0].running_mean.clone(), torch.get_rng_state()
    with trainer.evaluating():
        game.discriminator(torch.randn(8, 2) + 5)
    assert torch.equal(game.discriminator.module[0].running_mean, statistics)
    assert torch.equal(torch.get_rng_state(), state)
    assert game.discriminator.module.training


def test_a_saved_state_goes_on_bit_for_bit():
    def make():
        torch.manual_seed(0)
        return GAN(mlp(2, 1), mlp(2, 2), ema=0.99, fused=True)

    whole = make()
    Trainer(10, accelerator="cpu").fit(whole)

    first, trainer = make(), Trainer(4, accelerator="cpu")
    trainer.fit(first)
    state, process = copy.deepcopy((trainer.state_dict(), trainer.process_state_dict()))
    second, trainer = make(), Trainer(10, accelerator="cpu")
    trainer.setup(second)
    second.data.set_state(first.data.get_state())
    trainer.load_state_dict(state, process)
    trainer.fit(second)
    for a, b in zip(whole.players.values(), second.players.values(), strict=True):
        for x, y in zip(a.ema.state_dict().values(), b.ema.state_dict().values(), strict=True):
            assert torch.equal(x, y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Player(nn.Linear(1, 1), moves=0), "moves"),
        (lambda: Player(nn.Linear(1, 1), ema=1.0), "ema"),
        (lambda: Player(nn.Tanh()), "parameter"),
        (lambda: Game(), "at least one player"),
        (lambda: Game(loss=Player(nn.Linear(1, 1))), "cannot be named 'loss'"),
        (lambda: Trainer(1, precision="16-mixed"), "precision"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_bare_module_is_refused_with_its_cure():
    with pytest.raises(TypeError, match=r"'generator' is a Linear.*wrap it, generator=Player\("):
        Game(generator=nn.Linear(1, 1))
    with pytest.raises(TypeError, match=r"'generator' is a int, and not a Player or an Agent$"):
        Game(generator=3)


def test_half_precision_plays():
    game = GAN(mlp(2, 1), mlp(2, 2))
    Trainer(2, accelerator="cpu", precision="bf16-mixed").fit(game)
    assert all(torch.isfinite(p).all() for p in game.generator.module.parameters())
