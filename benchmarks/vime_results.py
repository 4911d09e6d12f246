"""The tables and curves of docs/results/vime.md: trains what is missing, then writes the page.

python benchmarks/vime_results.py [--only NAME …] [--jobs 2] [--write-only]
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Sequence

import numpy as np
from gantools_vime import bonuses
from gantools_vime.television import noise_over_novelty
from matplotlib.figure import Figure
from results import Experiment, Results

VIME = Results("vime", "vime")
TELEVISION_SEEDS = 6
BONUSES = ("vime", "none", "l2", "rnd")


def experiments(
    table: str, env: str, steps: int, seeds: int, **options: object
) -> list[Experiment]:
    """One experiment for each bonus, under the same options."""
    shared = {"env": env, "steps": steps, **options}
    return [
        Experiment(f"{table}-{bonus}", bonus, {**shared, "bonus": bonus}, seeds, table)
        for bonus in BONUSES
    ]


TABLES = {
    "mountaincar": experiments("mountaincar", "SparseMountainCar", 100_000, 10),
    "mountaincarshort": experiments("mountaincarshort", "SparseMountainCar", 25_000, 10),
    "televisioncar": experiments(
        "televisioncar", "television_car:TelevisionCar-v0", 100_000, 5, drawn="0,2"
    ),
    "swingup": experiments("swingup", "SparseCartPoleSwingup", 200_000, 5, drawn="2,4"),
    "halfcheetah": experiments("halfcheetah", "SparseHalfCheetah", 500_000, 5),
}

HEAD = """| bonus | seeds with success ≥ .95 | success rate, a seed each | return, quartiles over seeds | random | first rewarded after, thousand steps | steps/s | time over none's |
|---|---|---|---|---|---|---|---|"""


def television() -> list[str]:
    """Every bonus before the noisy television."""
    lines = ["| bonus | noise over novelty, a seed each | wanted |", "|---|---|---|"]
    for kind, wanted in (
        (bonuses.VIME, "< 1"),
        (bonuses.L2, "> 1"),
        (bonuses.RND, ""),
        (bonuses.Disagreement, ""),
    ):
        ratios = [noise_over_novelty(kind, seed) for seed in range(TELEVISION_SEEDS)]
        said = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        lines.append(f"| {kind.__name__.lower()} | {said} | {wanted} |")
    return lines


def line(experiment: Experiment, rows: list[dict], plain: list[dict]) -> str:
    """A row of a table; ``plain`` are the evaluations without a bonus."""
    rates = [row["success_rate"] for row in rows]
    low, middle, high = np.percentile([row["return_mean"] for row in rows], (25, 50, 75))
    speed, plain_speed = (
        statistics.fmean(row["env_steps_per_second"] for row in those) if those else None
        for those in (rows, plain)
    )
    cells = [
        experiment.what,
        f"{sum(rate >= 0.95 for rate in rates)} of {len(rates)}",
        ", ".join(f"{rate:.2f}" for rate in rates),
        f"{low:.2f} / {middle:.2f} / {high:.2f}",
        f"{statistics.fmean(row['baselines']['random'] for row in rows):.2f}",
        found_after(experiment),
        f"{speed:.0f}",
        f"{plain_speed / speed:.2f}" if plain_speed else "",
    ]
    return "| " + " | ".join(cells) + " |"


def training(experiment: Experiment, seed: int) -> list[tuple[float, float]]:
    """(steps, mean return of the training episodes that ended lately), row by row."""
    table = VIME.runs / f"{experiment.name}-{seed}" / "metrics.csv"
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("policy/episode_return")]
    return [(float(row["policy/steps"]), float(row["policy/episode_return"])) for row in rows]


def found_after(experiment: Experiment) -> str:
    """When a training episode was first rewarded, seeds in order of that; – is never."""
    runs = [training(experiment, seed) for seed in range(experiment.seeds)]
    first = [next((steps for steps, value in run if value > 0), np.inf) for run in runs if run]
    return ", ".join("–" if steps == np.inf else f"{steps / 1000:.0f}" for steps in sorted(first))


def curve(experiment: Experiment, points: np.ndarray) -> list[np.ndarray]:
    """The training episodes' mean return of each seed, at ``points`` steps."""
    runs = [training(experiment, seed) for seed in range(experiment.seeds)]
    return [np.interp(points, *zip(*run, strict=True)) for run in runs if run]


def draw(table: str, members: Sequence[Experiment]) -> None:
    """Learning curves: medians over seeds, and between quartiles."""
    points = np.linspace(0, members[0].options["steps"], 100)
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    ax = figure.subplots()
    for experiment in members:
        if curves := curve(experiment, points):
            low, middle, high = np.percentile(curves, (25, 50, 75), axis=0)
            ax.plot(points, middle, label=f"{experiment.what} ({len(curves)} seeds)")
            ax.fill_between(points, low, high, alpha=0.2)
    ax.set(xlabel="environment steps", ylabel="return of training episodes")
    ax.legend()
    figure.savefig(VIME.page.with_name(f"vime-{table}.png"), dpi=110)


def main() -> None:
    saved = VIME.collect([e for members in TABLES.values() for e in members])
    tables = {}
    for table, members in TABLES.items():
        plain = saved.get(f"{table}-none", [])
        rows = [line(e, saved[e.name], plain) for e in members if saved.get(e.name)]
        tables[table] = [HEAD, *rows]
        if any((VIME.runs / f"{e.name}-0").exists() for e in members):
            draw(table, members)
    VIME.write({**tables, "television": television()})


if __name__ == "__main__":
    main()
