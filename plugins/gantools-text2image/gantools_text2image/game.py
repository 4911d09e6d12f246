"""The games: generators that draw what captions say against discriminators that look at both.

In the formulas x is a picture and t its caption, t̂ another picture's, z a code; e is a caption's
embedding. D(x, t) is one score for "real and fitting". A real picture with a wrong caption is one
more kind of fake, so the fakes of every objective are [D(G(z, t), t); D(x, t̂)]:

    log D(x, t) + ½ [log(1 − D(x, t̂)) + log(1 − D(G(z, t), t))]

is GAN-CLS (Reed et al. 2016, algorithm 1) with the minimax objective, and DF-GAN (Tao et al. 2022,
eq. 2) with the hinge and the matching-aware gradient penalty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from gantools import Game, Player, Turn, shared
from gantools.losses import Objective, Penalties
from gantools.nn import Augment
from gantools_text2image.networks import CAPTION
from gantools_text2image.placing import place

TEMPERATURE = 0.1
"""Of the contrastive terms, as in XMC-GAN (Zhang et al. 2021)."""


def told_apart(pictures: Tensor, captions: Tensor) -> Tensor:
    """How badly the pairs of a batch are told apart, in nats; log B is chance.

    InfoNCE both ways: ½ E[−log softmax_j(pᵢ·cⱼ/τ)ᵢ − log softmax_i(pᵢ·cⱼ/τ)ⱼ] over unit vectors
    p and c, [B, d] each (XMC-GAN, Zhang et al. 2021, eq. 5).
    """
    logits = pictures @ captions.T / TEMPERATURE
    own = torch.arange(len(logits), device=logits.device)
    return 0.5 * (cross_entropy(logits, own) + cross_entropy(logits.T, own))


class Captions(nn.Module):
    """What is said of every picture, as a network reads it.

    Args:
        read: what :meth:`gather` gives of each caption, [M, …], those of a picture in a row.
        counts: how many captions each picture has, [N].
    """

    def __init__(self, read: Tensor, counts: Sequence[int]) -> None:
        super().__init__()
        count = torch.tensor(counts)
        self.register_buffer("read", read)
        self.register_buffer("count", count)
        self.register_buffer("first", count.cumsum(0) - count)

    def gather(self, rows: Tensor, turn: Turn) -> Tensor:
        """One caption of each of these pictures, drawn anew: [B] -> [B, …]."""
        pick = (turn.rand(len(rows)) * self.count[rows]).long()
        return self.read[self.first[rows] + pick]


@dataclass(frozen=True)
class Wishes:
    """What a discriminator and its generator want of pictures and captions.

    Attributes:
        objective: on scores.
        penalties: of pairs (x, e).
        contrastive: weight of telling the batch's pairs apart; with real pictures the
            discriminator learns to, with fakes the generator.
        between: whether the generator also draws captions halfway between two (GAN-INT, Reed et
            al. 2016, section 4.3, β = ½), of which no picture is real.
        augment: what the discriminator sees pictures through.
    """

    objective: Objective
    penalties: Penalties
    contrastive: float = 0.0
    between: bool = False
    augment: Augment | None = None

    def seen(self, turn: Turn, x: Tensor) -> Tensor:
        """Pictures as the discriminator sees them."""
        return x if self.augment is None else self.augment(x, turn.progress, turn.generator)

    def discriminator(
        self, turn: Turn, critic: Player, x: Tensor, e: Tensor, fake: Tensor
    ) -> dict[str, Tensor]:
        """Tell real and fitting from fake or wrong: x, fake [B, 3, S, S], e [B, text]."""
        x, fake = self.seen(turn, x), self.seen(turn, fake)
        seen = critic.look(x)
        r, wrong = critic.compare(seen, e), critic.compare(seen, e.roll(1, 0))
        f = critic(fake, e)
        turn.log_scores(critic.name, r, f)
        turn.log(f"{critic.name}/wrong_captions", 0.5 + 0.5 * (r - wrong).sign().mean())
        if self.augment is not None:
            self.augment.observe(r.detach())
        terms = {"adversarial": self.objective.discriminator(r.repeat(2), torch.cat([f, wrong]))}
        if self.contrastive:
            terms["contrastive"] = self.contrastive * told_apart(*critic.codes(seen, e))
        return {**terms, **self.penalties(turn, critic, (x, e), (fake, e))}

    def generator(
        self,
        turn: Turn,
        critic: Player,
        x: Tensor,
        e: Tensor,
        fake: Tensor,
        draw: Callable[[Tensor], Tensor],
    ) -> dict[str, Tensor]:
        """Be taken for real and fitting; ``draw`` draws further captions, [B, text]."""
        seen = critic.look(self.seen(turn, fake))
        terms = {"adversarial": self._taken(turn, critic, critic.compare(seen, e), x, e)}
        if self.contrastive:
            terms["contrastive"] = self.contrastive * told_apart(*critic.codes(seen, e))
        if self.between:
            half = (e + e.roll(1, 0)) / 2
            f = critic(self.seen(turn, draw(half)), half)
            terms["between"] = self._taken(turn, critic, f, x, e)
        return terms

    def _taken(self, turn: Turn, critic: Player, f: Tensor, x: Tensor, e: Tensor) -> Tensor:
        if not self.objective.needs_real:
            return self.objective.generator(f)
        return self.objective.generator(f, critic(self.seen(turn, x), e))


class Drawing(Game):
    """What the games share: pictures, their captions, codes.

    Batches are (pictures uint8 [B, 3, S, S], their rows [B]).

    Args:
        captions: of all pictures.
        wishes: of every stage.
        codes: numbers of a code.
        placed: whether real drawings are placed anew each time.
        players: the last of them reads captions, where they are read by a learned encoder.
    """

    reader: str | None = None
    """The player whose ``encode`` reads captions; None: they are read already."""

    def __init__(
        self, captions: Captions, wishes: Wishes, *, codes: int, placed: bool, **players: Player
    ) -> None:
        super().__init__(**players)
        self._captions, self.wishes, self.codes, self.placed = captions, wishes, codes, placed
        self.augment = wishes.augment  # whose state is the game's

    @shared
    def reals(self, turn: Turn) -> Tensor:
        """Real pictures, [B, 3, S, S] in [−1, 1]."""
        x = turn.batch[0].float() / 127.5 - 1
        return place(x, turn.generator) if self.placed else x

    @shared
    def said(self, turn: Turn) -> Tensor:
        """A caption of each, as it is stored."""
        return self._captions.gather(turn.batch[1], turn)

    def texts(self, turn: Turn) -> Tensor:
        """A caption of each, e [B, text]."""
        if self.reader is None:
            return self.said(turn)
        reader = self.players[self.reader]
        return turn.share("texts", lambda: reader.encode(self.said(turn)), by=self.reader)


class Pair(Drawing):
    """GAN-CLS, GAN-INT, DF-GAN and the contrastive game: one generator, one discriminator."""

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """As many drawings as there are real pictures, of the same captions."""
        return self.draw(turn, self.texts(turn))

    def draw(self, turn: Turn, e: Tensor) -> Tensor:
        """Draw captions with fresh codes."""
        return self.generator(turn.randn(len(e), self.codes), e)

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell what is real and fits its caption."""
        x, e, fake = self.reals(turn), self.texts(turn), self.fakes(turn)
        return self.wishes.discriminator(turn, self.discriminator, x, e, fake)

    def generator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Draw what is taken for it."""
        x, e, fake = self.reals(turn), self.texts(turn), self.fakes(turn)
        return self.wishes.generator(
            turn, self.discriminator, x, e, fake, lambda other: self.draw(turn, other)
        )


class TwoStages(Drawing):
    """StackGAN (Zhang et al. 2017): half of the training sketches at half the size, then the sketch
    stays as it is and is drawn again at full size."""

    def moves(self, player: str, turn: Turn) -> int:
        """The first two players move in the first half, the others in the second."""
        first = player in ("sketcher", "sketch")
        return super().moves(player, turn) if first == (turn.progress < 0.5) else 0

    @shared(by="sketch")
    def sketches(self, turn: Turn) -> Tensor:
        """First drawings, [B, 3, S/2, S/2]."""
        return self.sketch(turn.randn(len(self.said(turn)), self.codes), self.texts(turn))

    def sketcher_loss(self, turn: Turn) -> dict[str, Tensor]:
        """The first discriminator: tell what is real and fits, at half the size."""
        x, e = avg_pool2d(self.reals(turn), 2), self.texts(turn)
        return self.wishes.discriminator(turn, self.sketcher, x, e, self.sketches(turn))

    def sketch_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be taken for it; and keep the blurred captions near N(0, 1)."""
        x, e = avg_pool2d(self.reals(turn), 2), self.texts(turn)

        def draw(other: Tensor) -> Tensor:
            return self.sketch(turn.randn(len(other), self.codes), other)

        terms = self.wishes.generator(turn, self.sketcher, x, e, self.sketches(turn), draw)
        return {**terms, "blur": self.sketch.blur(e).information().mean() / CAPTION}

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """Drawings of the sketches, [B, 3, S, S]."""
        return self.generator(self.sketches(turn).detach(), self.texts(turn))

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """The second discriminator: tell what is real and fits, at full size."""
        x, e, fake = self.reals(turn), self.texts(turn), self.fakes(turn)
        return self.wishes.discriminator(turn, self.discriminator, x, e, fake)

    def generator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Draw the sketch again so that it is taken for it."""
        x, e, fake = self.reals(turn), self.texts(turn), self.fakes(turn)

        def draw(other: Tensor) -> Tensor:
            with torch.no_grad():
                sketch = self.sketch(turn.randn(len(other), self.codes), other)
            return self.generator(sketch, other)

        return self.wishes.generator(turn, self.discriminator, x, e, fake, draw)
