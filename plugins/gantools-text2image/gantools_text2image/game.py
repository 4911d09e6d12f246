"""The games: generators that draw what captions say against discriminators that look at both.

In the formulas x is a picture and t its caption, t̂ another picture's, z a code; e is a caption's
embedding. D(x, t) is one score for "real and fitting". A real picture with a wrong caption is one
more kind of fake, so the fakes of every objective are [D(G(z, t), t); D(x, t̂)]:

    log D(x, t) + ½ [log(1 − D(x, t̂)) + log(1 − D(G(z, t), t))]

is GAN-CLS (Reed et al. 2016, algorithm 1) with the minimax objective, and DF-GAN (Tao et al. 2022,
eq. 2) with the hinge and the matching-aware gradient penalty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy

from gantools import Adversary, Game, Player, Turn, shared
from gantools_text2image.captions import Captions, Said
from gantools_text2image.networks import CAPTION
from gantools_text2image.placing import place

TEMPERATURE = 0.1
"""Of the contrastive terms, as in XMC-GAN (Zhang et al. 2021)."""


def told_apart(pictures: Tensor, captions: Tensor, ids: Tensor) -> Tensor:
    """How badly the pairs of a batch are told apart, in nats; log B is chance.

    InfoNCE both ways: ½ E[−log softmax_j(pᵢ·cⱼ/τ)ᵢ − log softmax_i(pᵢ·cⱼ/τ)ⱼ] over unit vectors
    p and c, [B, d] each (XMC-GAN, Zhang et al. 2021, eq. 5). Captions of one id, [B], are not held
    against each other.
    """
    same = ids[:, None] == ids[None, :]
    own = torch.arange(len(ids), device=ids.device)
    same[own, own] = False
    logits = (pictures @ captions.T / TEMPERATURE).masked_fill(same, -torch.inf)
    return 0.5 * (cross_entropy(logits, own) + cross_entropy(logits.T, own))


class Contest(Adversary):
    """What a discriminator and its generator want of pictures and captions.

    Args:
        contrastive: weight of telling the batch's pairs apart; with real pictures the
            discriminator learns to, with fakes the generator.
        between: whether the generator also draws captions halfway between two (GAN-INT, Reed et
            al. 2016, section 4.3, β = ½), of which no picture is real.
        parts: the objective, the penalties of pairs (x, e), and the augmentation.
    """

    def __init__(self, *, contrastive: float = 0.0, between: bool = False, **parts: Any) -> None:
        super().__init__(**parts)
        self.contrastive, self.between = contrastive, between

    def tell(
        self, turn: Turn, critic: Player, x: Tensor, said: Said, fake: Tensor
    ) -> dict[str, Tensor]:
        """The discriminator's: what is real and fits, from what is fake or said of another."""
        e = said.e
        x, fake = self.seen(turn, x), self.seen(turn, fake)
        seen = critic.look(x)
        rows = said.rows
        r, f, w = critic.compare(seen, e), critic(fake, e), critic.compare(seen[rows], said.wrong)
        turn.log(f"{critic.name}/wrong_captions", 0.5 + 0.5 * (r[rows] - w).sign().mean())
        told = self.told(turn, torch.cat([r, r[rows]]), torch.cat([f, w]))
        terms = {"adversarial": told}
        if self.contrastive:
            codes = critic.codes(seen, e)
            terms["contrastive"] = self.contrastive * told_apart(*codes, said.ids)
        return {**terms, **self.penalties(turn, critic, (x, e), (fake, e))}

    def please(
        self,
        turn: Turn,
        critic: Player,
        x: Tensor,
        said: Said,
        fake: Tensor,
        draw: Callable[[Tensor], Tensor],
    ) -> dict[str, Tensor]:
        """The generator's: be taken for real and fitting; ``draw`` draws others, [B, text]."""
        e = said.e
        seen = critic.look(self.seen(turn, fake))
        r = critic(self.seen(turn, x), e) if self.objective.needs_real else None
        terms = {"adversarial": self.objective.generator(critic.compare(seen, e), r)}
        if self.contrastive:
            codes = critic.codes(seen, e)
            terms["contrastive"] = self.contrastive * told_apart(*codes, said.ids)
        if self.between:
            half = (e + e.roll(1, 0)) / 2
            terms["between"] = self.generator(turn, critic, (draw(half), half), (x, e))
        return terms


class Drawing(Game):
    """What the games share: pictures, their captions, codes.

    Batches are (pictures uint8 [B, 3, S, S], their rows [B]).

    Args:
        captions: of all pictures.
        contest: of every stage.
        codes: numbers of a code.
        placed: whether real drawings are placed anew each time.
        players: the last of them reads captions, where they are read by a learned encoder.
    """

    reader: str | None = None
    """The player whose ``encode`` reads captions; None: they are read already."""

    def __init__(
        self, captions: Captions, contest: Contest, *, codes: int, placed: bool, **players: Player
    ) -> None:
        super().__init__(**players)
        self._captions, self.contest, self.codes, self.placed = captions, contest, codes, placed

    @shared
    def reals(self, turn: Turn) -> Tensor:
        """Real pictures, [B, 3, S, S] in [−1, 1]."""
        x = turn.batch[0].float() / 127.5 - 1
        return place(x, turn.generator) if self.placed else x

    @shared
    def stored(self, turn: Turn) -> Said:
        """A caption of each, as it is stored."""
        return self._captions.gather(turn.batch[1], turn)

    def said(self, turn: Turn) -> Said:
        """A caption of each, as the networks take it."""
        stored = self.stored(turn)
        if self.reader is None:
            return stored
        reader = self.players[self.reader]
        both = torch.cat([stored.e, stored.wrong])
        read = turn.share("said", lambda: reader.encode(both), by=self.reader)
        e, wrong = read.split([len(stored.e), len(stored.wrong)])
        return stored._replace(e=e, wrong=wrong)

    def draw(self, turn: Turn, player: str, e: Tensor) -> Tensor:
        """Let a player draw captions with fresh codes."""
        return self.players[player](turn.randn(len(e), self.codes), e)


class Pair(Drawing):
    """GAN-CLS, GAN-INT, DF-GAN and the contrastive game: one generator, one discriminator."""

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """As many drawings as there are real pictures, of the same captions."""
        return self.draw(turn, "generator", self.said(turn).e)

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell what is real and fits its caption."""
        x, said, fake = self.reals(turn), self.said(turn), self.fakes(turn)
        return self.contest.tell(turn, self.discriminator, x, said, fake)

    def generator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Draw what is taken for it."""
        x, said, fake = self.reals(turn), self.said(turn), self.fakes(turn)
        return self.contest.please(
            turn, self.discriminator, x, said, fake, lambda e: self.draw(turn, "generator", e)
        )


class TwoStages(Drawing):
    """StackGAN (Zhang et al. 2017): half of the training sketches at half the size; then the
    averaged sketch stays as it is and is drawn again at full size."""

    def moves(self, player: str, turn: Turn) -> int:
        """The first two players move in the first half, the others in the second."""
        first = player in ("sketcher", "sketch")
        return super().moves(player, turn) if first == (turn.progress < 0.5) else 0

    def small(self, turn: Turn) -> Tensor:
        """Real pictures at half the size, [B, 3, S/2, S/2]."""
        return avg_pool2d(self.reals(turn), 2)

    @shared(by="sketch")
    def sketches(self, turn: Turn) -> Tensor:
        """First drawings, [B, 3, S/2, S/2]."""
        return self.draw(turn, "sketch", self.said(turn).e)

    def sketcher_loss(self, turn: Turn) -> dict[str, Tensor]:
        """The first discriminator: tell what is real and fits, at half the size."""
        x, said, fake = self.small(turn), self.said(turn), self.sketches(turn)
        return self.contest.tell(turn, self.sketcher, x, said, fake)

    def sketch_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be taken for it; and keep the blurred captions near N(0, 1)."""
        x, said, fake = self.small(turn), self.said(turn), self.sketches(turn)
        terms = self.contest.please(
            turn, self.sketcher, x, said, fake, lambda e: self.draw(turn, "sketch", e)
        )
        return {**terms, "blur": self.sketch.blur(said.e).information().mean() / CAPTION}

    @torch.no_grad()
    def sketched(self, turn: Turn, e: Tensor) -> Tensor:
        """What the first stage has come to draw of captions."""
        return self.players["sketch"].averaged(turn.randn(len(e), self.codes), e)

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """Drawings of the sketches, [B, 3, S, S]."""
        e = self.said(turn).e
        return self.generator(self.sketched(turn, e), e)

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """The second discriminator: tell what is real and fits, at full size."""
        x, said, fake = self.reals(turn), self.said(turn), self.fakes(turn)
        return self.contest.tell(turn, self.discriminator, x, said, fake)

    def generator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Draw the sketch again so that it is taken for it."""
        x, said, fake = self.reals(turn), self.said(turn), self.fakes(turn)
        return self.contest.please(
            turn,
            self.discriminator,
            x,
            said,
            fake,
            lambda e: self.generator(self.sketched(turn, e), e),
        )
