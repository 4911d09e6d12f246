"""``gantools video predict`` and ``compare``: what follows a clip, beside what did follow."""

from __future__ import annotations

import warnings
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gantools.errors import Note, UserError
from gantools.verbs import AnyOut, ModelOf, bar, group, model_of, unused, writing

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from gantools_video.predictor import Predictor

app = group("Predict what follows a clip.")

Clip = Annotated[Path, typer.Argument(metavar="CLIP", help="A video, or anything PyAV opens.")]
Count = Annotated[int, typer.Option("--frames", help="Frames to predict.", min=1, max=10_000)]
At = Annotated[
    float | None,
    typer.Option("--at", help="Seconds into the clip at which what is known ends.", min=0),
]
KINDS = (".mp4", ".gif")


@app.command()
def predict(
    clip: Clip,
    out: AnyOut = None,
    frames: Count = 16,
    at: At = None,
    by: Annotated[
        Literal["resizing", "tiles"],
        typer.Option(help="Predict a small picture and move the large one, or squares of it."),
    ] = "resizing",
    known: Annotated[
        bool, typer.Option(help="Begin the film with the frames that were known.")
    ] = False,
    run: ModelOf = None,
) -> None:
    """Predict the frames that follow the end of a clip, or a moment in it, at its own size."""
    out = out or unused(Path(f"{clip.stem}-future.mp4"))
    with writing(out, KINDS) as temporary:
        from gantools.media import video

        model = predictor_of(run)
        past, rate, _ = window(clip, model.past, at, 0)
        x = to_tensor(past, model.channels)
        way = model.resized if by == "resizing" else model.tiled
        with video(temporary, rate) as add, bar("predict", frames) as done:
            for frame in past if known else ():
                add(frame)
            for frame in way(x, frames):
                add(to_pixels(frame))
                done(1)
    print(out)


@app.command()
def compare(
    clip: Clip,
    out: AnyOut = None,
    frames: Count = 16,
    at: At = None,
    run: ModelOf = None,
) -> None:
    """Show the true frames of a clip beside those predicted for them: by the model, by copying
    the last one, and by going on with its motion (flow)."""
    out = out or unused(Path(f"{clip.stem}-compared.mp4"))
    with writing(out, KINDS) as temporary:
        from gantools.media import video
        from gantools_video.baselines import moved
        from gantools_video.pictures import row

        model = predictor_of(run)
        past, rate, future = window(clip, model.past, at, frames)
        x = to_tensor(past, model.channels)
        ours, flow = model.resized(x, len(future)), moved(x[None])
        with video(temporary, rate) as add, bar("compare", len(future)) as done:
            for frame in x:
                add(row([frame[None]] * 4))
            for pixels in future:
                true = to_tensor([pixels], model.channels)
                add(row([true, next(ours)[None], x[-1:], next(flow)]))
                done(1)
    print(f"{out}: from the left true, ours, copy, flow")


def predictor_of(run: Path | None) -> Predictor:
    """Load what predicts for a run; None stands for the model that comes with the plugin.

    Raises:
        UserError: it is no run of video, has no whole model or checkpoint, or learned from an
            environment.
    """
    from gantools_video.predictor import SHIPPED, Predictor

    model = model_of(run, "video", Predictor.load, SHIPPED)
    if model.actions:
        raise UserError(
            f"{run} learned from an environment and needs to be told what is done in it, which a "
            f"clip does not say: `gantools evaluate {run}` and `gantools report {run}` show what "
            "it predicts."
        )
    if model.asked["game"] == "sprites":
        said = (
            f"{run} follows {model.asked['layers']} things that move as wholes before a plain "
            "background, as moving digits do: of other clips it makes nothing good."
        )
        warnings.warn(said, Note, stacklevel=2)
    return model


def window(
    clip: Path, known: int, at: float | None, after: int
) -> tuple[list[np.ndarray], Fraction, list[np.ndarray]]:
    """Frames of a clip up to a moment, its rate, and the frames after it; no more is held.

    A clip that has fewer frames before the moment than are to be known begins with its first,
    again and again.

    Args:
        clip: a file.
        known: how many frames up to the moment.
        at: the moment, seconds; None: the end, but for ``after`` frames.
        after: how many frames after it, fewer if the clip ends.

    Raises:
        UserError: it cannot be read, or has no frames after the moment where some are asked for.
    """
    from gantools_video import reading

    film = reading.describe(clip)
    held: deque[np.ndarray] = deque(maxlen=known + after)
    later = after
    with bar(f"decode {clip.name}", film.count) as done:
        for frame in reading.frames(clip):
            if at is not None and frame.time > at:
                later -= 1
                if later < 0:
                    break
            held.append(frame.pixels)
            done(1)
    frames = list(held)
    if at is not None and later == after and not after:
        raise UserError(f"{clip} ends before --at {at:g} s: choose an earlier moment.")
    split = len(frames) - (after if at is None else after - max(later, 0))
    if after and (split <= 0 or split == len(frames)):
        raise UserError(
            f"{clip} has no frames before and after that moment to compare: choose an earlier "
            "--at, or fewer --frames."
        )
    past, future = frames[:split], frames[split:]
    past = [past[0]] * (known - len(past)) + past[-known:]
    return past, film.rate, future


def to_tensor(frames: list[np.ndarray], channels: int) -> Tensor:
    """Pixels uint8 [H, W, 3] -> [T, C, H, W] in [0, 1]; grey for a model of one channel."""
    import numpy as np
    import torch

    x = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 255
    return x.mean(1, keepdim=True) if channels == 1 else x


def to_pixels(frame: Tensor) -> np.ndarray:
    """[C, H, W] in [0, 1] -> uint8 [H, W, 3]."""
    pixels = (frame * 255).round().clamp(0, 255).byte().expand(3, -1, -1)
    return pixels.permute(1, 2, 0).contiguous().numpy()
