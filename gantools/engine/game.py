"""A game: the players by name, and what each of them wants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

    Raises:
        TypeError: one of them is no player.
        ValueError: there is none, one has a name that every game has, or the game does not say
            what one of them wants.

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
        for name, player in players.items():
            if not isinstance(player, Mover):
                cure = f": wrap it, {name}=Player(module, lr=…)" * isinstance(player, nn.Module)
                kind = type(player).__name__
                raise TypeError(f"{name!r} is a {kind}, and not a Player or an Agent{cure}")
        self.players = players
        for name in dir(type(self)):
            by = getattr(getattr(type(self), name), "shared_by", None)
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

    def moves(self, player: str, turn: Turn) -> int:
        """How many moves a player makes in a turn: what it was made with, unless a game says else.

        0 lets it sit the turn out: a model whose pool is not yet full, a second stage.
        """
        return self.players[player].moves

    def loss(self, player: str, turn: Turn) -> Tensor | Mapping[str, Tensor]:
        """What the gradient player minimises: a scalar, or scalars by name that are summed."""
        return getattr(self, f"{player}_loss")(turn)

    def reward(self, player: str, turn: Turn, transitions: Any) -> Tensor | Mapping[str, Tensor]:
        """What N transitions are worth to the agent: shape [N], or the rollout's own [T, n]; or
        such terms by name, which are summed."""
        return getattr(self, f"{player}_reward")(turn, transitions)

    # -- what a game keeps beside its players ------------------------------------------------

    def _attributes(self) -> Iterator[tuple[str, Any]]:
        """The game's attributes but its players, those in lists and dicts one by one."""
        for name, value in vars(self).items():
            if name == "players":
                continue
            items: Iterable[tuple[Any, Any]] = [(None, value)]
            if isinstance(value, (list, tuple)):
                items = enumerate(value)
            elif isinstance(value, dict):
                items = value.items()
            for key, item in items:
                yield name if key is None else f"{name}/{key}", item

    def _kept(self) -> dict[str, Any]:
        """What has a state of its own: an adaptive augmentation, a running mean, a pool, …"""
        return {
            name: value
            for name, value in self._attributes()
            if hasattr(value, "state_dict")
            and hasattr(value, "load_state_dict")
            and not isinstance(value, Mover)
            and not name.startswith("_")
        }

    def modules(self) -> Iterator[nn.Module]:
        """Every module of the game, submodules too: the players' and those that it keeps."""
        for player in self.players.values():
            if isinstance(player, Player):
                yield from player.module.modules()
                if player.ema is not None:
                    yield from player.ema.module.modules()
        for _, value in self._attributes():
            if isinstance(value, nn.Module):
                yield from value.modules()

    def to(self, device: torch.device) -> None:
        """Take modules that are attributes of the game to the players' device."""
        for _, value in self._attributes():
            if isinstance(value, nn.Module):
                value.to(device)

    def state_dict(self) -> dict[str, Any]:
        """The state of every attribute that has ``state_dict`` and ``load_state_dict``.

        Those in lists and dicts too; not those whose name begins with an underscore, such as a
        frozen network.
        """
        return {name: value.state_dict() for name, value in self._kept().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take it up again."""
        for name, value in self._kept().items():
            value.load_state_dict(state[name])
