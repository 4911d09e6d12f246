"""GAIL's speed on Hopper beside PyPI's ``imitation``, in turn, each in its own environment.

Both train with 16 environments and one torch thread on the same demonstrations. Of ``imitation``
three settings are timed: its documentation's example, its shipped tuned Hopper settings, and ours
(the same rollout, epochs, minibatch, and discriminator moves), for equal learning per step; and
its documentation's example once more with as many threads as torch takes by itself.

    python benchmarks/gail_speed/compare.py [--rounds 3] [--steps 49152] [--demos FILE.npz]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
THEIRS = ROOT / ".venv-imitation" / "bin" / "python"
BUILT_IN = ROOT / "plugins/gantools-gail/gantools_gail/demonstrations/Hopper-v5.npz"
PAPER = ROOT.parent / "shared/data/experts/Hopper-v5.npz"


def ours(steps: int, demos: Path, *options: str) -> float:
    """Environment steps a second of ``gantools run gail``, its short evaluations left out."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "gantools.cli.main", "run", "gail", "--env", "Hopper"]
        command += ["--demos", str(demos), "--steps", str(steps), "--out", f"{folder}/run"]
        command += ["--evaluate-every", "0", "--episodes", "1", "--json", "--quiet", *options]
        return json.loads(_output(command))["env_steps_per_second"]


def theirs(steps: int, demos: Path, config: str, threads: int = 1) -> float:
    """Environment steps a second of ``imitation`` with one of its settings."""
    command = [str(THEIRS), str(HERE / "imitation_side.py"), "--envs", "16", "--demos", str(demos)]
    command += ["--steps", str(steps), "--config", config, "--threads", str(threads)]
    return json.loads(_output(command).strip().splitlines()[-1])["env_steps_per_second"]


def _output(command: list[str]) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # --threads has the last word
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=49_152)
    parser.add_argument("--demos", type=Path, default=PAPER if PAPER.exists() else BUILT_IN)
    asked = parser.parse_args()
    if not THEIRS.exists():
        sys.exit("imitation's environment is missing: make .venv-imitation/.ready")
    configs = ("docs", "tuned", "matched")
    cores = os.cpu_count() or 1
    default = f"docs, torch's default of {cores} threads,"
    rates: dict[str, list[float]] = {name: [] for name in ("gantools", *configs, default)}
    for _ in range(asked.rounds):
        rates["gantools"].append(ours(2 * asked.steps, asked.demos))
        for config in configs:
            rates[config].append(theirs(asked.steps, asked.demos, config))
        rates[default].append(theirs(asked.steps, asked.demos, "docs", threads=cores))
    print("| | env steps/s, median (min–max) | gantools is … times as fast |")
    print("|---|---|---|")
    mine = rates["gantools"]
    for name, values in rates.items():
        ratios = [a / b for a, b in zip(mine, values, strict=True)]
        who = name if name == "gantools" else f"imitation, {name} settings"
        middle, low, high = statistics.median(values), min(values), max(values)
        print(f"| {who} | {middle:.0f} ({low:.0f}–{high:.0f}) | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
