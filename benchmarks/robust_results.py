"""The tables of docs/results/robust.md: trains what is missing, then writes the page.

Every run is an ordinary ``gantools run robust`` in ``runs/results/robust/<name>-<seed>``, one at a
time; finished ones are kept, interrupted ones resumed.

    python benchmarks/robust_results.py [--only NAME …] [--write-only]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "results" / "robust"
PAGE = ROOT / "docs" / "results" / "robust.md"
FIGURES = ROOT / "docs" / "results" / "robust.json"


@dataclass(frozen=True)
class Experiment:
    """A set of options and the seeds that it is run with."""

    name: str
    what: str
    options: dict[str, object]
    seeds: int = 1


EXPERIMENTS = [
    Experiment("none", "nobody (`--attack none`)", {"attack": "none"}, 3),
    Experiment("pgd", "PGD, the default", {}, 3),
    Experiment("fgsm", "FGSM (`--attack fgsm`)", {"attack": "fgsm"}),
    Experiment("trades", "PGD, TRADES (`--loss trades`)", {"loss": "trades"}),
]


def train(experiment: Experiment, seed: int) -> None:
    """Run, or resume, one training to its end and its evaluation."""
    run = RUNS / f"{experiment.name}-{seed}"
    if (run / "config.yaml").exists():
        config = yaml.safe_load((run / "config.yaml").read_text())
        if differs := [n for n, value in experiment.options.items() if config[n] != value]:
            raise SystemExit(f"{run} was made with another {', '.join(differs)}: move it away")
    if (run / "evaluation.json").exists():
        return
    command = [sys.executable, "-m", "gantools.cli.main"]
    if (run / "manifest.json").exists():
        command += ["resume", str(run), "--quiet"]
    else:
        options = [
            str(x) for name, value in experiment.options.items() for x in (f"--{name}", value)
        ]
        command += ["run", "robust", *options, "--seed", str(seed), "--out", str(run), "--quiet"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    print(experiment.name, seed, "done" if done.returncode == 0 else done.stderr, flush=True)


def figures(experiment: Experiment) -> list[dict]:
    """The evaluations of an experiment's finished seeds, with which gantools made them."""
    found = []
    for seed in range(experiment.seeds):
        run = RUNS / f"{experiment.name}-{seed}"
        if (run / "evaluation.json").exists():
            evaluation = json.loads((run / "evaluation.json").read_text())
            commit = json.loads((run / "manifest.json").read_text())["commit"]
            found.append({**evaluation, "commit": commit})
    return found


def percent(rows: list[dict], *path: str) -> str:
    """A figure of every seed, in per cent."""
    values = []
    for row in rows:
        value: object = row
        for name in path:
            value = value[name]
        values.append(f"{100 * value:.1f}")
    return ", ".join(values)


def accuracies(saved: dict[str, list[dict]]) -> list[list[str]]:
    """Accuracy of every seed by who attacked in training."""
    kinds = ("clean", "noise", "fgsm", "pgd")
    table = [["attacker in training", *kinds, "seconds"]]
    for experiment in EXPERIMENTS:
        if rows := saved.get(experiment.name):
            cells = [percent(rows, f"{kind}_accuracy") for kind in kinds]
            seconds = ", ".join(f"{row['train_seconds']:.0f}" for row in rows)
            table.append([experiment.what, *cells, seconds])
    return table


def target(saved: dict[str, list[dict]]) -> list[list[str]]:
    """What the game gains and costs, seed by seed."""
    table = [["seed", "gained under PGD, points", "lost on clean digits, points", "target"]]
    for game, plain in zip(saved.get("pgd", []), saved.get("none", []), strict=False):
        gained = 100 * (game["pgd_accuracy"] - plain["pgd_accuracy"])
        lost = 100 * (plain["clean_accuracy"] - game["clean_accuracy"])
        reached = "reached" if gained >= 30 and lost <= 2 else "missed"
        table.append([str(game["seed"]), f"{gained:.1f}", f"{lost:.1f}", reached])
    return table


def by_epsilon(saved: dict[str, list[dict]]) -> list[list[str]]:
    """Accuracy of seed 0 under PGD by how far it may go."""
    first = {e.what: saved[e.name][0]["by_epsilon"] for e in EXPERIMENTS if saved.get(e.name)}
    table = [["attacker in training", *(f"ε = {x}" for x in next(iter(first.values())))]]
    return table + [
        [what, *(f"{100 * x:.1f}" for x in row.values())] for what, row in first.items()
    ]


def checks(saved: dict[str, list[dict]]) -> list[list[str]]:
    """What must hold if the accuracies are to be believed."""
    table = [["attacker in training", "ε = 1", "FGSM", "PGD, one start", "transfer", "mean loss after 0, 1, 5, 10, 20, 40 steps, seed 0"]]  # fmt: skip
    for experiment in EXPERIMENTS:
        if rows := saved.get(experiment.name):
            losses = rows[0]["checks"]["loss_by_steps"].values()
            table.append(
                [
                    experiment.what,
                    percent(rows, "checks", "boundless_accuracy"),
                    percent(rows, "fgsm_accuracy"),
                    percent(rows, "checks", "one_start_accuracy"),
                    percent(rows, "checks", "transfer_accuracy"),
                    ", ".join(f"{loss:.2f}" for loss in losses),
                ]
            )
    return table


TABLES = {"target": target, "accuracies": accuracies, "by epsilon": by_epsilon, "checks": checks}


def write(saved: dict[str, list[dict]]) -> None:
    """Write the tables between the page's markers; what is around them is written by hand."""
    text = PAGE.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        head, *rows = make(saved)
        lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + "\n".join(lines) + "\n" + end + after
        print("\n".join(lines), end="\n\n")
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", help="names of experiments; all if left out")
    parser.add_argument("--write-only", action="store_true", help="train nothing")
    asked = parser.parse_args()
    experiments = [e for e in EXPERIMENTS if not asked.only or e.name in asked.only]
    if not asked.write_only:
        for experiment in experiments:
            for seed in range(experiment.seeds):
                train(experiment, seed)
    saved = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    saved |= {e.name: rows for e in experiments if (rows := figures(e))}
    FIGURES.write_text(json.dumps(saved, indent=1) + "\n")
    write(saved)


if __name__ == "__main__":
    main()
