"""The tables of docs/results/text2image.md: trains what is missing, then writes the page.

python benchmarks/text2image_results.py [--only NAME …] [--jobs 2] [--write-only]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from results import Experiment, Results, spread

T2I = Results("text2image", "text2image")
FAST = {"threads": 1, "precision": "bf16-mixed"}
"""One core a run; half the bits take 0.57 of the time where a CPU multiplies them itself."""
RATES = {"lr": 5e-4, "discriminator_lr": 5e-4, "beta2": 0.99}
BUDGET = {**FAST, **RATES, "steps": 500, "evaluate_every": 0, "ema": 0.98}
"""Of the ablation: about seven minutes of one core a run."""
OWN = {**BUDGET, "game": "df-gan", "lr": 1e-4, "discriminator_lr": 4e-4, "beta2": 0.9}
LONG = {**FAST, "steps": 6_000, "evaluate_every": 500, "ema": 0.998}
"""Of the model that ships with the plugin."""

ABLATION = [
    Experiment("gan-cls", "GAN-CLS", {**BUDGET, "game": "gan-cls"}, 3, "ablation"),
    Experiment("gan-int", "+ INT", {**BUDGET, "game": "gan-int"}, 3, "ablation"),
    Experiment(
        "df-gan-plain", "DF-GAN", {**BUDGET, "game": "df-gan", "penalty": "none"}, 3, "ablation"
    ),
    Experiment("df-gan", "+ MA-GP", {**BUDGET, "game": "df-gan"}, 3, "ablation"),
    Experiment("contrastive", "+ contrastive", {**BUDGET, "game": "contrastive"}, 3, "ablation"),
    Experiment(
        "df-gan-own-plain", "DF-GAN at its own rates", {**OWN, "penalty": "none"}, 3, "ablation"
    ),
    Experiment("df-gan-own", "+ MA-GP at these", OWN, 3, "ablation"),
    Experiment("stack", "StackGAN", {**BUDGET, "game": "stack"}, 3, "ablation"),
]
MAIN = [
    Experiment("default", "default", {}, 1, "main"),
    Experiment("long", "long", LONG, 1, "main"),
    Experiment(
        "near", "near: long, then near captions", {**LONG, "steps": 7_500, "near": 0.5}, 1, "main"
    ),
]

FIGURES = {
    "R-precision, seen": "r_precision",
    "held out": "heldout_r_precision",
    "unlike any seen": "unrelated_r_precision",
    "shuffled": "r_precision_shuffled",
    "skin tone": "skin_tone_accuracy",
    "diversity": "diversity_ratio",
    "of pixels": "pixel_diversity_ratio",
    "Fréchet": "frechet",
    "coverage": "coverage",
}


def cell(rows: Sequence[dict[str, Any]], name: str) -> str:
    """A figure of all seeds, and in brackets what real pictures have."""
    said = spread([row[name] for row in rows if row.get(name) is not None])
    ceiling = rows[0].get(f"{name}_real", rows[0].get(f"{name}_floor"))
    return said if ceiling is None else f"{said} ({ceiling:.2f})"


def table(experiments: Sequence[Experiment], saved: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A row for each experiment that has figures."""
    lines = [
        f"| game | seeds | {' | '.join(FIGURES)} |",
        "|---|---|" + "---|" * len(FIGURES),
    ]
    for experiment in experiments:
        if rows := saved.get(experiment.name):
            cells = [cell(rows, name) for name in FIGURES.values()]
            lines.append(f"| {experiment.what} | {len(rows)} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    saved = T2I.collect([*MAIN, *ABLATION])
    T2I.write({"main": table(MAIN, saved), "ablation": table(ABLATION, saved)})


if __name__ == "__main__":
    main()
