"""What a critic and whoever it judges want of real samples and fakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from gantools.application import Setting
from gantools.engine import Turn
from gantools.losses import Critic, Objective, Samples, several
from gantools.nn import Augment


class Adversary(nn.Module):
    """An objective with its penalties and augmentation: both sides of one contest.

    A game calls it from its losses, once for each critic that there is. Samples are tensors
    [B, …], or several that belong together (a picture and its caption, an image and its code),
    which the critic takes as arguments; the first of them is what is augmented. A member of an
    ensemble is named, and its terms are logged as ``member/term``.

    Args:
        objective: an object, or its name: ``"hinge"``.
        penalties: further terms of the critic's loss: ``"r1:0.1,every=4"``, or what is called as
            :class:`gantools.losses.Penalties` is.
        augment: changes what critics see, real and fake alike; an object or its name.
        setting: whose parts the names mean; left out: those of all installed plugins.

    Raises:
        UserError: there is no part of that name, or it takes no such value.

    Example:
        >>> def discriminator_loss(self, turn):  # an ensemble on windows of several lengths
        ...     terms = {}
        ...     for name, critic in self.discriminator.windows.items():
        ...         real, fake = self.windows(turn, name)
        ...         terms |= self.adversary.discriminator(turn, critic, real, fake, member=name)
        ...     return terms
    """

    def __init__(
        self,
        objective: Objective | str,
        penalties: Callable[..., Mapping[str, Tensor]] | str | None = None,
        augment: Augment | str | None = None,
        setting: Setting | None = None,
    ) -> None:
        super().__init__()
        setting = setting or Setting()
        self.objective: Objective = (
            setting.part("objectives", objective) if isinstance(objective, str) else objective
        )
        self.penalties = (
            penalties if callable(penalties) else setting.penalties(penalties or "none")
        )
        self.augment: Augment | None = (
            setting.part("augmentations", augment) if isinstance(augment, str) else augment
        )
        """A module of this one, so that what it learns is kept with the game."""

    def seen(self, turn: Turn, samples: Samples) -> Samples:
        """Samples as critics see them."""
        if self.augment is None:
            return samples
        first, *rest = several(samples)
        first = self.augment(first, turn.progress, turn.generator)
        return (first, *rest) if rest else first

    def discriminator(
        self, turn: Turn, critic: Critic, real: Samples, fake: Samples, *, member: str = ""
    ) -> dict[str, Tensor]:
        """The critic's loss: tell real from fake, plus the penalties.

        Args:
            critic: takes samples, gives scores of any shape; a player, or what is part of one.
            member: its name where there are several.
        """
        real, fake = self.seen(turn, real), self.seen(turn, fake)
        r, f = critic(*several(real)), critic(*several(fake))
        terms = {"adversarial": self.told(turn, r, f, member=member)}
        terms |= self.penalties(turn, critic, real, fake)
        return {f"{member}/{name}": term for name, term in terms.items()} if member else terms

    def told(self, turn: Turn, r: Tensor, f: Tensor, *, member: str = "") -> Tensor:
        """The objective of a critic whose scores a game has already; penalties are the game's.

        Args:
            r: of real samples, as :meth:`seen`; they are logged, and the augmentation learns of
                them.
            f: of fakes.
        """
        turn.log_scores(turn.mover or "discriminator", r, f, of=member)
        if self.augment is not None:
            self.augment.observe(r.detach())
        return self.objective.discriminator(r, f)

    def generator(self, turn: Turn, critic: Critic, fake: Samples, real: Samples) -> Tensor:
        """The loss of who made the fakes: that they be taken for real.

        Args:
            real: looked at if the objective needs it.
        """
        f = critic(*several(self.seen(turn, fake)))
        r = critic(*several(self.seen(turn, real))) if self.objective.needs_real else None
        return self.objective.generator(f, r)

    def joint(self, turn: Turn, critic: Critic, real: Samples, fake: Samples) -> Tensor:
        """The loss of who made both, as BiGAN's encoder and generator: (x, E(x)) and (G(z), z)."""
        r = critic(*several(self.seen(turn, real)))
        f = critic(*several(self.seen(turn, fake)))
        return self.objective.joint(r, f)
