"""The tables of docs/results/video.md: trains what is missing, then writes the page.

python benchmarks/video_results.py [--only NAME …] [--jobs 2] [--write-only]

The real clips lie in ../shared/data/video.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from results import ROOT, Experiment, Results, spread

VIDEO = Results("video", "video")
CLIPS = "../shared/data/video"
LEFT_OUT = "carphone_pristine"
REAL = {"data": CLIPS, "leave_out": LEFT_OUT, "threads": 1}
BUDGET = {"threads": 1, "steps": 600, "evaluate_every": 0, "ema": 0.98}
ABLATION = [
    Experiment("lp", "lp", {**BUDGET, "gdl": 0, "adversarial": 0, "rollout": 1}, 3, "ablation"),
    Experiment("gdl", "+ GDL", {**BUDGET, "adversarial": 0, "rollout": 1}, 3, "ablation"),
    Experiment("adversarial", "+ adversarial", {**BUDGET, "rollout": 1}, 3, "ablation"),
    Experiment("rollout", "+ feedback training", BUDGET, 3, "ablation"),
    Experiment("feedback", "game feedback", {**BUDGET, "game": "feedback"}, 3, "ablation"),
    Experiment("mathieu", "game mathieu", {**BUDGET, "game": "mathieu"}, 3, "ablation"),
]
MAIN = [
    Experiment("default", "moving digits", {}, 1, "main"),
    Experiment("digits", "moving digits, long", {"threads": 1, "steps": 8_000}, 1, "main"),
    Experiment("real", "real clips", {**REAL, "steps": 4_000}, 3, "main"),
]
FIGURES = {
    "PSNR, dB": ("psnr", 2),
    "SSIM": ("ssim", 3),
    "moving area, dB": ("moving_psnr", 2),
    "gradient": ("gradient_ratio", 2),
    "motion": ("motion_ratio", 2),
}
BASELINES = ("copy", "linear", "flow", "flow-fine")


def cells(rows: Sequence[dict[str, Any]], name: str, step: int) -> list[str]:
    """The figures of all seeds at a step."""
    return [
        spread([row[name][figure][step - 1] for row in rows], digits)
        for figure, digits in FIGURES.values()
    ]


def table(experiments: Sequence[Experiment], saved: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Ours beside the baselines at the first and the last step, on later parts and left-out clips."""
    lines = [f"| | seeds | step | {' | '.join(FIGURES)} |", "|---|---|---|" + "---|" * len(FIGURES)]
    for experiment in experiments:
        rows = saved.get(experiment.name)
        if not rows:
            continue
        parts = {experiment.what: rows}
        if "left_out" in rows[0]:
            parts[f"{experiment.what}, clip left out"] = [row["left_out"] for row in rows]
        for what, found in parts.items():
            for step in (1, found[0]["steps"]):
                for name in ("ours", *BASELINES):
                    seeds = str(len(found)) if name == "ours" else ""
                    said = " | ".join(cells(found[: None if name == "ours" else 1], name, step))
                    lines.append(f"| {what}: {name} | {seeds} | t+{step} | {said} |")
    return lines


def ablation(saved: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row for each at the first and the last step."""
    lines = [f"| | seeds | step | {' | '.join(FIGURES)} |", "|---|---|---|" + "---|" * len(FIGURES)]
    for experiment in ABLATION:
        if rows := saved.get(experiment.name):
            for step in (1, rows[0]["steps"]):
                said = " | ".join(cells(rows, "ours", step))
                lines.append(f"| {experiment.what} | {len(rows)} | t+{step} | {said} |")
    return lines


def main() -> None:
    os.chdir(ROOT)
    saved = VIDEO.collect([*MAIN, *ABLATION])
    VIDEO.write({"main": table(MAIN, saved), "ablation": ablation(saved)})


if __name__ == "__main__":
    main()
