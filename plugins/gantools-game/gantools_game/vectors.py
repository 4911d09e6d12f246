"""Games of a few numbers whose equilibrium is known: what solvers are tried on first.

Vectors are of double precision, so that a distance of 1e-11 can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gantools import GAN, Game, Player, Turn

Make = Callable[[nn.Module], Player]
"""Makes a player of a module, with the optimizer that was asked for."""


class Vector(nn.Module):
    """A player's numbers, [d]."""

    def __init__(self, *start: float) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self) -> Tensor:
        """The numbers, [d]."""
        return self.values


class VectorGame(Game):
    """A game of vectors.

    Attributes:
        equilibrium: what :meth:`place` gives there.
    """

    equilibrium: ClassVar[dict[str, list[float]]]

    def place(self) -> dict[str, list[float]]:
        """Where every player is, in the coordinates in which the equilibrium is known."""
        return {name: player().tolist() for name, player in self.players.items()}

    def distance(self) -> float:
        """How far the players are from the equilibrium: the greatest difference in a coordinate."""
        return distance(self.place(), self.equilibrium)

    def note(self, player: str, turn: Turn) -> None:
        """Log where a player is at the beginning of a turn."""
        for axis, value in enumerate(self.place()[player]):
            turn.figures.setdefault(f"{player}/{axis}", value)


def distance(place: dict[str, list[float]], equilibrium: dict[str, list[float]]) -> float:
    """The greatest difference in a coordinate of a player."""
    pairs = ((place[name], values) for name, values in equilibrium.items())
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


class RockPaperScissors(VectorGame):
    """Two players choose by softmax of their logits, and one's gain is the other's loss.

    The equilibrium is one third each. Plain gradient steps run away from it.
    """

    payoff = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype=torch.float64)
    """What the first player gains for (its choice, the other's)."""

    equilibrium: ClassVar = {"first": [1 / 3] * 3, "second": [1 / 3] * 3}

    def __init__(self, first: Make, second: Make) -> None:
        super().__init__(first=first(Vector(0.5, 0.0, -0.5)), second=second(Vector(-0.3, 0.6, 0)))

    def place(self) -> dict[str, list[float]]:
        """The chance of rock, paper and scissors."""
        return {name: player().softmax(0).tolist() for name, player in self.players.items()}

    def gain(self) -> Tensor:
        """What the first player may expect."""
        first, second = self.first().softmax(0), self.second().softmax(0)
        return first @ self.payoff.to(first.device) @ second

    def first_loss(self, turn: Turn) -> Tensor:
        """Gain."""
        self.note("first", turn)
        return -self.gain()

    def second_loss(self, turn: Turn) -> Tensor:
        """Let the first not gain."""
        self.note("second", turn)
        return self.gain()


class MatchingPennies(VectorGame):
    """Three players show heads or tails (Jordan 1993): the first wants what the second shows, the
    second what the third shows, the third what the first does not.

    The equilibrium is one half each; the game is no contest of two, and has no value.
    """

    equilibrium: ClassVar = {"first": [0.5], "second": [0.5], "third": [0.5]}
    wishes: ClassVar = {"first": ("second", 1), "second": ("third", 1), "third": ("first", -1)}
    """Whose penny each player looks at, and whether it wants them to match."""

    def __init__(self, first: Make, other: Make) -> None:
        starts = {"first": 1.0, "second": -0.5, "third": 0.3}
        make = {"first": first}
        super().__init__(**{n: make.get(n, other)(Vector(v)) for n, v in starts.items()})

    def place(self) -> dict[str, list[float]]:
        """The chance of heads."""
        return {name: player().sigmoid().tolist() for name, player in self.players.items()}

    def loss(self, player: str, turn: Turn) -> Tensor:
        """−E[±1 as the pennies of the two match]; with m = 2P(heads) − 1 that is −m·m′."""
        self.note(player, turn)
        other, sign = self.wishes[player]
        mean = {name: (self.players[name]() / 2).tanh() for name in (player, other)}
        return -sign * (mean[player] * mean[other]).sum()


class Bilinear(VectorGame):
    """x wants x·y small, y wants it large; the equilibrium is (0, 0), and v rotates about it."""

    equilibrium: ClassVar = {"x": [0.0], "y": [0.0]}

    def __init__(self, x: Make, y: Make) -> None:
        super().__init__(x=x(Vector(1.0)), y=y(Vector(0.0)))

    def x_loss(self, turn: Turn) -> Tensor:
        """x·y."""
        self.note("x", turn)
        return (self.x() * self.y()).sum()

    def y_loss(self, turn: Turn) -> Tensor:
        """−x·y."""
        self.note("y", turn)
        return -(self.x() * self.y()).sum()


class Dirac(nn.Module):
    """A generator that makes one point θ, whatever the codes."""

    def __init__(self, start: float = 1.0) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(start, dtype=torch.float64))

    def forward(self, codes: Tensor) -> Tensor:
        """Codes [B, …] -> the point, [B, 1]."""
        return self.theta.expand(len(codes), 1)


class DiracGAN(GAN):
    """The smallest GAN (Mescheder et al. 2018): all data is at 0, all fakes at θ, D(x) = ψx.

    The equilibrium is ψ = θ = 0. Without a penalty gradient steps circle it or worse; R1 is γ/2 ψ².
    """

    equilibrium: ClassVar = {"discriminator": [0.0], "generator": [0.0]}
    data: ClassVar[Tensor] = torch.zeros(64, 1, dtype=torch.float64)

    def __init__(
        self,
        discriminator: Make,
        generator: Make,
        **wishes: Any,
    ) -> None:
        line = nn.Linear(1, 1, bias=False, dtype=torch.float64)
        nn.init.ones_(line.weight)
        super().__init__(generator(Dirac()), discriminator(line), codes=1, **wishes)

    def place(self) -> dict[str, list[float]]:
        """ψ and θ."""
        return {
            "discriminator": [self.discriminator.weight.item()],
            "generator": [self.generator.theta.item()],
        }

    def distance(self) -> float:
        """The radius √(ψ² + θ²)."""
        return math.hypot(*(values[0] for values in self.place().values()))

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """As of any GAN; notes ψ and θ."""
        for name, values in self.place().items():
            turn.figures.setdefault(f"{name}/0", values[0])
        return super().discriminator_loss(turn)
