"""A voice's networks in torch: with what they were made by, all that speaking needs."""

from __future__ import annotations

from collections.abc import Mapping
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


class Learned:
    """:class:`gantools_tts.voice.Networks` of torch."""

    def __init__(self, generator: nn.Module, prosody: nn.Module) -> None:
        self.generator, self.prosody = generator.eval(), prosody.eval()
        self.codes: int | None = getattr(generator, "CODES", None)

    @torch.no_grad()
    def log_lengths(self, phones: np.ndarray) -> np.ndarray:
        """[PHONE_FEATURES, N] -> ln(1 + frames), [N]."""
        return self.prosody.log_lengths(self._given(phones))[0].float().cpu().numpy()

    @torch.no_grad()
    def octaves(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[FRAME_FEATURES − 2, T] -> octaves above 150 Hz, and the logit of a pitch, [T] each."""
        octaves, voiced = self.prosody.octaves(self._given(frames))
        return octaves[0].float().cpu().numpy(), voiced[0].float().cpu().numpy()

    @torch.no_grad()
    def sound(self, told: np.ndarray, pulses: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[FRAME_FEATURES, T], [T · hop], [codes or T · hop] -> sound, [T · hop]."""
        given = map(self._given, (told, pulses, z))
        return self.generator(*given)[0].float().cpu().numpy()

    def _given(self, x: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(x)[None].to(next(self.prosody.parameters()).device)


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
