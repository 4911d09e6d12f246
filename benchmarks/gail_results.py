"""The table of docs/results/gail.md: trains what is missing, then writes the page.

What needs ``../shared/data/experts`` is left out where that folder is missing.

    python benchmarks/gail_results.py [--only NAME …] [--jobs 2] [--write-only]
"""

from __future__ import annotations

import statistics
from pathlib import Path

from results import ROOT, Experiment, Results

GAIL = Results("gail", "gail")
PAPER = Path("..") / "shared" / "data" / "experts"


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


def main() -> None:
    experiments = MAIN + CONTROLS + VARIANTS
    if not (ROOT / PAPER).is_dir():
        experiments = [e for e in experiments if "demos" not in e.options]
    saved = GAIL.collect(experiments)
    tables = {"main": MAIN, "control": CONTROLS, "variant": VARIANTS}
    GAIL.write(
        {
            table: [HEAD, *(line(e, saved[e.name]) for e in members if saved.get(e.name))]
            for table, members in tables.items()
        }
    )


if __name__ == "__main__":
    main()
