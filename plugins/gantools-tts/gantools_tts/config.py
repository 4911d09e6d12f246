"""What the learning of a voice can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gantools import Option, RunConfig

WIDTHS = {"istft": 192, "gan-tts": 24}
"""The generator's width, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class TTSConfig(RunConfig):
    """Options of ``gantools run tts``."""

    steps: int = 500
    data: Annotated[
        str,
        Option("The voice: espeak, which is synthetic, or a folder as LJSpeech's."),
    ] = "espeak"
    generator: Annotated[
        Literal["istft", "gan-tts"],
        Option("istft shapes pulses and noise, and is fast; gan-tts is the paper's."),
    ] = "istft"
    utterances: Annotated[int, Option("Sentences that espeak says to be learned from.", min=50)] = (
        600
    )
    samples: Annotated[int, Option("Held-out utterances to judge by, at most.", min=2)] = 60
    width: Annotated[int | None, Option("Of the generator; left out: as suits it.", min=8)] = None
    discriminators: Annotated[
        Literal["spectrograms", "windows"],
        Option(
            "Of spectrograms; or of windows of sound, told or not what should be heard (GAN-TTS)."
        ),
    ] = "spectrograms"
    discriminator_width: Annotated[int, Option("Of the windows' first layers.", min=4)] = 16
    seconds: Annotated[
        float, Option("Of the piece of an utterance that is learned from.", min=0.3, max=10)
    ] = 0.8
    spectral: Annotated[
        float, Option("Weight of the spectra's distance, which the paper has not.", min=0)
    ] = 1.0
    features: Annotated[
        float, Option("Weight of what discriminators find, which the paper has not.", min=0)
    ] = 2.0
    adversarial: Annotated[
        float, Option("Weight of the game against the discriminators; 0: there are none.", min=0)
    ] = 0.5
    objective: Annotated[str, Option("What both want, by name.", part="objectives")] = (
        "relativistic"
    )
    penalty: Annotated[str, Option("What tames the discriminators.", part="penalties")] = "none"
    batch: Annotated[int, Option("Pieces in a batch of all processes.", min=2, max=1_024)] = 8
    lr: Annotated[float, Option("The generator's learning rate; it falls to 0.", min=0)] = 1e-3
    discriminator_lr: Annotated[float, Option("The discriminators'; it falls too.", min=0)] = 1e-3
    ema: Annotated[
        float, Option("Decay of the average of weights that speaks; 0: none.", min=0, max=1)
    ] = 0.995
    checkpoint_every: int = 250
    evaluate_every: int = 250

    def resolved(self) -> TTSConfig:
        """What was left out as it suits the generator."""
        return self.filled(width=WIDTHS[self.generator])
