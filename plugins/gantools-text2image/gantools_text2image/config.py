"""What text to image can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from gantools import Option, RunConfig

RATES: dict[str, Any] = {"lr": 5e-4, "discriminator_lr": 5e-4, "beta2": 0.99}
RECIPES: dict[str, dict[str, Any]] = {
    "gan-cls": {"objective": "non-saturating", "penalty": "none", "contrastive": 0.0, **RATES},
    "gan-int": {"objective": "non-saturating", "penalty": "none", "contrastive": 0.0, **RATES},
    "df-gan": {  # at the others' rates it collapses; these are its paper's
        "objective": "hinge",
        "penalty": "ma-gp:2,every=2",
        "contrastive": 0.0,
        "lr": 1e-4,
        "discriminator_lr": 4e-4,
        "beta2": 0.9,
    },
    "contrastive": {
        "objective": "hinge",
        "penalty": "ma-gp:2,every=2",
        "contrastive": 1.0,
        **RATES,
    },
    "stack": {"objective": "hinge", "penalty": "ma-gp:2,every=2", "contrastive": 0.0, **RATES},
}
"""What suits a game, where nothing else is asked for."""


@dataclass(frozen=True, kw_only=True)
class TextToImageConfig(RunConfig):
    """Options of ``gantools run text2image``."""

    steps: int = 1_500
    threads: int = 2
    data: Annotated[
        str,
        Option(
            "What to learn from: openmoji, a folder with metadata.jsonl or metadata.csv "
            "(file_name, text), or hf:NAME, a Hugging Face dataset."
        ),
    ] = "openmoji"
    resolution: Annotated[Literal[32, 64, 128, 256], Option("Pixels of a picture's side.")] = 32
    text: Annotated[
        str,
        Option(
            "What reads the captions: minilm (frozen), learned (with the game), or a .safetensors "
            "or .npz file of embeddings."
        ),
    ] = "minilm"
    game: Annotated[
        Literal["gan-cls", "gan-int", "df-gan", "contrastive", "stack"],
        Option(
            "Real against fake and wrong captions (gan-cls), with captions in between (gan-int), "
            "fused at every layer (df-gan), with pairs told apart in the batch (contrastive), or "
            "in two stages (stack)."
        ),
    ] = "contrastive"
    objective: Annotated[
        str | None,
        Option("What both players want, by name; left out: as suits the game.", part="objectives"),
    ] = None
    penalty: Annotated[
        str | None,
        Option("What tames the discriminator; left out: as suits the game.", part="penalties"),
    ] = None
    contrastive: Annotated[
        float | None,
        Option("Weight of telling the batch's pairs apart; left out: as suits the game.", min=0),
    ] = None
    near: Annotated[
        float,
        Option(
            "In the second half, the share of wrong captions that are drawn from the most similar "
            "ones there are; needs a --text that is read already.",
            min=0,
            max=1,
        ),
    ] = 0.0
    augment: Annotated[
        str, Option("Of what the discriminator sees: diffaugment, ada.", part="augmentations")
    ] = "none"
    batch: Annotated[int, Option("Pictures in a batch of all processes.", min=2, max=1_024)] = 64
    generator_width: Annotated[int, Option("Its channels at 32 pixels.", min=4, max=512)] = 32
    discriminator_width: Annotated[int, Option("Its channels at 32 pixels.", min=4, max=512)] = 32
    codes: Annotated[int, Option("Numbers of a code.", min=1, max=1_024)] = 64
    lr: Annotated[
        float | None,
        Option(
            "The generator's learning rate, which falls to 0 in the training's last half; left "
            "out: as suits the game.",
            min=0,
        ),
    ] = None
    discriminator_lr: Annotated[
        float | None, Option("The discriminator's; left out: as suits the game.", min=0)
    ] = None
    beta1: Annotated[float, Option("Adam's decay of the gradient's mean.", min=0, max=0.999)] = 0.0
    beta2: Annotated[
        float | None,
        Option("Adam's decay of its square; left out: as suits the game.", min=0, max=0.9999),
    ] = None
    ema: Annotated[
        float, Option("Decay of the generator's moving average.", min=0, max=0.99999)
    ] = 0.995
    samples: Annotated[int, Option("Pictures of seen names to judge by.", min=100)] = 1_000
    judge_steps: Annotated[
        int, Option("Steps of training a judge of your own pictures, to measure by.", min=1)
    ] = 600
    log_every: int = 20
    checkpoint_every: int = 250
    evaluate_every: int = 250

    def resolved(self) -> TextToImageConfig:
        """What was left out as it suits the game."""
        return self.filled(**RECIPES[self.game])
