"""``gantools text2image draw`` and ``interpolate``: what a trained model is for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantools.errors import UserError
from gantools.verbs import AnyOut, ModelOf, group, model_of, unused, writing

if TYPE_CHECKING:
    from gantools_text2image.drawer import Drawer

app = group("Draw with a trained model, or between two sentences.")

Seed = Annotated[int, typer.Option(help="Seed of the codes.", min=0)]
Zoom = Annotated[int, typer.Option(help="Width of a drawn pixel, in pixels.", min=1, max=16)]


@app.command()
def draw(
    prompts: Annotated[list[str], typer.Argument(help="What to draw; several make a grid.")],
    out: AnyOut = None,
    run: ModelOf = None,
    variants: Annotated[
        int, typer.Option(help="Drawings of each prompt, of codes of their own.", min=1, max=64)
    ] = 1,
    seed: Seed = 0,
    zoom: Zoom = 8,
) -> None:
    """Draw each prompt, to a .png; the same code, column by column, for all of them."""
    out = out or unused(Path("drawing.png"))
    with writing(out, (".png",)) as temporary:
        import torch

        from gantools.media import grid, to_image

        model = drawer_of(run)
        e = model.read(model.understood(prompts))
        codes = model.fresh(variants, torch.Generator().manual_seed(seed))
        drawn = model.draw(
            e.repeat_interleave(variants, 0), codes.repeat(len(prompts), 1)
        ).unflatten(0, (len(prompts), variants))
        if len(prompts) == variants == 1:
            image = to_image(drawn[0, 0], zoom)
        else:
            image = grid(list(drawn), zoom, beside=prompts)
        image.save(temporary)
    print(out)


@app.command()
def interpolate(
    prompts: Annotated[
        list[str], typer.Argument(help="Two: between them; one: between two codes.")
    ],
    out: AnyOut = None,
    run: ModelOf = None,
    steps: Annotated[int, typer.Option(help="Drawings from end to end.", min=2, max=64)] = 8,
    variants: Annotated[int, typer.Option(help="Rows, of codes of their own.", min=1, max=64)] = 4,
    seed: Seed = 0,
    zoom: Zoom = 4,
) -> None:
    """Draw on the way from one sentence to another, or from one code to another, to a .png."""
    if len(prompts) > 2:
        raise UserError(f"interpolate takes one prompt or two, not {len(prompts)}.")
    out = out or unused(Path("between.png"))
    with writing(out, (".png",)) as temporary:
        import torch

        from gantools.media import grid

        model = drawer_of(run)
        prompts = model.understood(prompts)
        source = torch.Generator().manual_seed(seed)
        rows = []
        for _ in range(variants):
            if len(prompts) == 2:
                e, z = model.between(*prompts, steps), model.fresh(1, source).expand(steps, -1)
            else:
                e = model.read(prompts).expand(steps, -1)
                z = model.between_codes(*model.fresh(2, source), steps)
            rows.append(model.draw(e, z))
        ends = prompts if len(prompts) == 2 else ["one code", "another"]
        grid(rows, zoom, above=[ends[0], *[""] * (steps - 2), ends[1]]).save(temporary)
    print(out)


def drawer_of(run: Path | None) -> Drawer:
    """Load what draws for a run; None stands for the model that comes with the plugin.

    Raises:
        UserError: it is no run of text2image, or has no whole model or checkpoint.
    """
    from gantools_text2image.drawer import SHIPPED, Drawer

    return model_of(run, "text2image", Drawer.load, SHIPPED)
