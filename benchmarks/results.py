"""What the pages of results share: experiments, trained where that is missing, and their tables.

Every run is an ordinary ``gantools run APP`` in ``runs/results/<page>/<name>-<seed>``; finished
ones are kept, interrupted ones resumed. A page is written by hand but for what is between
``<!-- TABLE -->`` and ``<!-- end TABLE -->``; the figures stand beside it as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml

import gantools

Measures = Mapping[str, tuple[Sequence[str], Callable[..., Any]]]
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Experiment:
    """A set of options and the seeds that it is run with, from 0."""

    name: str
    what: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    seeds: int = 3
    table: str = "main"
    goal: str = ""


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The values of a few seeds: the one, or the least and the greatest about their mean."""
    if not values:
        return "–"
    mean = sum(values) / len(values)
    said = f"{mean:.{digits}f}"
    return (
        said if len(values) == 1 else f"{said} [{min(values):.{digits}f}, {max(values):.{digits}f}]"
    )


def _alike(one: Any, other: Any) -> bool:
    """Whether two values of an option are the same; a folder may be said in several ways."""
    return str(one) == str(other) or Path(str(one)).resolve() == Path(str(other)).resolve()


class Results:
    """The results of one page.

    Args:
        application: what ``gantools run`` runs.
        page: of docs/results, and the folder of the runs.
    """

    def __init__(self, application: str, page: str) -> None:
        self.application = application
        self.runs = ROOT / "runs" / "results" / page
        self.page = ROOT / "docs" / "results" / f"{page}.md"
        self.file = self.page.with_suffix(".json")

    def train(self, experiment: Experiment, seed: int) -> None:
        """Run, or resume, one training to its end and its evaluation."""
        run = self.runs / f"{experiment.name}-{seed}"
        if (run / "config.yaml").exists():
            config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
            asked = {name.replace("-", "_"): value for name, value in experiment.options.items()}
            if differs := [n for n in asked if not _alike(config[n], asked[n])]:
                raise SystemExit(f"{run} was made with another {', '.join(differs)}: move it away")
        if (run / "evaluation.json").exists():
            return
        try:
            if (run / "manifest.json").exists():
                gantools.resume(run, progress=False)
            else:
                options = {name.replace("-", "_"): v for name, v in experiment.options.items()}
                gantools.run(self.application, out=run, progress=False, seed=seed, **options)
        except gantools.UserError as error:
            print(experiment.name, seed, error, flush=True)
        else:
            print(experiment.name, seed, "done", flush=True)

    def found(self, experiment: Experiment) -> list[dict[str, Any]]:
        """The evaluations of an experiment's finished seeds, with which gantools made them."""
        found = []
        for seed in range(experiment.seeds):
            run = self.runs / f"{experiment.name}-{seed}"
            if (run / "evaluation.json").exists():
                evaluation = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
                manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
                found.append({**evaluation, "commit": manifest["commit"]})
        return found

    def collect(
        self, experiments: Sequence[Experiment], jobs: int = 2
    ) -> dict[str, list[dict[str, Any]]]:
        """Train what the command line asks for and is missing; return all figures there are.

        The command line: ``[--only NAME …] [--jobs N] [--write-only]``.
        """
        parser = argparse.ArgumentParser()
        parser.add_argument("--only", nargs="*", help="names of experiments; all if left out")
        parser.add_argument("--jobs", type=int, default=jobs, help="trainings at a time")
        parser.add_argument("--write-only", action="store_true", help="train nothing")
        asked = parser.parse_args()
        wanted = [e for e in experiments if not asked.only or e.name in asked.only]
        if not asked.write_only:
            most = max(e.seeds for e in wanted)
            work = [(e, seed) for seed in range(most) for e in wanted if seed < e.seeds]
            with ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
                list(pool.map(self.train, *zip(*work, strict=True)))
        saved = json.loads(self.file.read_text(encoding="utf-8")) if self.file.exists() else {}
        saved |= {e.name: rows for e in wanted if (rows := self.found(e))}
        self.file.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")
        return saved

    def measured(self, asked: Measures) -> dict[str, Any]:
        """What is measured beside the evaluations, kept in ``<page>-measured.json``.

        Args:
            asked: by name the runs that it is measured of, and what measures it, given their
                folders. It is measured where they are here and their models are others than before.
        """
        file = self.page.with_name(f"{self.page.stem}-measured.json")
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        for name, (runs, measure) in asked.items():
            folders = [self.runs / run for run in runs]
            if all((run / "evaluation.json").exists() for run in folders):
                models = [json.loads((run / "model.json").read_text("utf-8")) for run in folders]
                of = [model["sha256"] for model in models]
                if kept.get(name, {}).get("of") != of:
                    kept[name] = {"of": of, "found": measure(*folders)}
                    file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        return {name: entry["found"] for name, entry in kept.items()}

    def write(self, tables: dict[str, Sequence[str]]) -> None:
        """Put lines of Markdown between the page's markers."""
        text = self.page.read_text(encoding="utf-8")
        for table, lines in tables.items():
            begin, end = f"<!-- {table} -->\n", f"<!-- end {table} -->"
            before, marked, rest = text.partition(begin)
            if not marked or end not in rest:
                raise SystemExit(f"{self.page} has no place for the table {table!r}")
            text = before + begin + "\n".join(lines) + "\n" + end + rest.partition(end)[2]
        self.page.write_text(text, encoding="utf-8")
