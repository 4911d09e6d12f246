"""The game: a codec against who tells its pictures and codes from those of the world.

In the formulas x is a picture, z a code: whole numbers. The codec is one player of two directions,
E(x) and G(z), as in BiGAN (Donahue et al. 2017) and ALI (Dumoulin et al. 2017); D tells (x, E(x))
from (G(z), z). It also wants what a codec is for:

    bits of x given G(E(x)) + rate · bits of E(x) + λ · distortion + α · adversarial
"""

from __future__ import annotations

from torch import Tensor

from gantools import Adversary, Game, Player, Turn, shared
from gantools_codec.networks import (
    HALF,
)


class CodecGame(Game):
    """The codec, and the discriminator if there is a code.

    Batches are pictures, uint8 [B, H, W, C].

    Args:
        codec: the player of a :class:`Codec`.
        discriminator: of pictures with their codes.
        adversary: of both.
        weights: of "adversarial", "distortion", "rate".
        power: 1 or 2: the distortion is the mean of |x − G(E(x))| to this power.
        for_bits: whether the code shall save bits of pixels.
        pixels: of each picture that are coded in a turn.
    """

    def __init__(
        self,
        codec: Player,
        discriminator: Player | None,
        adversary: Adversary | None,
        *,
        weights: dict[str, float],
        power: int,
        for_bits: bool,
        pixels: int,
    ) -> None:
        players = {"codec": codec}
        if discriminator is not None:
            players["discriminator"] = discriminator
        super().__init__(**players)
        self.adversary, self.weights, self.power = adversary, weights, power
        self.for_bits, self.count = for_bits, pixels

    @shared
    def reals(self, turn: Turn) -> Tensor:
        """Pictures, [B, C, H, W] in [−1, 1)."""
        return turn.batch.permute(0, 3, 1, 2).float() / HALF - 1

    @shared(by="codec")
    def codes(self, turn: Turn) -> Tensor:
        """Their codes."""
        return self.codec.encode(self.reals(turn))

    @shared(by="codec")
    def fakes(self, turn: Turn) -> tuple[Tensor, Tensor]:
        """Codes drawn number by number from those of the batch, and the pictures of them."""
        z = self.codes(turn).detach()
        flat = z.transpose(0, 1).flatten(1)
        order = turn.rand(*flat.shape).argsort(1)
        mixed = flat.gather(1, order).view(z.shape[1], len(z), *z.shape[2:]).transpose(0, 1)
        height, width = turn.batch.shape[1:3]
        return self.codec.draw(mixed)[:, :, :height, :width], mixed

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell (x, E(x)) from (G(z), z)."""
        assert self.adversary is not None
        real = self.reals(turn), self.codes(turn)
        return self.adversary.discriminator(turn, self.discriminator, real, self.fakes(turn))

    def codec_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Few bits, and pictures and codes that nobody can tell apart."""
        x, terms = turn.batch.cpu().numpy(), {}
        height, width = x.shape[1:3]
        at = turn.randint(height * width, (len(x), self.count)).cpu().numpy()
        drawn = None
        if self.codec.numbers:
            z, real = self.codes(turn), self.reals(turn)
            drawn = self.codec.draw(z)
            here = drawn[:, :, :height, :width]
            away = (here - real).abs()
            terms["distortion"] = (
                self.weight("distortion", turn.progress) * away.pow(self.power).mean()
            )
            per_subpixel = self.codec.law(z).sum() / x.size
            turn.log("codec/code_bits", per_subpixel)
            terms["rate"] = self.weight("rate", turn.progress) * per_subpixel
            if self.adversary is not None:
                made = self.adversary.joint(turn, self.discriminator, (real, z), self.fakes(turn))
                terms["adversarial"] = self.weights["adversarial"] * made
            drawn = drawn if self.for_bits else drawn.detach()
        terms["bits"] = self.codec.pixel_bits(x, at, drawn).mean()
        if self.codec.planes > 1:
            terms["plane"] = self.codec.plane_bits(x, at).mean()
        return terms

    def weight(self, term: str, progress: float) -> float:
        """The weight of the distortion or of the code's bits.

        A code that is to save bits of pixels learns to be drawn first: the distortion goes in the
        training's first half, and what the code costs comes in the third quarter.
        """
        weight = self.weights[term]
        if self.for_bits:
            part = 1 - 2 * progress if term == "distortion" else 4 * progress - 2
            weight *= min(1.0, max(0.0, part))
        return weight
