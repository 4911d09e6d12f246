"""A turn: what a loss may look at, and the work that players of one turn share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

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
        """Of the figures those that moves left, such as a loss's terms, and not the game's own."""
        self.watching = False
        """Whether scores and shared work are looked at in this turn; the watcher says so."""
        self.looks: dict[str, Tensor] = {}
        """What was seen of them, by ``player/figure``."""
        self.accumulate = accumulate
        self._data = data
        self._batches: list[Any] = []
        self._piece = 0
        self._joint = False
        self._shared: dict[Hashable, _Kept] = {}
        self._rollouts: dict[str, Any] = {}
        self._learned: set[str] = set()  # agents that have learned from their rollout
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

    @property
    def mover(self) -> str | None:
        """The player that works out its move; None between moves."""
        return self._mover

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

    def log_scores(self, player: str, real: Tensor, fake: Tensor, of: str = "") -> None:
        """Log, on the turns that are watched, how well ``player`` tells real from fake.

        ``player/separation`` is the share of pairs of which the real one is scored higher, ties
        half: ½ if nothing is told apart, 1 if everything is, whatever the objective. The watcher
        makes nothing of fewer than eight pairs, nor of real scores that are all the same. Of what
        is logged several times in a turn (by a player with several moves) the last counts.

        Args:
            player: who tells them apart.
            real: scores of real samples, of any shape; they are paired in their order.
            fake: scores of fakes; where there are more of one, the rest of these is left out.
            of: which of several scores these are (a member of an ensemble, a head): each is a
                figure of its own, ``player/of/separation``.
        """
        if self.watching:
            name = "/".join(filter(None, (player, of, "separation")))
            real, fake = real.detach().flatten(), fake.detach().flatten()
            n = min(len(real), len(fake))
            self.figures[name] = 0.5 + 0.5 * (real[:n] - fake[:n]).sign().mean()
            if n >= 8 and real.min() < real.max():
                self.looks[name] = self.figures[name]

    # -- sharing work -----------------------------------------------------------------------

    def share(self, key: Hashable, compute: Callable[[], T], *, by: str | None) -> T:
        """Return ``compute()``, computed once a batch for all players of the turn.

        ``by`` names the one player whose parameters the result depends on (None: nobody's). That
        player receives the result with its graph, every other detached; a graph is built only if
        ``by`` is yet to move on this batch; and the result is thrown away when ``by`` has moved, or
        a player on whose shared work it was built. The method decorator :func:`shared` is the usual
        way to call this.
        """
        needs_graph = by is not None and (by == self._mover or by in self._waiting or self._joint)
        kept = self._shared.get(key)
        if kept is None or (by == self._mover and not kept.has_graph):
            with torch.set_grad_enabled(needs_graph), _computing(key, by) as work:
                value = compute()
            kept = self._shared[key] = _Kept(frozenset(work.depends), needs_graph, value)
            if self.watching and by is not None:
                self._log_diversity(by, value)
        if (outer := SHARING.get()) is not None:
            outer.depends |= kept.depends
        if kept.has_graph and by != self._mover and not self._joint:
            return tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, kept.value)
        return kept.value

    def _log_diversity(self, player: str, value: Any) -> None:
        """Log how much the samples of shared work [B, …] differ; 0 is a single point.

        Of work that is several tensors the first with floats is looked at, and of several works
        in a turn the last counts.
        The measure is the mean over features of their standard deviation over the batch (Karras et
        al. 2018, section 3). ``player/diversity`` is relative to that of real samples of the same
        shape in this move's batch, and 1 if it is theirs. Where there are none ``player/spread``
        is relative to the root mean square of the work. Where all real samples are the same, or
        the work is all zeros, there is nothing to measure by and nothing is logged.
        """
        floats = (x.detach() for x in tree_leaves(value) if isinstance(x, Tensor) and x.dim())
        work = next((x for x in floats if x.is_floating_point()), None)
        if work is None:
            return
        batch = self._batches[self._piece] if len(self._batches) > self._piece else None
        real = next((x for x in tree_leaves(batch) if _alike(x, work)), None)
        if real is None:
            name, scale = f"{player}/spread", work.square().mean().sqrt()
        else:
            work = work.reshape(-1, *real.shape[1:])
            name, scale = f"{player}/diversity", real.std(0, correction=0).mean()
        if len(work) > 1 and scale > 0:
            self.figures[name] = self.looks[name] = work.std(0, correction=0).mean() / scale

    def rollout(self, player: str, collect: Callable[[], T], *, fresh: bool = False) -> T:
        """Return the agent's rollout of this turn, collecting it when first asked for.

        ``fresh``: not one that the agent has learned from; others may still look at that.
        """
        if player not in self._rollouts or (fresh and player in self._learned):
            self._rollouts[player] = collect()
            self._learned.discard(player)
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
        self._learned.add(player)
        self._shared = {k: kept for k, kept in self._shared.items() if player not in kept.depends}

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
    """Whether these are batches of samples of one shape; the work may have further axes before it,
    as that of several generators has."""
    if not isinstance(real, Tensor) or not real.is_floating_point() or real.dim() == 0:
        return False
    if len(real) < 2:
        return False
    if real.dim() == 1:
        return work.dim() == 1
    return work.dim() >= real.dim() and work.shape[1 - real.dim() :] == real.shape[1:]


class _Kept(NamedTuple):
    """Shared work that was done."""

    depends: frozenset[str]  # the players on whose parameters it depends
    has_graph: bool
    value: Any


@dataclass
class Work:
    """Shared work that is being done: its name, whose it is, and on whom it depends so far."""

    name: str
    by: str | None
    depends: set[str]


SHARING: ContextVar[Work | None] = ContextVar("SHARING", default=None)
"""What is being computed for all players."""


@contextmanager
def _computing(key: Hashable, by: str | None) -> Iterator[Work]:
    name = key[1].__name__ if isinstance(key, tuple) else str(key)
    work = Work(name, by, set() if by is None else {by})
    token = SHARING.set(work)
    try:
        yield work
    finally:
        SHARING.reset(token)


def shared(method: Callable[..., T] | None = None, *, by: str | None = None) -> Callable[..., Any]:
    """Make a game's method ``method(self, turn, …)`` compute once a batch, for all its players.

    A player that moves several times a turn sees a fresh batch each time, so the work is done for
    each of them. Further arguments of the method have to be hashable (a stage, a size).

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
        def once(self: Any, turn: Turn, *args: Hashable) -> T:
            key = (id(self), method, *args)
            return turn.share(key, lambda: method(self, turn, *args), by=by)

        once.shared_by = by  # type: ignore[attr-defined]
        return once

    return decorate if method is None else decorate(method)
