"""What the codec can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from gantools import Option, RunConfig

AIMS: dict[str, dict[str, Any]] = {
    "lossless": {"code": 4, "stride": 32, "rate": 1.0, "distortion": "l1", "reconstruction": 1.0},
    "lossy": {"code": 256, "stride": 32, "rate": 1.0, "distortion": "l2", "reconstruction": 13.0},
}
"""What suits an aim, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class CodecConfig(RunConfig):
    """Options of ``gantools run codec``."""

    steps: int = 4_000
    data: Annotated[
        str,
        Option("What to learn from: digits, a folder of images, a .npz or .npy file of arrays."),
    ] = "digits"
    aim: Annotated[
        Literal["lossless", "lossy"],
        Option("What the code is for: fewer bits in all, or a good picture by itself."),
    ] = "lossless"
    code: Annotated[
        int | None,
        Option(
            "Numbers of the code at each of its places, 0: no code and no game; left out: as "
            "suits the aim.",
            min=0,
            max=1_024,
        ),
    ] = None
    stride: Annotated[
        Literal[8, 16, 32] | None,
        Option("Pixels from place to place of the code; left out: as suits the aim."),
    ] = None
    rate: Annotated[
        float | None,
        Option("Weight of the code's bits a sub-pixel; left out: as suits the aim.", min=0),
    ] = None
    distortion: Annotated[
        Literal["l1", "l2"] | None,
        Option("How far what the code draws is from the picture; left out: as suits the aim."),
    ] = None
    reconstruction: Annotated[
        float | None, Option("Weight of the distortion; left out: as suits the aim.", min=0)
    ] = None
    adversarial: Annotated[
        float, Option("Weight of the game against the discriminator; 0: there is none.", min=0)
    ] = 0.01
    objective: Annotated[str, Option("What both players want, by name.", part="objectives")] = (
        "non-saturating"
    )
    penalty: Annotated[str, Option("What tames the discriminator.", part="penalties")] = (
        "r1:0.1,every=4"
    )
    batch: Annotated[int, Option("Pictures in a batch of all processes.", min=2, max=4_096)] = 32
    pixels: Annotated[
        int, Option("Pixels of each picture that are coded in a turn.", min=1, max=1_024)
    ] = 128
    width: Annotated[int, Option("Of the pixel networks' hidden layers.", min=4, max=256)] = 64
    mixtures: Annotated[int, Option("Distributions in a mixture.", min=1, max=16)] = 4
    channels: Annotated[int, Option("Of the encoder, at its first step.", min=4, max=256)] = 16
    sight: Annotated[
        int, Option("Pixels around one at which its network sees the code's picture.", min=0, max=3)
    ] = 2
    lr: Annotated[float, Option("The codec's learning rate; it falls to 0.", min=0)] = 3e-3
    discriminator_lr: Annotated[float, Option("The discriminator's; it falls too.", min=0)] = 5e-4
    test: Annotated[int, Option("Held-out images to judge by, at most.", min=1)] = 1_000
    checkpoint_every: int = 500
    evaluate_every: int = 500

    def resolved(self) -> CodecConfig:
        """What was left out as it suits the aim."""
        return self.filled(**AIMS[self.aim])
