"""A game: the players by name, and what each of them wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from gantools.engine.mover import Agent, Mover
from gantools.engine.player import Player
from gantools.engine.turn import Turn
from gantools.errors import did_you_mean


class Game:
    """Any number of players with any names; nothing assumes one generator and one discriminator.

    A subclass says what a gradient player wants in ``<name>_loss(turn)`` and what an agent's
    transitions are worth to it in ``<name>_reward(turn, transitions)``. A game whose players
    are named at run time (an ensemble) overrides :meth:`loss` instead. Players move in the
    order in which they are given.

    Args:
        players: the players by name. ``game.discriminator`` is the player of that name.

    Example:
        >>> class GAN(Game):
        ...     def discriminator_loss(self, turn):
        ...         real = self.discriminator(turn.batch)
        ...         fake = self.discriminator(self.fakes(turn))
        ...         return non_saturating.discriminator(real, fake)
    """

    def __init__(self, **players: Mover) -> None:
        if not players:
            raise ValueError("a game needs at least one player")
        self.players = players
        for name, member in vars(type(self)).items():
            by = getattr(member, "shared_by", None)
            if by is not None and by not in players:
                known = ", ".join(players)
                raise ValueError(f"{name} is shared by {by!r}, who is not a player ({known})")
        for name, player in players.items():
            if name in dir(type(self)):
                raise ValueError(f"a player cannot be named {name!r}: every game has that")
            player.name = name
            if isinstance(player, (Player, Agent)):
                self._check_wish(name, "reward" if isinstance(player, Agent) else "loss")

    def _check_wish(self, player: str, wish: str) -> None:
        """Refuse a player of whom the game does not say what it wants."""
        own, general = f"{player}_{wish}", getattr(type(self), wish) is getattr(Game, wish)
        if general and not hasattr(type(self), own):
            hint = did_you_mean(own, dir(type(self)))
            raise ValueError(f"{type(self).__name__} has no {own} for player {player!r}.{hint}")

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["players"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no player {name!r}") from None

    def loss(self, player: str, turn: Turn) -> Tensor | Mapping[str, Tensor]:
        """What the gradient player minimises: a scalar, or scalars by name that are summed."""
        return getattr(self, f"{player}_loss")(turn)

    def reward(self, player: str, turn: Turn, transitions: Any) -> Tensor:
        """What N transitions are worth to the agent: shape [N], or the rollout's own [T, n]."""
        return getattr(self, f"{player}_reward")(turn, transitions)

    # -- what a game keeps beside its players ------------------------------------------------

    def _kept(self) -> dict[str, Any]:
        """Attributes with a state of their own: an adaptive augmentation, a running mean, …"""
        return {
            name: value
            for name, value in vars(self).items()
            if hasattr(value, "state_dict")
            and hasattr(value, "load_state_dict")
            and not isinstance(value, Mover)
        }

    def to(self, device: torch.device) -> None:
        """Take modules that are attributes of the game to the players' device."""
        for value in vars(self).values():
            if isinstance(value, nn.Module):
                value.to(device)

    def state_dict(self) -> dict[str, Any]:
        """The state of every attribute that has ``state_dict`` and ``load_state_dict``."""
        return {name: value.state_dict() for name, value in self._kept().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take it up again."""
        for name, value in self._kept().items():
            value.load_state_dict(state[name])
