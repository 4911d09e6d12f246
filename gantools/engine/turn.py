"""A turn: what a loss may look at, and the work that players of one turn share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

T = TypeVar("T")
_NOTHING = object()


class Turn:
    """One round of the game, in which every player makes its moves.

    Attributes:
        step: the number of this turn, from 0.
        progress: how much of the training is over, from 0 to just below 1; what is annealed
            (noise, a learning rate) is a function of this.
        device: where the players' parameters are.
        generator: the random generator of this process, on ``device``; its state is in every
            checkpoint, so whatever is drawn from it is drawn again after a resume.
    """

    def __init__(
        self,
        step: int,
        turns: int,
        device: torch.device,
        generator: torch.Generator,
        data: Iterator[Any] | None = None,
    ) -> None:
        self.step = step
        self.progress = step / turns
        self.device = device
        self.generator = generator
        self.figures: dict[str, Any] = {}
        self._data = data
        self._batch: Any = _NOTHING
        self._shared: dict[Hashable, tuple[str | None, bool, Any]] = {}
        self._rollouts: dict[str, Any] = {}
        self._mover: str | None = None
        self._waiting: frozenset[str] = frozenset()

    # -- what a loss may look at -------------------------------------------------------------

    @property
    def batch(self) -> Any:
        """The batch of this move, on ``device``; the same for all players unless one of them
        moves more than once, for then each further move brings a fresh one."""
        if self._batch is _NOTHING:
            self._batch = None if self._data is None else next(self._data)
        return self._batch

    def randn(self, *size: int) -> Tensor:
        """Standard normal noise of shape ``size`` on the device, from this turn's generator."""
        return torch.randn(*size, generator=self.generator, device=self.device)

    def rand(self, *size: int) -> Tensor:
        """Uniform noise in [0, 1) of shape ``size`` on the device, from this turn's generator."""
        return torch.rand(*size, generator=self.generator, device=self.device)

    def randint(self, high: int, size: tuple[int, ...]) -> Tensor:
        """Uniform integers in [0, high) on the device, from this turn's generator."""
        return torch.randint(high, size, generator=self.generator, device=self.device)

    def log(self, name: str, value: float | Tensor) -> None:
        """Note a scalar under ``player/figure``. Tensors are detached and read only when shown."""
        self.figures[name] = value.detach() if isinstance(value, Tensor) else value

    # -- sharing work -----------------------------------------------------------------------

    def share(self, key: Hashable, compute: Callable[[], T], *, by: str | None) -> T:
        """Return ``compute()``, computed once for all players of the turn.

        ``by`` names the one player whose parameters the result depends on (None: nobody's). That
        player receives the result with its graph, every other detached; a graph is built only if
        ``by`` is yet to move on this batch; and the result is thrown away when ``by`` has moved.
        The method decorator :func:`shared` is the usual way to call this.
        """
        needs_graph = by is not None and (by == self._mover or by in self._waiting)
        kept = self._shared.get(key)
        if kept is None or (by == self._mover and not kept[1]):
            with torch.set_grad_enabled(needs_graph), _computing(key, by):
                kept = (by, needs_graph, compute())
            self._shared[key] = kept
        _, has_graph, value = kept
        if has_graph and by != self._mover:
            return tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, value)
        return value

    def rollout(self, player: str, collect: Callable[[], T]) -> T:
        """Return the agent's rollout of this turn, collecting it when first asked for."""
        if player not in self._rollouts:
            self._rollouts[player] = collect()
        return self._rollouts[player]

    # -- for solvers ------------------------------------------------------------------------

    @contextmanager
    def moving(self, player: str) -> Iterator[None]:
        """While this lasts ``player`` is the one that works out its move."""
        self._mover = player
        try:
            yield
        finally:
            self._mover = None

    def expect(self, players: frozenset[str]) -> None:
        """Say who is yet to move on the present batch, so that shared work keeps their graph."""
        self._waiting = players

    def moved(self, player: str) -> None:
        """Forget what depended on the parameters that ``player`` has just changed."""
        self._rollouts.pop(player, None)
        self._shared = {key: kept for key, kept in self._shared.items() if kept[0] != player}

    def refresh(self) -> None:
        """Bring a fresh batch, and forget the work shared on the last one (rollouts stay)."""
        self._batch = _NOTHING
        self._shared.clear()


SHARING: ContextVar[tuple[str, str | None] | None] = ContextVar("SHARING", default=None)
"""What is being computed for all players, and by whom its result may depend."""


@contextmanager
def _computing(key: Hashable, by: str | None) -> Iterator[None]:
    name = key[1].__name__ if isinstance(key, tuple) else str(key)
    token = SHARING.set((name, by))
    try:
        yield
    finally:
        SHARING.reset(token)


def shared(method: Callable[..., T] | None = None, *, by: str | None = None) -> Callable[..., Any]:
    """Make a game's method ``method(self, turn)`` compute once a turn, for all its players.

    Args:
        by: the player whose parameters the result depends on, None for nobody's (noise, say); see
            :meth:`Turn.share`. A result that depends on two players (a discriminator's features
            of a generator's fakes) cannot be shared: call the modules in each loss. Calling
            another player's module while the result is computed raises a RuntimeError.

    Example:
        >>> class GAN(Game):
        ...     @shared(by="generator")
        ...     def fakes(self, turn):
        ...         return self.generator(turn.randn(64, 100))
    """

    def decorate(method: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(method)
        def once(self: Any, turn: Turn) -> T:
            return turn.share((id(self), method), lambda: method(self, turn), by=by)

        once.shared_by = by  # type: ignore[attr-defined]
        return once

    return decorate if method is None else decorate(method)
