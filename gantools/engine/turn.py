"""A turn: what a loss may look at, and the work that players of one turn share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

T = TypeVar("T")


class Turn:
    """One round of the game, in which every player makes its moves.

    Attributes:
        step: the number of this turn, from 0.
        progress: how much of the training is over, from 0 to just below 1; what is annealed
            (noise, a learning rate) is a function of this.
        device: where the players' parameters are.
        generator: the random generator of this process, on ``device``; its state is in every
            checkpoint, so whatever is drawn from it is drawn again after a resume.
        accumulate: how many batches the gradient of one move is the mean of.
    """

    def __init__(
        self,
        step: int,
        turns: int,
        device: torch.device,
        generator: torch.Generator,
        data: Iterator[Any] | None = None,
        accumulate: int = 1,
    ) -> None:
        self.step = step
        self.progress = step / turns
        self.device = device
        self.generator = generator
        self.figures: dict[str, Any] = {}
        self.terms: dict[str, Any] = {}
        """Of the figures, those that moves left, such as loss terms; not those of the game's own."""
        self.watching = False
        """Whether scores and shared work of this turn are looked at; the trainer says so."""
        self.accumulate = accumulate
        self._data = data
        self._batches: list[Any] = []
        self._piece = 0
        self._joint = False
        self._shared: dict[Hashable, tuple[str | None, bool, Any]] = {}
        self._rollouts: dict[str, Any] = {}
        self._mover: str | None = None
        self._waiting: frozenset[str] = frozenset()

    # -- what a loss may look at -------------------------------------------------------------

    @property
    def batch(self) -> Any:
        """The batch of this move, on ``device``; the same for all players unless one of them
        moves more than once, for then each further move brings a fresh one."""
        while len(self._batches) <= self._piece:
            self._batches.append(None if self._data is None else next(self._data))
        return self._batches[self._piece]

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
        if self._mover is None:
            self.terms[name] = self.figures[name]

    def log_scores(self, player: str, real: Tensor, fake: Tensor) -> None:
        """Log, on the turns that are watched, how well ``player`` tells real from fake.

        ``player/separation`` is the share of pairs of which the real one is scored higher, ties
        half: ½ if nothing is told apart, 1 for a discriminator that has won, whatever the objective.

        Args:
            real: scores of real samples, of any shape; they are paired in their order.
            fake: scores of fakes; where there are more of one, the rest of these is left out.
        """
        if self.watching:
            real, fake = real.detach().flatten(), fake.detach().flatten()
            n = min(len(real), len(fake))
            self.log(f"{player}/separation", 0.5 + 0.5 * (real[:n] - fake[:n]).sign().mean())

    # -- sharing work -----------------------------------------------------------------------

    def share(self, key: Hashable, compute: Callable[[], T], *, by: str | None) -> T:
        """Return ``compute()``, computed once for all players of the turn.

        ``by`` names the one player whose parameters the result depends on (None: nobody's). That
        player receives the result with its graph, every other detached; a graph is built only if
        ``by`` is yet to move on this batch; and the result is thrown away when ``by`` has moved.
        The method decorator :func:`shared` is the usual way to call this.
        """
        needs_graph = by is not None and (by == self._mover or by in self._waiting or self._joint)
        kept = self._shared.get(key)
        if kept is None or (by == self._mover and not kept[1]):
            with torch.set_grad_enabled(needs_graph), _computing(key, by):
                kept = (by, needs_graph, compute())
            self._shared[key] = kept
            if self.watching and by is not None:
                self._log_diversity(by, kept[2])
        _, has_graph, value = kept
        if has_graph and by != self._mover and not self._joint:
            return tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, value)
        return value

    def _log_diversity(self, player: str, work: Any) -> None:
        """Log the spread of a batch of samples: 1 is that of the real ones, 0 a single point.

        The spread is the mean over features of their standard deviation over the batch (Karras et
        al. 2018, section 3). It is relative to that of the first tensor of this move's batch whose
        samples have the same shape, and where there is none to the root mean square of the work.
        """
        if not isinstance(work, Tensor) or not work.is_floating_point() or work.dim() == 0:
            return
        work, scale = work.detach(), work.detach().square().mean().sqrt()
        batch = self._batches[self._piece] if len(self._batches) > self._piece else None
        for real in tree_leaves(batch):
            if _alike(real, work):
                work, scale = work.reshape(-1, *real.shape[1:]), real.std(0).mean()
                break
        if len(work) > 1:
            self.log(f"{player}/diversity", work.std(0).mean() / scale)

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
        self._batches.clear()
        self._shared.clear()

    def pieces(self) -> Iterator[int]:
        """Go through the batches that one move's gradient is the mean of, from 0.

        Every player sees the same ones. Where there are several, work is shared on none of them:
        accumulating is for those who cannot hold more than one in memory.
        """
        for piece in range(self.accumulate):
            self._piece = piece
            if self.accumulate > 1:
                self._shared.clear()
            yield piece

    @contextmanager
    def joint(self) -> Iterator[None]:
        """While this lasts shared work keeps its graph for every player, not only for the one
        whose it is: for solvers that differentiate one player's gradient by another's weights."""
        self._joint = True
        try:
            yield
        finally:
            self._joint = False


def _alike(real: Any, work: Tensor) -> bool:
    """Whether these are two batches of samples of one shape; the work's may have several axes."""
    if not isinstance(real, Tensor) or not real.is_floating_point() or not 0 < real.dim():
        return False
    sample = real.shape[1:]
    leading = work.dim() - len(sample)
    return (
        len(real) > 1
        and leading > 0
        and work.shape[leading:] == sample
        and (len(sample) > 0 or leading == 1)
    )


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
