"""What the prediction of video can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from gantools import Option, RunConfig, UserError

ROLLOUTS = {"warp": 8, "sprites": 8, "feedback": 8, "mathieu": 1}
"""The rollout that suits a game, where nothing else is asked for."""
ENDLESS = {
    "game": "sprites",
    "past": 10,
    "lr": 1e-3,
    "lp": 10.0,
    "gdl": 0.3,
    "adversarial": 0.05,
    "damping": 0.0,
}
"""What suits data that never come again (moving digits; ten frames as Srivastava et al. 2015)."""
ACTED = {
    "game": "warp",
    "past": 4,
    "lr": 1e-3,
    "lp": 10.0,
    "gdl": 0.3,
    "adversarial": 0.05,
    "damping": 0.0,
}
"""What suits environments: what is done tells what begins to move, and nothing is damped."""
FEW = {
    "game": "warp",
    "past": 4,
    "lr": 3e-4,
    "lp": 3.0,
    "gdl": 4.0,
    "adversarial": 0.2,
    "damping": 1.0,
}
"""What suits some hundred frames of films (four as Mathieu et al. 2016): what moves goes on nearly
as it did, and little can be learned before it is learned by heart."""


@dataclass(frozen=True, kw_only=True)
class VideoConfig(RunConfig):
    """Options of ``gantools run video``."""

    steps: int = 2_000
    game: Annotated[
        Literal["warp", "sprites", "feedback", "mathieu"] | None,
        Option(
            "warp moves what is seen, sprites things as wholes before a plain background, feedback "
            "draws anew from a code, mathieu at four scales; left out: as suits the data."
        ),
    ] = None
    data: Annotated[
        str,
        Option("What to learn from: moving-digits, a folder of videos, a video, env:Pendulum-v1."),
    ] = "moving-digits"
    leave_out: Annotated[
        str | None, Option("The video of the folder that is left out of the training wholly.")
    ] = None
    size: Annotated[
        int,
        Option("Side of the frames that are trained on, pixels; a multiple of 8.", min=16, max=256),
    ] = 64
    past: Annotated[
        int | None,
        Option("Known frames that the next is made from; left out: as suits.", min=2, max=16),
    ] = None
    rollout: Annotated[
        int | None,
        Option(
            "Frames predicted in a row in training, in the end; left out: as suits.", min=1, max=64
        ),
    ] = None
    damping: Annotated[
        float | None,
        Option(
            "How much less warp moves at first what did not move steadily; 0: no less; left out: "
            "as suits.",
            min=0,
        ),
    ] = None
    layers: Annotated[
        int | None, Option("Things that sprites looks for; left out: 2.", min=1, max=8)
    ] = None
    horizon: Annotated[int, Option("Frames predicted in a row to be judged.", min=1, max=64)] = 8
    width: Annotated[
        int,
        Option(
            "Of feedback's and mathieu's first layers; an eighth of warp's and sprites'.",
            min=4,
        ),
    ] = 16
    discriminator_width: Annotated[int, Option("Of the discriminator's first layer.", min=4)] = 32
    p: Annotated[
        Literal[1, 2], Option("The power of lp, of how far frames are from the truth.")
    ] = 2
    lp: Annotated[float | None, Option("Weight of lp; left out: as suits.", min=0)] = None
    gdl: Annotated[
        float | None, Option("Weight of the gradient difference; left out: as suits.", min=0)
    ] = None
    adversarial: Annotated[
        float | None,
        Option(
            "Weight of the game against the discriminator; 0: there is none; left out: as suits.",
            min=0,
        ),
    ] = None
    places: Annotated[
        float, Option("Weight of how far, in pixels, sprites are from where they go.", min=0)
    ] = 1.0
    objective: Annotated[str, Option("What both want, by name.", part="objectives")] = "hinge"
    penalty: Annotated[str, Option("What tames the discriminator.", part="penalties")] = (
        "r1:0.0001,every=8"
    )
    batch: Annotated[int, Option("Films in a batch of all processes.", min=2, max=1_024)] = 16
    lr: Annotated[
        float | None,
        Option("The predictor's learning rate, which falls to 0; left out: as suits.", min=0),
    ] = None
    discriminator_lr: Annotated[float, Option("The discriminator's; it falls too.", min=0)] = 4e-4
    ema: Annotated[
        float, Option("Decay of the average of weights that predicts; 0: none.", min=0, max=1)
    ] = 0.99
    samples: Annotated[int, Option("Held-out films to judge by, at most.", min=1)] = 500
    checkpoint_every: int = 250
    evaluate_every: int = 250

    def resolved(self) -> VideoConfig:
        """What was left out as it suits the game and the data."""
        suits = FEW
        if self.data == "moving-digits":
            suits = ENDLESS
        elif self.data.startswith("env:"):
            suits = ACTED
        game = self.game or suits["game"]
        if self.layers is not None and game != "sprites":
            raise UserError(f"--layers is for --game sprites: {game} looks for no things.")
        if game in ("feedback", "mathieu"):  # which begin with nothing, not with motion found
            suits = {**suits, "lr": 1e-3}
        if game == "sprites":
            suits = {**suits, "lr": 2e-3, "layers": 2}
        return self.filled(**{**suits, "game": game}, rollout=ROLLOUTS[game])
