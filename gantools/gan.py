"""The game that most people mean: a generator against a discriminator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from gantools.application import Setting
from gantools.engine import Game, Player, Turn, shared
from gantools.losses import Objective
from gantools.nn import Augment


class GAN(Game):
    """A generator against a discriminator, with any objective, penalties and augmentation.

    What a subclass may want to change: :meth:`reals` (batches that hold more than samples),
    :meth:`fakes` (codes of another kind, conditions), :meth:`critic` (a condition beside the
    samples) or :meth:`seen`. The discriminator moves first.

    Args:
        generator: codes [B, codes] -> samples [B, …].
        discriminator: samples [B, …] -> scores [B] or [B, 1].
        codes: how many numbers z ~ N(0, 1) a sample is made from.
        objective: what both want; an object, or its name: ``"hinge"``.
        penalties: further terms of the discriminator's loss: ``"r1:0.1,every=4"``, or what is
            called as :class:`gantools.losses.Penalties` is.
        augment: changes what the discriminator sees, real and fake alike; an object or its name.

    Raises:
        UserError: there is no part of that name, or it takes no such value.

    Example:
        >>> from gantools import GAN, Player, Trainer
        >>> from gantools.data import Batches
        >>> from gantools.engine import Consensus  # the solvers are all there
        >>> players = Player(g, lr=2e-4), Player(d, lr=2e-4)
        >>> game = GAN(*players, codes=100, objective="hinge", penalties="r1:0.1,every=4")
        >>> Trainer(turns=10_000, solver=Consensus(0.5)).fit(game, Batches(samples, size=64))
    """

    def __init__(
        self,
        generator: Player,
        discriminator: Player,
        *,
        codes: int,
        objective: Objective | str,
        penalties: Callable[..., Mapping[str, Tensor]] | str = "none",
        augment: Augment | str | None = None,
    ) -> None:
        super().__init__(discriminator=discriminator, generator=generator)
        parts = Setting()
        self.codes = codes
        self.objective: Objective = (
            parts.part("objectives", objective) if isinstance(objective, str) else objective
        )
        self.penalties = parts.penalties(penalties) if isinstance(penalties, str) else penalties
        self.augment: Augment | None = (
            parts.part("augmentations", augment) if isinstance(augment, str) else augment
        )

    def reals(self, turn: Turn) -> Tensor:
        """The real samples of the batch, [B, …]."""
        return turn.batch

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """As many samples of the generator as there are real ones in the batch."""
        return self.generator(turn.randn(len(self.reals(turn)), self.codes))

    def critic(self, turn: Turn) -> Callable[..., Tensor]:
        """What scores samples [B, …]: the discriminator."""
        return self.discriminator

    def seen(self, turn: Turn, samples: Tensor) -> Tensor:
        """Samples as the discriminator sees them."""
        if self.augment is None:
            return samples
        return self.augment(samples, turn.progress, turn.generator)

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell real from fake, plus the penalties."""
        critic = self.critic(turn)
        real, fake = self.seen(turn, self.reals(turn)), self.seen(turn, self.fakes(turn))
        r, f = critic(real), critic(fake)
        turn.log_scores("discriminator", r, f)
        if self.augment is not None:
            self.augment.observe(r.detach())
        adversarial = self.objective.discriminator(r, f)
        return {"adversarial": adversarial, **self.penalties(turn, critic, real, fake)}

    def generator_loss(self, turn: Turn) -> Tensor:
        """Be taken for real."""
        critic = self.critic(turn)
        f = critic(self.seen(turn, self.fakes(turn)))
        if not self.objective.needs_real:
            return self.objective.generator(f)
        return self.objective.generator(f, critic(self.seen(turn, self.reals(turn))))
