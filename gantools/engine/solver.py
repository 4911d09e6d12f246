"""Solvers: in which order, and at whose weights, the players' moves are worked out and made."""

from __future__ import annotations

from typing import Protocol

from gantools.engine.game import Game
from gantools.engine.player import Agent
from gantools.engine.turn import Turn


class Solver(Protocol):
    """Plays one turn of a game.

    A solver moves any player by ``player.prepare(game, turn)``, which works the move out, and
    ``player.step(turn)``, which makes it. It tells the turn who is yet to move on the present
    batch (``turn.expect``), so that shared work keeps just the graphs that will be used. A solver
    with a memory of its own puts it into ``state_dict``.
    """

    def play(self, game: Game, turn: Turn) -> None:
        """Let every player of ``game`` make its moves of this turn."""
        ...


class Alternating:
    """One player after the other, each seeing the moves already made (Gauss–Seidel).

    A player with ``moves=5`` makes five in a row, each after the first on a fresh batch.
    """

    def play(self, game: Game, turn: Turn) -> None:
        """Move the players in the order in which the game names them."""
        waiting = list(game.players)
        for name, player in game.players.items():
            waiting.remove(name)
            for move in range(player.moves):
                if move:
                    turn.refresh()
                last = move == player.moves - 1
                turn.expect(frozenset(waiting) if last else frozenset())
                player.prepare(game, turn)
                player.step(turn)


class Simultaneous:
    """All players work their moves out at the same weights, then all make them (Jacobi).

    Agents make theirs first: what their transitions are worth they ask while they learn, and it is
    then still the worth at the old weights.

    Raises:
        ValueError: a player has more than one move a turn, which has no meaning here.
    """

    def play(self, game: Game, turn: Turn) -> None:
        """Prepare all moves, then make them."""
        for name, player in game.players.items():
            if player.moves != 1:
                raise ValueError(
                    f"the simultaneous solver gives every player one move a turn; "
                    f"{name!r} has moves={player.moves}: use the alternating solver"
                )
        turn.expect(frozenset(game.players))
        for player in game.players.values():
            player.prepare(game, turn)
        for player in sorted(game.players.values(), key=lambda p: not isinstance(p, Agent)):
            player.step(turn)
