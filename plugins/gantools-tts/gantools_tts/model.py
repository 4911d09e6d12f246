"""A voice's networks in torch: with what they were made by, all that speaking needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from gantools import models
from gantools_tts.generators import generator
from gantools_tts.prosody import Prosody
from gantools_tts.voice import Voice

SHIPPED = Path(__file__).with_name("model")
"""The folder of the voice that comes with the plugin."""
COPYRIGHT = SHIPPED / "COPYRIGHT.txt"
"""Whose the recordings are that it learned from, and what may be done with it."""
STEP = 50
"""Networks are given lengths that are multiples of it: torch keeps memory for every length that a
convolution ever had, and a long text has thousands."""


class Learned:
    """:class:`gantools_tts.voice.Networks` of torch."""

    def __init__(self, generator: nn.Module, prosody: nn.Module) -> None:
        self.generator, self.prosody = generator.eval(), prosody.eval()
        self.codes: int | None = getattr(generator, "CODES", None)

    @torch.no_grad()
    def log_lengths(self, phones: np.ndarray) -> np.ndarray:
        """[PHONE_FEATURES, N] -> ln(1 + frames), [N]."""
        with ended(self.prosody, count := phones.shape[1]):
            found = self.prosody.log_lengths(self._given(lengthened(phones)))
        return found[0, :count].float().cpu().numpy()

    @torch.no_grad()
    def octaves(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[FRAME_FEATURES − 2, T] -> octaves above 150 Hz, and the logit of a pitch, [T] each."""
        with ended(self.prosody, count := frames.shape[1]):
            octaves, voiced = self.prosody.octaves(self._given(lengthened(frames)))
        return octaves[0, :count].float().cpu().numpy(), voiced[0, :count].float().cpu().numpy()

    @torch.no_grad()
    def sound(self, told: np.ndarray, pulses: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[FRAME_FEATURES, T], [T · hop], [codes or T · hop] -> sound, [T · hop]."""
        with ended(self.generator, told.shape[1]):
            given = map(self._given, (lengthened(told), pulses, z))
            return self.generator(*given)[0].float().cpu().numpy()

    def _given(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x)[None].to(next(self.prosody.parameters()).device)


def lengthened(x: np.ndarray) -> np.ndarray:
    """[F, T] -> the same with zeros after it, until T is a multiple of ``STEP``."""
    return np.pad(x, ((0, 0), (0, -x.shape[1] % STEP)))


@contextmanager
def ended(network: nn.Module, frames: int) -> Iterator[None]:
    """Have all convolutions of a network that is given :func:`lengthened` frames hear zeros beyond
    the end of what is there, ``frames``, as they do where what they are given ends."""
    given = frames + -frames % STEP

    def end(conv: nn.Module, heard: tuple[torch.Tensor]) -> torch.Tensor:
        x = heard[0]
        there = x.shape[-1] * frames // given  # it may have been upsampled
        return nn.functional.pad(x[..., :there], (0, x.shape[-1] - there))

    convs = [x for x in network.modules() if isinstance(x, nn.Conv1d)] if frames < given else []
    hooks = [conv.register_forward_pre_hook(end) for conv in convs]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


class Model(Voice):
    """A voice whose networks are torch's.

    Args:
        asked: "generator" (its name), "width" and "rate".
        generator: the network of that name.
        prosody: the network of lengths and pitch.
        about: command, seed, data, licence and figures, for people.
    """

    def __init__(
        self,
        asked: Mapping[str, Any],
        generator: nn.Module,
        prosody: nn.Module,
        about: Mapping[str, Any] = {},
    ) -> None:
        super().__init__(Learned(generator, prosody), asked["rate"])
        self.asked, self.about = dict(asked), dict(about)
        self.modules = {"generator": generator, "prosody": prosody}

    def save(self, folder: Path) -> None:
        """Write the voice into a folder; see :func:`gantools.models.save`."""
        models.save(folder, self.modules, self.asked, self.about, application="tts")

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Model:
        """Read what was written.

        Raises:
            UserError: there is no whole voice in the folder.
        """
        kept = models.load(folder, application="tts")
        made = generator(kept.config["generator"], kept.config["rate"], kept.config["width"])
        made.load_state_dict(kept.states["generator"])
        prosody = Prosody()
        prosody.load_state_dict(kept.states["prosody"])
        return cls(kept.config, made, prosody, kept.about)
