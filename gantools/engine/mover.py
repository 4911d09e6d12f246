"""What a solver needs of a player, and the players that move by themselves.

A gradient player (:class:`gantools.engine.Player`) moves along the gradient of its loss. An agent
(:class:`Agent`) moves by itself: it acts in a world, is told what its transitions are worth,
and learns. Solvers move both through the same two calls: ``prepare`` works a move out,
``step`` makes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from gantools.errors import NonFiniteError

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from gantools.engine.game import Game
    from gantools.engine.turn import Turn

Reward = Callable[[Any], Tensor]
"""What transitions are worth to an agent: transitions of N steps -> Tensor of N rewards."""


class Mover(ABC):
    """What a solver needs of a player of either kind.

    Args:
        moves: how many moves the player makes in a turn (at least 1).
    """

    name: str = ""
    """The player's name in its game; the game sets it."""

    def __init__(self, moves: int = 1) -> None:
        if moves < 1:
            raise ValueError(f"moves must be at least 1, not {moves}")
        self.moves = moves

    def setup(self, fabric: Fabric, *, channels_last: bool = True) -> None:  # noqa: B027
        """Take the player to its device and processes; called once, before the first turn."""

    def start(self) -> None:  # noqa: B027
        """Begin from what the player is now; called after ``setup`` and after a warm start."""

    @abstractmethod
    def prepare(self, game: Game, turn: Turn) -> None:
        """Work the next move out (a gradient, a rollout and its rewards) without making it."""

    @abstractmethod
    def step(self, turn: Turn) -> None:
        """Make the move that ``prepare`` worked out."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that a resume needs: nested dicts of tensors, arrays and plain values."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up the state that :meth:`state_dict` gave."""


class Agent(Mover):
    """A player that moves by itself, such as a reinforcement-learning policy.

    A subclass acts in its world in :meth:`collect` and learns from what it saw in :meth:`learn`.
    What the transitions are worth is not the world's but the game's to say
    (``Game.<name>_reward``). Off-policy agents ask for the worth of the transitions that they
    replay, whenever they replay them.
    """

    def setup(self, fabric: Fabric, *, channels_last: bool = True) -> None:
        """Refuse several processes: agents act and learn in one.

        Raises:
            ValueError: there are several.
        """
        if fabric.world_size > 1:
            raise ValueError(f"the agent {self.name!r} trains in one process: leave devices at 1")

    def rollout(self, turn: Turn) -> Any:
        """This turn's rollout: collected when first asked for, and the same for every player,
        those that move after the agent too."""
        return turn.rollout(self.name, lambda: self.collect(turn))

    @abstractmethod
    def collect(self, turn: Turn) -> Any:
        """Act in the world once and return the transitions."""

    @abstractmethod
    def learn(self, rollout: Any, reward: Reward, turn: Turn) -> Mapping[str, float]:
        """Update on the rollout; return figures to log."""

    def prepare(self, game: Game, turn: Turn) -> None:
        """Collect a rollout, unless another player has asked for this turn's already."""
        rollout = turn.rollout(self.name, lambda: self.collect(turn), fresh=True)
        self._prepared = rollout, lambda transitions: self._worth(game, turn, transitions)

    def _worth(self, game: Game, turn: Turn, transitions: Any) -> Tensor:
        """What the game says that transitions are worth: the sum of its terms, each looked at.

        Raises:
            NonFiniteError: one of them is not finite; says which.
        """
        worth = game.reward(self.name, turn, transitions)
        if not isinstance(worth, Mapping):
            return worth
        for term, value in worth.items():
            if not torch.isfinite(value).all():
                raise NonFiniteError(f"the term {term!r} of its reward is not finite")
            turn.log(f"{self.name}/{term}", value.float().mean())
        return reduce(torch.add, worth.values())

    def step(self, turn: Turn) -> None:
        """Learn from the rollout what the game says that it is worth.

        Raises:
            NonFiniteError: a reward, a loss or a weight is not finite; says so of which.
        """
        rollout, reward = self._prepared
        del self._prepared
        try:
            figures = self.learn(rollout, reward, turn)
        except NonFiniteError as error:
            raise NonFiniteError(f"turn {turn.step}: player {self.name!r}: {error}") from None
        for figure, value in figures.items():
            turn.log(f"{self.name}/{figure}", value)
        turn.moved(self.name)
