"""The game: a predictor, and discriminators that tell its films from real ones.

Batches are stretches of P + K frames, uint8 [B, P + K, C, S, S]; of an environment with what is
done after each, [B, P + K, A]. The predictor knows the first P and goes on by itself, so it is
trained through its own loop. A discriminator sees the end of what was known with what follows, true
or predicted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from gantools import Adversary, Game, Player, Turn, shared
from gantools_video.blocks import STRIDE, scaled
from gantools_video.losses import gradient_difference, lp
from gantools_video.rollout import rollout


class VideoGame(Game):
    """A predictor and, unless it is to do without, its discriminators.

    Args:
        predictor: the player of a network of :mod:`gantools_video.networks`.
        discriminators: the player of a ModuleList, one for each scale, or None.
        adversary: of all of them.
        past: P, how many frames are known.
        weights: of "lp", "gdl" and "adversarial".
        p: of lp.
        seen: frames that a discriminator sees at once, ≤ P + 1.
        longest: K in the last quarter of the training; in its first half it is 1.
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
        longest: int,
    ) -> None:
        players = {} if discriminators is None else {"discriminators": discriminators}
        super().__init__(**players, predictor=predictor)
        self.adversary, self.past, self.weights = adversary, past, weights
        self.p, self.seen, self.longest = p, seen, longest
        self.dreams = discriminators is not None and hasattr(predictor, "first")

    def horizon(self, turn: Turn) -> int:
        """How many frames are predicted: one, as long as that is still to be learned, then ever
        more in the third quarter of the training."""
        begun = max(0.0, 4 * turn.progress - 2)
        return min(self.longest, 1 + int(begun * self.longest))

    @shared
    def reals(self, turn: Turn) -> tuple[Tensor, Tensor | None]:
        """Frames [B, P + K, C, S, S] in [−1, 1], and what is done after each, [B, ≥ P + K, A]."""
        frames, actions = turn.batch if isinstance(turn.batch, Sequence) else (turn.batch, None)
        frames = frames[:, : self.past + self.horizon(turn)].float() / 127.5 - 1
        return frames, None if actions is None else actions.float()

    @shared(by="predictor")
    def fakes(self, turn: Turn) -> list[Tensor]:
        """The predicted frames, [B, K, C, s, s] of each scale."""
        frames, actions = self.reals(turn)
        done = None if actions is None else actions[:, self.past - 1 :]
        return rollout(self.predictor, frames[:, : self.past], self.horizon(turn), done)

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
        made = self.fakes(turn)
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
        """Be near the truth, have edges as it has, and be taken for it."""
        frames, _ = self.reals(turn)
        made = self.fakes(turn)
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
        return {name: self.weights[name] * term for name, term in terms.items()}
