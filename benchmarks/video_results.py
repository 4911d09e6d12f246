"""The tables of docs/results/video.md: trains what is missing, measures, then writes the page.

python benchmarks/video_results.py [--only NAME …] [--jobs 2] [--write-only]

The real clips lie in ../shared/data/video. What is measured beside a run's evaluation (long rollouts,
speed) is kept in docs/results/video-measured.json, and measured again of other models; remove an
entry to measure it again.
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from gantools_video.application import VideoApplication
from gantools_video.metrics import rollout_figures
from gantools_video.networks import network
from gantools_video.predictor import Predictor
from gantools_video.tracking import tracks
from results import ROOT, Experiment, Measures, Results, spread
from torch import Tensor

import gantools

VIDEO = Results("video", "video")
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
PENDULUM = {"data": "env:Pendulum-v1", "size": 32, "steps": 400}
ONE = {**REAL, "rollout": 1}
MAIN = [
    Experiment("real", "real clips", REAL, 3, "main"),
    Experiment("digits", "moving digits", DIGITS, 3, "main"),
    Experiment("pendulum", "a pendulum that is pushed", PENDULUM, 1, "main"),
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
BASELINES = ("wrong_actions", "straight", "copy", "linear", "flow", "flow-fine")
FILMS = 1, 32
"""At once, to see how fast it goes."""
STEPS = 16
"""Frames that are predicted to see how fast it goes."""
LONG = 64
"""Frames of a long rollout."""
Figures = dict[str, Any]


# -- what is measured beside the evaluations ---------------------------------------------------------


def long_rollout(run: Path) -> Figures:
    """Every figure at every step of a rollout of moving digits, far beyond those trained on."""
    trained = gantools.load(run)
    config = dataclasses.replace(trained.application.config, horizon=LONG, samples=200)
    return VideoApplication(config).judged(trained.game)


def digits(run: Path) -> Figures:
    """Of the digits' test: the figures of the films' own rule, PSNR of the mean squared error of all
    windows at every step, and what part of them sprites explain up to some decibels."""
    trained = gantools.load(run)
    application = trained.application
    past, future, _ = application.tested(application.config.samples)
    net = network(**application.asked)
    net.dynamics = Rule()
    by_rule = Predictor(application.asked | {"size": application.config.size}, net)
    films = {
        "ours": application.model(trained.game)(past, future.shape[1]),
        "straight": application.straight()(past, future.shape[1]),
        "rule": by_rule(past, future.shape[1]),
    }
    errors = {name: (film - future).square().mean((0, 2, 3, 4)) for name, film in films.items()}
    batches = (2 * past - 1).split(100)
    left = torch.cat([tracks(x, application.config.layers).error for x in batches]) / 4
    return {
        "rule": rollout_figures(past, future, films["rule"]),
        "pooled_psnr": {name: (-10 * e.log10()).tolist() for name, e in errors.items()},
        "explained": {str(db): (left < 10 ** (-db / 10)).float().mean().item() for db in (80, 40)},
    }


class Rule(torch.nn.Module):
    """In the place of the learned dynamics the rule by which the films are made: even speed, and a
    digit that would leave stays at the side and turns. Start and speed are those that are nearest
    to the last places by least squares, of a grid."""

    def forward(
        self, places: Tensor, extent: Tensor, size: tuple[int, ...], action: Tensor | None = None
    ) -> Tensor:
        side = (size[0] - 28) / 2
        speed = torch.linspace(-0.1, 0.1, 73) * 2 * side
        x = places[:, 0, :, None, None] + torch.linspace(-1, 1, 9)[:, None] + 0 * speed
        v, error = speed.expand_as(x), torch.zeros_like(x)
        for true in places[:, 1:].unbind(1):
            x, v = self.step(x, v, side)
            error = error + (x - true[..., None, None]).square()
        best = error.flatten(2).argmin(2, keepdim=True)
        x, v = (y.flatten(2).gather(2, best)[..., 0] for y in (x, v))
        return self.step(x, v, side)[0] - places[:, -1]

    def step(self, x: Tensor, v: Tensor, side: float) -> tuple[Tensor, Tensor]:
        x = x + v
        return x.clamp(-side, side), torch.where(x.abs() > side, -v, v)


def speed(run: Path) -> Figures:
    """Frames a second at the size of training: of one film, and of many at once; the best of three."""
    application = gantools.load(run).application
    model, found = Predictor.load(run), {}
    past, _, _ = application.tested(max(FILMS))
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for films in FILMS:
            took = []
            for _ in range(4):  # the first loads whatever is loaded
                begin = time.perf_counter()
                model(past[:films], STEPS)
                took.append(time.perf_counter() - begin)
            found[f"{films} at once, {threads} threads"] = films * STEPS / min(took[1:])
    return found


ASKED_OF_RUNS: Measures = {
    "long": (["digits-0"], long_rollout),
    "digits": (["digits-0"], digits),
    "speed of warp, real clips": (["real-0"], speed),
    "speed of sprites, moving digits": (["digits-0"], speed),
}


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


def digits_table(found: Figures, saved: list[Figures]) -> list[str]:
    """What is found, what is learned, and the films' own rule, at the first and the last step."""
    rows = {"ours": saved[0]["ours"], "straight": saved[0]["straight"], "rule": found["rule"]}
    lines = [
        "| | step | PSNR, dB | SSIM | of the mean squared error, dB |",
        "|---|---|---|---|---|",
    ]
    for step in (1, saved[0]["steps"]):
        for name, of in rows.items():
            pooled = found["pooled_psnr"][name][step - 1]
            psnr, ssim = of["psnr"][step - 1], of["ssim"][step - 1]
            lines.append(f"| {name} | t+{step} | {psnr:.2f} | {ssim:.3f} | {pooled:.2f} |")
    return lines


def speed_table(measured: Figures) -> list[str]:
    lines = ["| | films | frames a second |", "|---|---|---|"]
    for name, found in measured.items():
        if name.startswith("speed of "):
            what = name.removeprefix("speed of ")
            lines += [f"| {what} | {films} | {rate:.0f} |" for films, rate in found.items()]
    return lines


def main() -> None:
    os.chdir(ROOT)
    saved = VIDEO.collect([*MAIN, *(e for e in ABLATION if e.name != "real")])
    measured = VIDEO.measured(ASKED_OF_RUNS)
    VIDEO.write(
        {
            "main": table(MAIN, saved),
            "ablation": ablation(saved),
            "long": long_table(measured["long"]) if "long" in measured else [],
            "digits": digits_table(measured["digits"], saved["digits"])
            if "digits" in measured
            else [],
            "speed": speed_table(measured),
        }
    )


if __name__ == "__main__":
    main()
