"""Penalties as they were asked for by name: each with its weight and its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from gantools.losses.penalties import Critic, Samples

if TYPE_CHECKING:
    from gantools.engine import Turn


@dataclass(frozen=True)
class Term:
    """A penalty that is a term of a loss.

    Attributes:
        name: of the penalty, and of the term in logs.
        function: the :class:`Penalty`, its weight and options bound.
        every: turns from one to the next.
    """

    name: str
    function: Callable[..., Tensor]
    every: int = 1


class Penalties:
    """The penalties of a player, in one call that a loss can take up as its terms.

    Of one with an interval k the term is there in turns k, 2k, … only, counted from 1, and k times
    as large (lazy regularisation: Karras et al. 2020, StyleGAN2, appendix B).

    Example:
        >>> penalties = setting.penalties("r1:0.1,every=16")
        >>> return {"adversarial": loss, **penalties(turn, self.discriminator, real, fake)}
    """

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(terms)

    def __call__(
        self, turn: Turn, critic: Critic, real: Samples, fake: Samples, **given: Any
    ) -> dict[str, Tensor]:
        """The weighted penalties by name, of this turn; see :class:`Penalty` for the arguments."""
        return {
            term.name: term.every
            * term.function(critic, real, fake, generator=turn.generator, **given)
            for term in self.terms
            if (turn.step + 1) % term.every == 0
        }
