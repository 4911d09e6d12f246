"""What people look at: films beside each other, and a table of their figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from gantools_video.baselines import BASELINES

ROWS = {
    "ours": "ours",
    "wrong_actions": "ours, wrong actions",
    "straight": "sprites, straight on",
    **{name: name for name in BASELINES},
}
"""What a table shows, if it was measured, and how it calls it."""
FIGURES = {
    "psnr": ("PSNR, dB", 2),
    "ssim": ("SSIM", 3),
    "moving_psnr": ("moving area, dB", 2),
    "gradient_ratio": ("gradient ratio", 2),
    "motion_ratio": ("motion ratio", 2),
}
"""What a table says of it, and to how many digits."""


def beside(past: Tensor, films: Mapping[str, Tensor], zoom: int) -> list[np.ndarray]:
    """Films beside each other, one below the other: uint8 [H, W, 3] each frame.

    Args:
        past: the known frames, [B, P, C, S, S] in [0, 1].
        films: what follows, by name, [B, T, C, S, S].
        zoom: the width of a pixel.
    """
    columns = [torch.cat([past, film], 1) for film in films.values()]
    return [row(frames, zoom) for frames in zip(*(film.unbind(1) for film in columns), strict=True)]


def row(frames: Sequence[Tensor], zoom: int = 1) -> np.ndarray:
    """Frames of films [B, C, S, S] in [0, 1] beside each other, grey between them: uint8 [H, W, 3].

    Args:
        frames: of each film, from the left; of B films one below the other.
        zoom: the width of a pixel.
    """
    sheet = pad(torch.stack(list(frames), 1), (2, 2, 2, 2), value=0.5)  # [B, columns, C, S, S]
    sheet = sheet.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
    pixels = (sheet * 255).round().clamp(0, 255).byte().expand(-1, -1, 3)
    return pixels.repeat_interleave(zoom, 0).repeat_interleave(zoom, 1).numpy()


def table(found: Mapping[str, Any]) -> list[list[str]]:
    """Figures at the first, the middle and the last step, ours beside the baselines.

    Args:
        found: what :meth:`gantools_video.application.VideoApplication.evaluate` gives, None where
            a figure is not finite; or nothing.
    """
    rows = [["", "step", *(name for name, _ in FIGURES.values())]]
    for of, figures in (("", found), ("left out: ", found.get("left_out", {}))):
        if "steps" not in figures:
            continue
        for step in sorted({1, math.ceil(figures["steps"] / 2), figures["steps"]}):
            for key, name in ROWS.items():
                if key in figures:
                    values = (
                        _said(figures[key][figure][step - 1], digits)
                        for figure, (_, digits) in FIGURES.items()
                    )
                    rows.append([of + name, f"t+{step}", *values])
    return rows


def _said(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
