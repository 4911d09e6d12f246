"""The tables of docs/results/robust.md: trains what is missing, then writes the page.

python benchmarks/robust_results.py [--only NAME …] [--jobs 1] [--write-only]
"""

from __future__ import annotations

from results import Experiment, Results

ROBUST = Results("robust", "robust")
EXPERIMENTS = [
    Experiment("none", "nobody (`--attack none`)", {"attack": "none"}),
    Experiment("pgd", "PGD, the default"),
    Experiment("fgsm", "FGSM (`--attack fgsm`)", {"attack": "fgsm"}, 1),
    Experiment("trades", "PGD, TRADES (`--loss trades`)", {"loss": "trades"}, 1),
]


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


def main() -> None:
    saved = ROBUST.collect(EXPERIMENTS, jobs=1)
    tables = {}
    for name, make in TABLES.items():
        head, *rows = make(saved)
        lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
        tables[name] = lines
    ROBUST.write(tables)


if __name__ == "__main__":
    main()
