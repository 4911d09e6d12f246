"""The game that most people mean: a generator against a discriminator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from gantools.adversary import Adversary
from gantools.application import Setting
from gantools.engine import Game, Player, Turn, shared
from gantools.losses import Objective
from gantools.nn import Augment


class GAN(Game):
    """A generator against a discriminator, with any objective, penalties and augmentation.

    What a subclass may want to change: :meth:`reals` (batches that hold more than samples),
    :meth:`fakes` (codes of another kind, conditions) or :meth:`critic` (a condition beside the
    samples). The discriminator moves first. What both want is its ``adversary``; a game of other
    players calls that from its own losses.

    Args:
        generator: codes [B, codes] -> samples [B, …].
        discriminator: samples [B, …] -> scores [B] or [B, 1].
        codes: how many numbers z ~ N(0, 1) a sample is made from.
        objective: what both want; an object, or its name: ``"hinge"``.
        penalties: further terms of the discriminator's loss: ``"r1:0.1,every=4"``, or what is
            called as :class:`gantools.losses.Penalties` is.
        augment: changes what the discriminator sees, real and fake alike; an object or its name.
        setting: whose parts the names mean; left out: those of all installed plugins.

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
        penalties: Callable[..., Mapping[str, Tensor]] | str | None = None,
        augment: Augment | str | None = None,
        setting: Setting | None = None,
    ) -> None:
        super().__init__(discriminator=discriminator, generator=generator)
        self.codes = codes
        self.adversary = Adversary(objective, penalties, augment, setting)

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

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell real from fake, plus the penalties."""
        real, fake = self.reals(turn), self.fakes(turn)
        return self.adversary.discriminator(turn, self.critic(turn), real, fake)

    def generator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be taken for real."""
        fake, real = self.fakes(turn), self.reals(turn)
        return {"adversarial": self.adversary.generator(turn, self.critic(turn), fake, real)}
