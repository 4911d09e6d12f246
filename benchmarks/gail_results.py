"""The table of docs/results/gail.md: trains what is missing, then writes the page.

Every run is an ordinary ``gantools run gail`` in ``runs/results/gail/<name>-<seed>``; finished ones
are kept, interrupted ones resumed. What needs ``../shared/data/experts`` is left out where that
folder is missing.

    python benchmarks/gail_results.py [--only NAME …] [--jobs 2] [--write-only]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "results" / "gail"
PAGE = ROOT / "docs" / "results" / "gail.md"
FIGURES = ROOT / "docs" / "results" / "gail.json"
PAPER = Path("..") / "shared" / "data" / "experts"


@dataclass(frozen=True)
class Experiment:
    """One row: a set of options and the seeds that it is run with."""

    name: str
    what: str
    options: dict[str, object]
    seeds: int = 3
    table: str = "main"
    goal: str = ""

    def command(self, seed: int) -> list[str]:
        options = [str(x) for name, value in self.options.items() for x in (f"--{name}", value)]
        return ["gantools", "run", "gail", *options, "--seed", str(seed)]


def paper(env: str) -> dict[str, object]:
    return {"env": env, "demos": PAPER / f"{env}-v5.npz"}


AIRL = {"reward": "airl"}
HALF = {**paper("Hopper"), "steps": 500_000}
CARTPOLE = {"env": "CartPole", "steps": 200_000}
ACROBOT = {"env": "Acrobot", "steps": 200_000}
MOUNTAINCAR = {"env": "MountainCar", "steps": 400_000}
MAIN = [
    Experiment("hopper-paper", "Hopper, the paper's expert", paper("Hopper"), 5, "main", "≥ .95"),
    Experiment(
        "halfcheetah-paper",
        "HalfCheetah, the paper's expert, reward airl",
        {**paper("HalfCheetah"), **AIRL},
        3,
        "main",
        "≥ .95",
    ),
    Experiment("walker2d", "Walker2d, own expert", {"env": "Walker2d"}, 3, "main", "≥ .90"),
    Experiment("hopper", "Hopper, own expert (`make run`)", {"env": "Hopper"}, 1, "main", "≥ .95"),
    Experiment("cartpole", "CartPole, own expert", CARTPOLE, 3, "main", "≥ .95"),
    Experiment("acrobot", "Acrobot, own expert", ACROBOT, 3, "main", "≥ .95"),
    Experiment("mountaincar", "MountainCar, own expert", MOUNTAINCAR, 5, "main", "≥ .95"),
]
CONSTANT, SHUFFLED = {"control": "constant-reward"}, {"control": "shuffled-expert"}
CONTROLS = [
    Experiment(
        "constant", "Hopper, constant reward, no expert", {**HALF, **CONSTANT}, 2, "control"
    ),
    Experiment("shuffled", "Hopper, expert's actions shuffled", {**HALF, **SHUFFLED}, 2, "control"),
]
VARIANTS = [
    Experiment("airl-hopper", "Hopper, airl", {**paper("Hopper"), **AIRL}, 2, "variant"),
    Experiment("airl-walker2d", "Walker2d, airl", {"env": "Walker2d", **AIRL}, 1, "variant"),
    Experiment("airl-cartpole", "CartPole, airl", {**CARTPOLE, **AIRL}, 1, "variant"),
    Experiment("airl-acrobot", "Acrobot, airl", {**ACROBOT, **AIRL}, 1, "variant"),
    Experiment("airl-mountaincar", "MountainCar, airl", {**MOUNTAINCAR, **AIRL}, 2, "variant"),
    Experiment(
        "halfcheetah-default",
        "HalfCheetah, −log(1−D)",
        {**paper("HalfCheetah"), "steps": 500_000},
        2,
        "variant",
    ),
    Experiment(
        "spectral", "Hopper, spectral norm", {**HALF, "constraint": "spectral-norm"}, 1, "variant"
    ),
    Experiment(
        "vail", "Hopper, bottleneck (VAIL)", {**HALF, "constraint": "bottleneck"}, 1, "variant"
    ),
    Experiment("trpo", "Hopper, TRPO", {**HALF, "algorithm": "trpo"}, 1, "variant"),
]


def train(experiment: Experiment, seed: int) -> None:
    """Run, or resume, one training to its end and its evaluation."""
    run = RUNS / f"{experiment.name}-{seed}"
    if (run / "config.yaml").exists():
        config = yaml.safe_load((run / "config.yaml").read_text())
        asked = {name.replace("-", "_"): value for name, value in experiment.options.items()}
        if differs := [n for n in asked if str(config[n]) != str(asked[n])]:
            raise SystemExit(f"{run} was made with another {', '.join(differs)}: move it away")
    if (run / "evaluation.json").exists():
        return
    program = [sys.executable, "-m", "gantools.cli.main"]
    if (run / "manifest.json").exists():
        command = [*program, "resume", str(run), "--quiet"]
    else:
        command = [*program, *experiment.command(seed)[1:], "--out", str(run), "--quiet"]
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


def mean(rows: list[dict], name: str) -> float:
    return statistics.fmean(row[name] for row in rows)


def line(experiment: Experiment, rows: list[dict]) -> str:
    fractions = ", ".join(f"{row['fraction_of_expert']:.3f}" for row in rows)
    returns = f"{mean(rows, 'return_mean'):.0f} ± {mean(rows, 'return_std'):.0f}"
    clone = statistics.fmean(row["baselines"]["behaviour_cloning"] for row in rows)
    chance = statistics.fmean(row["baselines"]["random"] for row in rows)
    cells = [
        experiment.what,
        f"{mean(rows, 'expert_return_mean'):.0f}",
        returns,
        fractions,
        experiment.goal,
        f"{clone:.0f}",
        f"{chance:.0f}",
        f"{mean(rows, 'env_steps') / 1000:.0f}k",
        f"{mean(rows, 'train_seconds'):.0f}",
    ]
    return "| " + " | ".join(cells) + " |"


HEAD = """| what | expert | return, mean ± std over episodes | fraction of expert, a seed each | goal | behaviour cloning | random | steps | seconds |
|---|---|---|---|---|---|---|---|---|"""


def write(saved: dict[str, list[dict]]) -> None:
    """Write the tables between the page's markers; what is around them is written by hand."""
    text = PAGE.read_text(encoding="utf-8")
    for table, experiments in (("main", MAIN), ("control", CONTROLS), ("variant", VARIANTS)):
        lines = [line(e, saved[e.name]) for e in experiments if saved.get(e.name)]
        begin, end = f"<!-- {table} -->\n", f"<!-- end {table} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = before + begin + "\n".join([HEAD, *lines]) + "\n" + end + after
    PAGE.write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="*", help="names of experiments; all if left out")
    parser.add_argument("--jobs", type=int, default=2, help="trainings at a time")
    parser.add_argument("--write-only", action="store_true", help="train nothing")
    asked = parser.parse_args()
    experiments = [e for e in MAIN + CONTROLS + VARIANTS if not asked.only or e.name in asked.only]
    if not (ROOT / PAPER).is_dir():
        experiments = [e for e in experiments if "demos" not in e.options]
    if not asked.write_only:
        most = max(e.seeds for e in experiments)
        jobs = [(e, seed) for seed in range(most) for e in experiments if seed < e.seeds]
        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(lambda job: train(*job), jobs))
    saved = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    saved |= {e.name: rows for e in experiments if (rows := figures(e))}
    FIGURES.write_text(json.dumps(saved, indent=1) + "\n")
    write(saved)


if __name__ == "__main__":
    main()
