"""Solvers: in which order, and at whose weights, the players' moves are worked out and made.

In the formulas θᵢ are the weights of player i, Lᵢ its loss, vᵢ = ∂Lᵢ/∂θᵢ, and v all of these
together; η is a learning rate. Where plain steps follow −v, the optimizer may be any other (Adam,
say): what a solver does to gradients it does before the optimizer sees them, and what it does to
steps it does to those that the optimizer makes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from gantools.engine.game import Game
from gantools.engine.mover import Agent
from gantools.engine.player import Player
from gantools.engine.turn import Turn
from gantools.errors import UserError, did_you_mean


class Solver(ABC):
    """Plays one turn of a game.

    A solver moves any player by ``player.prepare(game, turn)``, which works the move out, and
    ``player.step(turn)``, which makes it. It tells the turn who is yet to move on the present
    batch (``turn.expect``), so that shared work keeps just the graphs that will be used. A solver
    with a memory of its own puts it into ``state_dict``.
    """

    agents: bool = True
    """Whether agents may play; they have no gradient to be looked at."""
    accumulates: bool = True
    """Whether a move's gradient may be the mean of several batches'."""
    shards: bool = False
    """Whether players' parameters may be spread over processes."""

    def check(self, game: Game) -> None:  # noqa: B027
        """Look at a game before it is played.

        Raises:
            UserError: this solver cannot play it; says why and what could.
        """

    @abstractmethod
    def play(self, game: Game, turn: Turn) -> None:
        """Let every player of ``game`` make its moves of this turn."""


class Alternating(Solver):
    """One player after the other, each seeing the moves already made (Gauss–Seidel).

    A player with ``moves=5`` makes five in a row, each after the first on a fresh batch. On the
    bilinear game it orbits for ever on the ellipse x² + y² − ηxy.
    """

    shards = True

    def play(self, game: Game, turn: Turn) -> None:
        """Move the players in the order in which the game names them."""
        waiting = list(game.players)
        for name, player in game.players.items():
            waiting.remove(name)
            moves = game.moves(name, turn)
            for move in range(moves):
                if move:
                    turn.refresh()
                last = move == moves - 1
                turn.expect(frozenset(waiting) if last else frozenset())
                player.prepare(game, turn)
                player.step(turn)


class Simultaneous(Solver):
    """All players work their moves out at the same weights, then all make them (Jacobi).

    θ ← θ − ηv. On the bilinear game it spirals outwards by √(1 + η²) a turn. Agents make their
    moves first: what their transitions are worth they ask while they learn, and it is then still
    the worth at the old weights.
    """

    def check(self, game: Game) -> None:
        """Refuse players with several moves, and agents where gradients are looked at."""
        words = "".join(f" {c}" if c.isupper() else c for c in type(self).__name__).lower().strip()
        for name, player in game.players.items():
            if player.moves != 1:
                raise UserError(
                    f"The {words} solver gives every player one move a turn, and {name!r} has "
                    f"{player.moves}: take --solver alternating, or one move."
                )
            if isinstance(player, Agent) and not self.agents:
                raise UserError(
                    f"The {words} solver moves along gradients, and {name!r} is an agent, which "
                    "moves by itself: take --solver alternating or simultaneous."
                )

    def play(self, game: Game, turn: Turn) -> None:
        """Prepare all moves, then make them."""
        movers = self.movers(game, turn)
        turn.expect(frozenset(movers))
        for player in movers.values():
            player.prepare(game, turn)
        self.step(movers, turn)

    def movers(self, game: Game, turn: Turn) -> dict[str, Any]:
        """The players that move in this turn."""
        return {name: p for name, p in game.players.items() if game.moves(name, turn)}

    def step(self, movers: Mapping[str, Any], turn: Turn) -> None:
        """Make the prepared moves."""
        for player in sorted(movers.values(), key=lambda p: not isinstance(p, Agent)):
            player.step(turn)


class Extragradient(Simultaneous):
    """Looks half a step ahead and moves from where it was along the gradient found there.

    θ½ = θ − ηv(θ), then θ ← θ − ηv(θ½) (Korpelevich 1976). With Adam both steps are Adam's and
    both update its moments (ExtraAdam: Gidel et al. 2019, algorithm 4). Each half has a batch of
    its own. On the bilinear game it comes closer by √(1 − η² + η⁴) a turn.
    """

    agents = False

    def play(self, game: Game, turn: Turn) -> None:
        """Step ahead, look, go back, and move."""
        players = self.movers(game, turn)
        start = {name: player.weights() for name, player in players.items()}
        turn.expect(frozenset(players))
        for player in players.values():
            player.prepare(game, turn)
        for player in players.values():
            player.move(turn)
        turn.refresh()
        for player in players.values():
            player.prepare(game, turn)
        for name, player in players.items():
            player.put(start[name])
            player.step(turn)


class Optimistic(Simultaneous):
    """Takes the last step to foretell the next: one gradient a turn, and it settles none the less.

    With d the step that the optimizer makes, θ ← θ + 2dₜ − dₜ₋₁: for gradient descent this is
    θ − 2ηvₜ + ηvₜ₋₁ (OGDA: Popov 1980; Daskalakis et al. 2018), for Adam optimistic Adam
    (ibid., algorithm 1). The first turn is a plain step.
    """

    agents = False

    def __init__(self) -> None:
        self.last: dict[str, list[Tensor]] = {}
        """By player, the step that its optimizer made in the turn before."""

    @torch.no_grad()
    def step(self, movers: Mapping[str, Any], turn: Turn) -> None:
        """Twice the optimizer's step, less the one before."""
        for name, player in movers.items():
            start = player.weights()
            player.move(turn)
            steps = [p.detach() - s for p, s in zip(player.trainable, start, strict=True)]
            last = self.last.get(name, steps)
            player.put([s + 2 * d - b for s, d, b in zip(start, steps, last, strict=True)])
            player.settle(turn)
            self.last[name] = steps

    def state_dict(self) -> dict[str, Any]:
        """The steps of the turn before."""
        return {"last": self.last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the steps of the turn before."""
        self.last = {name: list(steps) for name, steps in state["last"].items()}


class Consensus(Simultaneous):
    """Adds to every player's gradient the wish that nobody's gradient be large.

    v + γ ∇½‖v‖², the norm over all players (Mescheder et al. 2017, algorithm 2): a rotation round
    the equilibrium becomes a spiral into it. It differentiates gradients, and so costs about three
    times as much. Penalties that detach their samples count as if the samples were given.

    Args:
        gamma: the weight γ of ½‖v‖².
    """

    agents = False
    accumulates = False

    def __init__(self, gamma: float = 1.0) -> None:
        if not gamma >= 0:
            raise UserError(f"consensus: gamma must be at least 0, not {gamma}.")
        self.gamma = gamma

    def play(self, game: Game, turn: Turn) -> None:
        """Work out the gradients with their graph, then their norm's own gradient."""
        players = self.movers(game, turn)
        with turn.joint():
            terms = {name: player.terms(game, turn) for name, player in players.items()}
        fields = {
            name: torch.autograd.grad(
                reduce(torch.add, terms[name].values()),
                player.trainable,
                create_graph=True,
                allow_unused=True,
            )
            for name, player in players.items()
        }
        for name, player in players.items():
            more = self.correction(name, players, fields)
            along = [_sum(v, c) for v, c in zip(fields[name], more, strict=True)]
            player.follow(along, terms[name], turn)
        self.step(players, turn)

    def correction(
        self,
        name: str,
        players: Mapping[str, Player],
        fields: Mapping[str, Sequence[Tensor | None]],
    ) -> Sequence[Tensor | None]:
        """What is added to the gradient of a player: γ ∂½‖v‖²/∂θ."""
        return _norm_gradient(name, players, fields, self.gamma)


class NagarajanKolter(Consensus):
    """One player's loss gains the squared gradient of the others: η‖∂V/∂θ_D‖² for the generator.

    vG + η ∂‖v_D‖²/∂θG, all other players plain (Nagarajan & Kolter 2017, section 4): locally stable
    for GANs, and the generator learns to foresee the discriminator's answer.

    Args:
        eta: the weight η.
        player: who is regularised; left out, the one that moves last.
    """

    def __init__(self, eta: float = 0.5, player: str | None = None) -> None:
        if not eta >= 0:
            raise UserError(f"nagarajan-kolter: eta must be at least 0, not {eta}.")
        self.eta, self.player = eta, player

    def check(self, game: Game) -> None:
        """Refuse a name that no player has."""
        super().check(game)
        if self.player is not None and self.player not in game.players:
            known = f" It has {', '.join(game.players)}."
            hint = did_you_mean(str(self.player), game.players) or known
            raise UserError(f"nagarajan-kolter: the game has no player {self.player!r}.{hint}")

    def correction(
        self,
        name: str,
        players: Mapping[str, Player],
        fields: Mapping[str, Sequence[Tensor | None]],
    ) -> Sequence[Tensor | None]:
        """η ∂‖v of the others‖²/∂θ for the one player, nothing for the others."""
        if name != (self.player or list(players)[-1]):
            return [None] * len(fields[name])
        others = {other: field for other, field in fields.items() if other != name}
        return _norm_gradient(name, players, others, 2 * self.eta)


class Lookahead(Solver):
    """Lets another solver play k turns, then goes only part of the way that it went.

    θ ← φ + α(θ − φ), φ ← θ, for all players at once (Zhang et al. 2019; for games Chavdarova et al.
    2021, algorithm 1). Moving averages see the fast weights.

    Args:
        inner: the solver that plays, by name.
        k: turns between the slow steps.
        alpha: how much of the way is kept, in (0, 1].
    """

    def __init__(self, inner: str = "alternating", k: int = 5, alpha: float = 0.5) -> None:
        if inner not in SOLVERS or inner == "lookahead":
            known = ", ".join(name for name in SOLVERS if name != "lookahead")
            raise UserError(f"lookahead: inner is one of {known}, not {inner!r}.")
        if k < 1 or not 0 < alpha <= 1:
            raise UserError(f"lookahead: k is at least 1 and alpha in (0, 1], not {k} and {alpha}.")
        self.inner, self.k, self.alpha = SOLVERS[inner](), k, alpha
        self.accumulates = self.inner.accumulates
        self.slow: dict[str, list[Tensor]] = {}
        """By player, the slow weights φ."""

    def check(self, game: Game) -> None:
        """Refuse agents, whose weights are not ours to move."""
        self.inner.check(game)
        agents = [name for name, player in game.players.items() if not isinstance(player, Player)]
        if agents:
            raise UserError(
                f"The lookahead solver moves weights, and {agents[0]!r} is an agent, which moves "
                "by itself: take --solver alternating."
            )

    def play(self, game: Game, turn: Turn) -> None:
        """Let the inner solver play; after every k turns, step back."""
        players: dict[str, Player] = dict(game.players)  # type: ignore[arg-type]
        if not self.slow:
            self.slow = {name: player.weights() for name, player in players.items()}
        self.inner.play(game, turn)
        if (turn.step + 1) % self.k:
            return
        for name, player in players.items():
            pairs = zip(self.slow[name], player.weights(), strict=True)
            self.slow[name] = [torch.lerp(slow, fast, self.alpha) for slow, fast in pairs]
            player.put(self.slow[name])

    def state_dict(self) -> dict[str, Any]:
        """The slow weights, and what the inner solver remembers."""
        inner = self.inner.state_dict() if hasattr(self.inner, "state_dict") else {}
        return {"slow": self.slow, "inner": inner}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the slow weights and the inner solver's state."""
        self.slow = {name: list(weights) for name, weights in state["slow"].items()}
        if hasattr(self.inner, "load_state_dict"):
            self.inner.load_state_dict(state["inner"])


SOLVERS: dict[str, type[Solver]] = {
    "alternating": Alternating,
    "simultaneous": Simultaneous,
    "extragradient": Extragradient,
    "optimistic": Optimistic,
    "consensus": Consensus,
    "nagarajan-kolter": NagarajanKolter,
    "lookahead": Lookahead,
}
"""gantools' own solvers by their names on the command line."""


def _norm_gradient(
    name: str,
    players: Mapping[str, Player],
    fields: Mapping[str, Sequence[Tensor | None]],
    weight: float,
) -> Sequence[Tensor | None]:
    """weight · ∂½‖v‖²/∂θ of one player, v the gradients of those in ``fields``.

    With several processes the norm is that of the gradients' average over them, so that processes
    match one on the whole batch: ∂½‖v‖² = Jᵀv, J by each process and v by all.
    """
    outputs, along = [], []
    for other, field in fields.items():
        used = [v for v in field if v is not None and v.requires_grad]
        outputs += used
        along += players[other].averages([v.detach() for v in used])
    if not outputs:
        return [None] * len(players[name].trainable)
    gradients = torch.autograd.grad(
        outputs,
        players[name].trainable,
        grad_outputs=[weight * v for v in along],
        retain_graph=True,
        allow_unused=True,
    )
    return gradients


def _sum(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """The sum of two gradients, of which either may be missing; without a graph."""
    if one is None or other is None:
        either = other if one is None else one
        return None if either is None else either.detach()
    return one.detach() + other
