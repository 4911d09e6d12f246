"""The tables of docs/results/stability.md: solver × penalty on small games, one budget for all.

python benchmarks/stability.py [--only NAME …] [--jobs 2] [--write-only]
"""

from __future__ import annotations

import json
import statistics
from typing import Any

from results import Experiment, Results

STABILITY = Results("game", "stability")
SOLVERS = (
    "simultaneous",
    "alternating",
    "extragradient",
    "optimistic",
    "consensus",
    "nagarajan-kolter",
    "lookahead",
)
QUIET = {"log-every": 200, "checkpoint-every": 100_000, "evaluate-every": 0}

DIRAC: dict[str, dict[str, Any]] = {
    "none": {},
    "r1:1": {"penalty": "r1:1"},
    "r1:10": {"penalty": "r1:10"},
    "roth:1": {"penalty": "roth:1"},
    "wgan-gp:1": {"objective": "wasserstein", "penalty": "wgan-gp:1"},
    "qp:1": {"objective": "wasserstein", "penalty": "qp:1"},
    "weight-clip:.1": {"objective": "wasserstein", "constraint": "weight-clip:0.1"},
    "instance noise .5": {"augment": "instance-noise:0.5,until=1000000000"},
}
SMALL = {
    "game": "gaussians-25",
    "steps": 4_000,
    "width": 64,
    "depth": 2,
    "batch": 128,
    "objective": "non-saturating",
}
POINTS: dict[str, dict[str, Any]] = {
    "none": {"penalty": "none"},
    "r1:.1": {"penalty": "r1:0.1"},
    "r1:.02+r2:.02": {"penalty": "r1:0.02+r2:0.02"},
    "wgan-gp:.1": {"penalty": "wgan-gp:0.1"},
    "spectral-norm": {"penalty": "none", "constraint": "spectral-norm"},
}


def name(*words: str) -> str:
    return "-".join(words).translate(str.maketrans(dict.fromkeys(" :+,.", "_")))


def grid(game: str, columns: dict[str, dict[str, Any]], more: dict[str, Any], seeds: int):
    """An experiment for each solver and column."""
    return {
        (solver, column): Experiment(
            name(game, solver, column),
            options={**more, **QUIET, **options, "solver": solver},
            seeds=seeds,
        )
        for solver in SOLVERS
        for column, options in columns.items()
    }


RPS = {
    solver: Experiment(name("rps", solver), options={**QUIET, "solver": solver}, seeds=1)
    for solver in SOLVERS
}
DIRACS = grid("dirac", DIRAC, {"game": "dirac-gan"}, 1)
GRID = grid("points", POINTS, SMALL, 5)
RECIPE = Experiment("recipe", options={"game": "gaussians-25"}, seeds=5)
RING = Experiment("recipe-ring", options={"game": "ring"}, seeds=2)


def distances(columns, experiments, saved) -> list[str]:
    lines = [
        "| solver | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for solver in SOLVERS:
        cells = [number(experiments[solver, c], saved) for c in columns]
        lines.append(f"| {solver} | " + " | ".join(cells) + " |")
    return lines


def number(experiment: Experiment, saved) -> str:
    """The distance at the end; a run that stopped at a number that is not finite has diverged."""
    if rows := saved.get(experiment.name):
        value = rows[0]["distance"]
        return "diverged" if value is None else f"{value:.2g}"
    manifest = STABILITY.runs / f"{experiment.name}-0" / "manifest.json"
    failed = manifest.exists() and json.loads(manifest.read_text())["status"] == "failed"
    return "diverged" if failed else "–"


def modes(saved) -> list[str]:
    lines = ["| solver | " + " | ".join(POINTS) + " |", "|---" * (len(POINTS) + 1) + "|"]
    for solver in SOLVERS:
        cells = []
        for column in POINTS:
            rows = saved.get(GRID[solver, column].name)
            if not rows:
                cells.append("–")
                continue
            found = {
                key: statistics.median(row[key] for row in rows)
                for key in ("modes", "modes_with_half_share", "high_quality", "kl")
            }
            cells.append(
                f"{found['modes']:.0f} ({found['modes_with_half_share']:.0f}) / "
                f"{found['high_quality']:.2f} / {found['kl']:.2f}"
            )
        lines.append(f"| {solver} | " + " | ".join(cells) + " |")
    return lines


def recipe(rows: list[dict]) -> list[str]:
    lines = [
        "| seed | modes | with half their share | high quality | spread | KL | energy distance × 1000 "
        "(real) | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['seed']} | {row['modes']} | {row['modes_with_half_share']} | "
            f"{row['high_quality']:.3f} | {row['spread']:.2f} | {row['kl']:.3f} | {1e3 * row['energy_distance']:.2f} "
            f"({1e3 * row['energy_distance_of_real']:.2f}) | {row['train_seconds']:.0f} |"
        )
    return lines


def controls(rows: list[dict]) -> list[str]:
    lines = [
        "| | modes | with half their share | high quality | spread | KL |",
        "|---|---|---|---|---|---|",
    ]
    for what in ("real", "normal"):
        found = rows[0][what]
        lines.append(
            f"| {what} | {found['modes']} | {found['modes_with_half_share']} | "
            f"{found['high_quality']:.3f} | {found['spread']:.2f} | {found['kl']:.3f} |"
        )
    return lines


def main() -> None:
    experiments = [*RPS.values(), *DIRACS.values(), RECIPE, RING, *GRID.values()]
    saved = STABILITY.collect(experiments)
    rps = ["| solver | distance from ⅓ | of the path's average |", "|---|---|---|"]
    for solver, experiment in RPS.items():
        if rows := saved.get(experiment.name):
            average = rows[0]["distance_of_the_path's_average"]
            rps.append(f"| {solver} | {rows[0]['distance']:.2g} | {average:.2g} |")
    tables = {
        "rps": rps,
        "dirac": distances(DIRAC, DIRACS, saved),
        "points": modes(saved),
        "recipe": recipe(saved.get("recipe", [])),
        "ring": recipe(saved.get("recipe-ring", [])),
    }
    if "recipe" in saved:
        tables["controls"] = controls(saved["recipe"])
    STABILITY.write(tables)


if __name__ == "__main__":
    main()
