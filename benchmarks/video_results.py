"""The tables of docs/results/video.md: trains what is missing, measures, then writes the page.

python benchmarks/video_results.py [--only NAME …] [--jobs 2] [--write-only]

The real clips lie in ../shared/data/video. What is measured beside a run's evaluation (long rollouts,
speed) is kept in docs/results/video-measured.json; remove an entry to measure it again.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Sequence
from typing import Any

import torch
from gantools_video.application import VideoApplication
from gantools_video.predictor import Predictor
from results import ROOT, Experiment, Results, spread

import gantools

VIDEO = Results("video", "video")
MEASURED = VIDEO.page.with_name("video-measured.json")
CLIPS = "../shared/data/video"
LEFT_OUT = "carphone_pristine"
FAST = {"precision": "bf16-mixed", "threads": 1}
REAL = {
    **FAST,
    "data": CLIPS,
    "leave_out": LEFT_OUT,
    "steps": 300,
    "evaluate_every": 0,
}
DIGITS: dict[str, Any] = {"threads": 1}
ONE = {**REAL, "rollout": 1}
MAIN = [
    Experiment("real", "real clips", REAL, 3, "main"),
    Experiment("digits", "moving digits", DIGITS, 3, "main"),
]
ABLATION = [
    Experiment("lp", "lp", {**ONE, "gdl": 0.0, "adversarial": 0.0}, 3, "ablation"),
    Experiment("gdl", "+ GDL", {**ONE, "adversarial": 0.0}, 3, "ablation"),
    Experiment("adversarial", "+ adversarial", ONE, 3, "ablation"),
    Experiment("real", "+ feedback training (the default)", REAL, 3, "ablation"),
    Experiment(
        "still", "the same without the adversary", {**REAL, "adversarial": 0.0}, 3, "ablation"
    ),
    Experiment("undamped", "the default, nothing damped", {**REAL, "damping": 0.0}, 1, "ablation"),
    Experiment(
        "feedback", "game feedback", {**REAL, "game": "feedback", "lr": 1e-3}, 1, "ablation"
    ),
    Experiment("mathieu", "game mathieu", {**REAL, "game": "mathieu", "lr": 1e-3}, 1, "ablation"),
]
FIGURES = {
    "PSNR, dB": ("psnr", 2),
    "SSIM": ("ssim", 3),
    "moving area, dB": ("moving_psnr", 2),
    "gradient": ("gradient_ratio", 2),
    "motion": ("motion_ratio", 2),
}
BASELINES = ("straight", "copy", "linear", "flow", "flow-fine")
STEPS = 16
"""Frames that are predicted to see how fast it goes."""
LONG = 64
"""Frames of a long rollout."""
Figures = dict[str, Any]


# -- what is measured beside the evaluations ---------------------------------------------------------


def measure() -> Figures:
    """Read what was measured; measure what is missing where its run is here."""
    found = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    digits, real = VIDEO.runs / "digits-0", VIDEO.runs / "real-0"
    if "long" not in found and (digits / "evaluation.json").exists():
        found["long"] = long_rollout(str(digits))
    if "speed" not in found and (real / "model.json").exists():
        found["speed"] = speed(Predictor.load(real))
    MEASURED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def long_rollout(run: str) -> Figures:
    """Every figure at every step of a rollout of moving digits, far beyond those trained on."""
    trained = gantools.load(run)
    config = dataclasses.replace(trained.application.config, horizon=LONG, samples=200)
    return VideoApplication(config).judged(trained.game)


def speed(model: Predictor) -> Figures:
    """Frames a second at the size of training: of one film, and of many at once; the best of three."""
    found = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for films in (1, 32):
            past = torch.rand(films, model.past, model.channels, model.size, model.size)
            took = []
            for _ in range(4):  # the first loads whatever is loaded
                begin = time.perf_counter()
                model(past, STEPS)
                took.append(time.perf_counter() - begin)
            found[f"{films} at once, {threads} threads"] = films * STEPS / min(took[1:])
    return found


# -- tables ------------------------------------------------------------------------------------------


def cells(rows: Sequence[Figures], name: str, step: int) -> str:
    """The figures of all seeds at a step, and the extremes of both ratios over all steps."""
    said = [
        spread([row[name][figure][step - 1] for row in rows], digits)
        for figure, digits in FIGURES.values()
    ]
    for figure in ("gradient_ratio", "motion_ratio"):
        all_ = [value for row in rows for value in row[name][figure]]
        said.append(f"{min(all_):.2f} – {max(all_):.2f}")
    return " | ".join(said)


def beside(found: Figures) -> list[str]:
    """Who was judged."""
    return ["ours", *(name for name in BASELINES if name in found)]


HEAD = [*FIGURES, "gradient, all steps", "motion, all steps"]


def head(*first: str) -> list[str]:
    names = [*first, *HEAD]
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def table(experiments: Sequence[Experiment], saved: dict[str, list[Figures]]) -> list[str]:
    """Ours beside the baselines at the first and the last step, on later parts and left-out clips."""
    lines = head("", "", "seeds", "step")
    for experiment in experiments:
        rows = saved.get(experiment.name)
        if not rows:
            continue
        parts = {experiment.what: rows}
        if "left_out" in rows[0]:
            parts[f"{experiment.what}, the clip left out"] = [row["left_out"] for row in rows]
        for what, found in parts.items():
            for step in (1, found[0]["steps"]):
                for name in beside(found[0]):
                    seeds = str(len(found)) if name == "ours" else ""
                    said = cells(found[: None if name == "ours" else 1], name, step)
                    lines.append(f"| {what} | {name} | {seeds} | t+{step} | {said} |")
    return lines


def ablation(saved: dict[str, list[Figures]]) -> list[str]:
    """A row for each at the first and the last step."""
    lines = head("", "seeds", "step")
    for experiment in ABLATION:
        if rows := saved.get(experiment.name):
            for step in (1, rows[0]["steps"]):
                said = cells(rows, "ours", step)
                lines.append(f"| {experiment.what} | {len(rows)} | t+{step} | {said} |")
    return lines


def long_table(found: Figures) -> list[str]:
    """Ours beside the baselines after 8, 16, 32 and 64 steps."""
    lines = head("", "step")
    for name in beside(found):
        for step in (8, 16, 32, 64):
            lines.append(f"| {name} | t+{step} | {cells([found], name, step)} |")
    return lines


def speed_table(found: Figures) -> list[str]:
    return [
        "| films | frames a second |",
        "|---|---|",
        *(f"| {name} | {rate:.0f} |" for name, rate in found.items()),
    ]


def main() -> None:
    os.chdir(ROOT)
    saved = VIDEO.collect([*MAIN, *(e for e in ABLATION if e.name != "real")])
    measured = measure()
    VIDEO.write(
        {
            "main": table(MAIN, saved),
            "ablation": ablation(saved),
            "long": long_table(measured["long"]) if "long" in measured else [],
            "speed": speed_table(measured["speed"]) if "speed" in measured else [],
        }
    )


if __name__ == "__main__":
    main()
