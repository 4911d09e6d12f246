"""The game: a predictor, and discriminators that tell its films from real ones.

Batches are stretches of P + K frames, uint8 [B, P + K, C, S, S]; of an environment with what is
done after each, [B, P + K, A]. The predictor knows the first P and goes on by itself, so it is
trained through its own loop. A discriminator sees the end of what was known with what follows, true
or predicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantools import Adversary, Game, Player, Turn, shared
from gantools_video.blocks import STRIDE, scaled
from gantools_video.losses import gradient_difference, lp
from gantools_video.rollout import handed_on, rollout


class VideoGame(Game):
    """A predictor and, unless it is to do without, its discriminators.

    Args:
        predictor: the player of a network of :mod:`gantools_video.networks`.
        discriminators: the player of a ModuleList, one for each scale, or None.
        adversary: of all of them.
        past: P, how many frames are known.
        weights: of "lp", "gdl", "adversarial" and "places".
        p: of lp.
        seen: frames that a discriminator sees at once, ≤ P + 1.
        shortest: K, how many frames are predicted in a row, in the first half of the training.
        longest: K in its last quarter.
    """

    def __init__(
        self,
        predictor: Player,
        discriminators: Player | None,
        adversary: Adversary | None,
        *,
        past: int,
        weights: dict[str, float],
        p: int,
        seen: int,
        shortest: int,
        longest: int,
    ) -> None:
        players = {} if discriminators is None else {"discriminators": discriminators}
        super().__init__(**players, predictor=predictor)
        self.adversary, self.past, self.weights = adversary, past, weights
        self.p, self.seen, self.shortest, self.longest = p, seen, shortest, longest
        self.dreams = discriminators is not None and hasattr(predictor, "first")

    def horizon(self, turn: Turn) -> int:
        """K: ever more in the third quarter of the training."""
        more = max(0.0, 4 * turn.progress - 2) * (self.longest - self.shortest + 1)
        return min(self.longest, self.shortest + int(more))

    @shared
    def reals(self, turn: Turn) -> tuple[Tensor, Tensor | None]:
        """Frames [B, P + K, C, S, S] in [−1, 1], and what is done after each, [B, ≥ P + K, A]."""
        frames, actions = turn.batch if isinstance(turn.batch, Sequence) else (turn.batch, None)
        frames = frames[:, : self.past + self.horizon(turn)].float() / 127.5 - 1
        return frames, None if actions is None else actions.float()

    @shared(by="predictor")
    def fakes(self, turn: Turn) -> tuple[list[Tensor], Any]:
        """The predicted frames, [B, K, C, s, s] of each scale, and what the predictor hands on."""
        frames, actions = self.reals(turn)
        done = None if actions is None else actions[:, self.past - 1 :]
        return handed_on(self.predictor, frames[:, : self.past], self.horizon(turn), done)

    @shared(by="predictor")
    def dreamt(self, turn: Turn) -> Tensor:
        """Films that begin with a code, [B, ≥ K + 1, C, S, S], long enough to be seen."""
        frames, actions = self.reals(turn)
        batch, side = len(frames), frames.shape[-1] // STRIDE
        first = self.predictor.first(turn.randn(batch, self.predictor.channels, side, side))
        still = first[:, None].expand(-1, self.past, -1, -1, -1)
        count = max(self.horizon(turn), self.seen - 1)
        more = rollout(self.predictor, still, count, actions)[-1]
        return torch.cat([first[:, None], more], 1)

    def contests(self, turn: Turn) -> Iterator[tuple[str, nn.Module, Tensor, Tensor]]:
        """What critics compare: a name, the critic, true films and made ones, [B, T, C, s, s]."""
        frames, _ = self.reals(turn)
        made, _ = self.fakes(turn)
        for critic, end in zip(self.discriminators, made, strict=True):
            true = scaled(frames, frames.shape[-1] // end.shape[-1])[:, self.past + 1 - self.seen :]
            known = true[:, : self.seen - 1]
            name = f"at {end.shape[-1]}" if len(made) > 1 else ""
            yield name, critic, true, torch.cat([known, end], 1)
        if self.dreams:
            dreamt = self.dreamt(turn)
            yield "dreamt", self.discriminators[-1], frames[:, -dreamt.shape[1] :], dreamt

    def discriminators_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell true films from made ones."""
        assert self.adversary is not None
        terms = {}
        for name, critic, true, made in self.contests(turn):
            terms |= self.adversary.discriminator(turn, critic, true, made, member=name)
        return terms

    def predictor_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be near the truth, have edges as it has, be taken for it, and have things where they
        are in it."""
        frames, _ = self.reals(turn)
        made, handed = self.fakes(turn)
        terms = {"lp": made[0].new_zeros(()), "gdl": made[0].new_zeros(())}
        for end in made:
            true = scaled(frames[:, self.past :], frames.shape[-1] // end.shape[-1])
            terms["lp"] = terms["lp"] + lp(end, true, self.p)
            terms["gdl"] = terms["gdl"] + gradient_difference(end, true)
        if self.adversary is not None:
            told = [
                self.adversary.generator(turn, critic, fake, true)
                for _, critic, true, fake in self.contests(turn)
            ]
            terms["adversarial"] = torch.stack(told).sum()
        if hasattr(self.predictor, "astray"):
            terms["places"] = self.predictor.astray(handed, frames[:, self.past :])
        return {name: self.weights[name] * term for name, term in terms.items()}
