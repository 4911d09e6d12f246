"""The game: a generator of speech, an ensemble that listens to windows of it, and prosody.

A batch is a :class:`gantools_tts.data.Batch`: pieces of recordings with what is told of them, and
whole utterances for prosody, which plays against nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from gantools import Adversary, Game, Player, Turn, shared
from gantools_tts.data import Batch
from gantools_tts.discriminators import cut
from gantools_tts.losses import feature_distance, spectral
from gantools_tts.prosody import length_loss, pitch_loss

LEAD = 0.2
"""The part of the training in which what discriminators say comes to count: a generator that
listened to untrained ones would learn to fool them sooner than they learn."""


class TTSGame(Game):
    """A generator, prosody, and unless the generator is to do without them discriminators.

    Args:
        generator: the player of one of :mod:`gantools_tts.generators`.
        prosody: the player of a :class:`gantools_tts.prosody.Prosody`.
        discriminators: the player of one of
            :func:`gantools_tts.discriminators.ensemble`.
        adversary: of all of them.
        weights: of "spectral", "adversarial" and "features".
        hop: samples of a frame.
    """

    def __init__(
        self,
        generator: Player,
        prosody: Player,
        discriminators: Player | None,
        adversary: Adversary | None,
        *,
        weights: dict[str, float],
        hop: int,
    ) -> None:
        players = {} if discriminators is None else {"discriminators": discriminators}
        super().__init__(**players, generator=generator, prosody=prosody)
        self.adversary, self.weights, self.hop = adversary, weights, hop

    @shared
    def batch(self, turn: Turn) -> Batch:
        """What is learned from in this turn."""
        return Batch(*turn.batch)

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """What the generator says, [B, T · hop]."""
        batch = self.batch(turn)
        z = self.generator.draw(len(batch.told), batch.told.shape[-1], turn.generator)
        return self.generator(batch.told, batch.pulses, z.to(batch.told))

    @shared
    def firsts(self, turn: Turn, name: str, frames: int, windows: int) -> Tensor:
        """Where windows begin, in samples [windows · B]: at a frame's first."""
        told = self.batch(turn).told
        return self.hop * turn.randint(told.shape[-1] - frames + 1, (windows * len(told),))

    def contests(
        self, turn: Turn
    ) -> Iterator[tuple[str, nn.Module, tuple[Tensor, ...], tuple[Tensor, ...]]]:
        """What critics compare: a name, the critic, real and made windows with what is told."""
        batch, made = self.batch(turn), self.fakes(turn)
        for name, critic in self.discriminators.items():
            first = self.firsts(turn, name, critic.frames, critic.windows)
            length = critic.frames * self.hop
            told = ()
            if critic.told is not None:
                told = (cut(batch.told, first // self.hop, critic.frames),)
            real = cut(batch.audio, first, length), *told
            yield name, critic, real, (cut(made, first, length), *told)

    def discriminators_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell recordings from what was made."""
        assert self.adversary is not None
        terms = {}
        for name, critic, real, made in self.contests(turn):
            found = self.adversary.discriminator(turn, critic, real, made, member=name)
            terms |= {key: term / len(self.discriminators) for key, term in found.items()}
        return terms

    def generator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Have the recording's spectra, be taken for it, and be alike in what critics find."""
        batch, made = self.batch(turn), self.fakes(turn)
        terms = {"spectral": spectral(made, batch.audio)}
        if self.adversary is not None:
            told, alike = [], []
            for _, critic, real, fake in self.contests(turn):
                with torch.no_grad():
                    *found_r, r = critic.layers(*real)
                *found_f, f = critic.layers(*fake)
                told.append(self.adversary.objective.generator(f, r))
                alike.append(feature_distance(found_f, found_r))
            counts = min(1, turn.progress / LEAD)
            terms["adversarial"] = counts * torch.stack(told).mean()
            terms["features"] = counts * torch.stack(alike).mean()
        return {name: self.weights[name] * term for name, term in terms.items()}

    def prosody_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Be as long and as high as the recording."""
        batch = self.batch(turn)
        lengths, pitch = self.prosody(batch.phones, batch.told[:, :-2])
        return {
            "lengths": length_loss(lengths, batch.lengths, batch.phones.any(1)),
            "pitch": pitch_loss(pitch, batch.told[:, -2:]),
        }
