"""Put a finished run's model into the plugin that it ships with, with what people should know of it.

python benchmarks/ship.py RUN [FIGURE …] [--licence NAME --copyright FILE]

The figures are names in the run's evaluation.json; they go into the model's ``about``, with the
command that trains it again, its seed, data and commit. Where the data ask for it their licence goes
there too, and the file that says whose they are is put beside the weights.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import gantools


def about(run: Path, figures: Sequence[str]) -> dict[str, Any]:
    """What people should know of a finished run's model."""
    trained = gantools.load(run)
    found = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    name = trained.run.manifest["application"]
    asked = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    usual = type(trained.application.config)()
    options = [
        f"--{option.replace('_', '-')} {shlex.quote(str(value))}"
        for option, value in asked.items()
        if value != getattr(usual, option)
    ]
    said: dict[str, Any] = json.loads((run / "model.json").read_text(encoding="utf-8"))["about"]
    return said | {
        "command": " ".join(["gantools run", name, *options]),
        "commit": trained.run.manifest["commit"],
        "train_seconds": found["train_seconds"],
        "figures": {figure: found[figure] for figure in figures},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("figures", nargs="*")
    parser.add_argument("--licence", help="of the data that was learned from")
    parser.add_argument("--copyright", type=Path, help="a file that says whose they are")
    asked = parser.parse_args()
    model = json.loads((asked.run / "model.json").read_text(encoding="utf-8"))
    model["about"] = about(asked.run, asked.figures)
    if asked.licence:
        model["about"]["data_licence"] = asked.licence
    name = gantools.load(asked.run).run.manifest["application"]
    package = importlib.import_module(f"gantools_{name}")
    folder = Path(str(package.__file__)).parent / "model"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(asked.run / "model.safetensors", folder / "model.safetensors")
    if asked.copyright:
        shutil.copyfile(asked.copyright, folder / "COPYRIGHT.txt")
    text = json.dumps(model, indent=2, ensure_ascii=False) + "\n"
    (folder / "model.json").write_text(text, encoding="utf-8")
    print(json.dumps(model["about"], indent=2))


if __name__ == "__main__":
    main()
