"""The program that examines one plugin in a process of its own; :mod:`survey` starts it."""

from __future__ import annotations

import importlib
import io
import json
import sys
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from gantools.application import locate
from gantools.config import fields
from gantools.plugins.cards import Card
from gantools.plugins.host import Plugins
from gantools.plugins.plugin import Plugin

HEAVY = (
    "gymnasium",
    "jax",
    "matplotlib",
    "numpy",
    "pandas",
    "rich",
    "scipy",
    "sklearn",
    "stable_baselines3",
    "tensorboard",
    "tensorflow",
    "torch",
    "torchaudio",
    "torchvision",
    "transformers",
)
"""Modules that a light module must not import."""

SLOW_IMPORT = 250
"""Milliseconds that the import of a light module may take before it is called slow."""


def examine(plugins: Plugins, plugin: Plugin) -> Card:
    """Import a plugin here and say what it is: its status, what it registers, what it costs."""
    before = set(sys.modules)
    said = io.StringIO()
    began = time.perf_counter()
    with redirect_stdout(said), redirect_stderr(said):
        if plugin.entry_point is not None:
            with suppress(Exception, SystemExit):  # load() will say it
                importlib.import_module(plugin.module)
        milliseconds = round(1000 * (time.perf_counter() - began))
        plugins.load(plugin)
    heavy = sorted({module.split(".")[0] for module in set(sys.modules) - before} & set(HEAVY))
    complaints = []
    if milliseconds > SLOW_IMPORT:
        complaints.append(f"slow to import: {milliseconds} ms")
    if heavy:
        complaints.append(f"imports {', '.join(heavy)}: name heavy code as a string instead")
    return {
        "status": plugin.status,
        "reason": plugin.reason or "; ".join(complaints),
        "import_ms": milliseconds,
        "heavy": heavy,
        "hooks": list(plugin.hooks),
        "applications": {
            spec.name: {
                "summary": spec.summary,
                "implementation": spec.implementation,
                "options": len(fields(spec.config)),
                "verbs": spec.verbs,
            }
            for spec in plugin.specs
        },
        "commands": {command.name: command.summary for command in plugin.commands},
        "parts": {kind: parts for kind, parts in plugin.parts.items() if parts},
    }


def missing(plugin: Plugin) -> list[str]:
    """What cannot be imported of the heavy code that a loaded plugin names, and why."""
    named = [command.implementation for command in plugin.commands]
    for spec in plugin.specs:
        named += [spec.implementation, *([spec.verbs] if spec.verbs else [])]
    for parts in plugin.parts.values():
        named += parts.values()
    found = []
    for path in named:
        try:
            locate(path)
        except (Exception, SystemExit) as error:
            found.append(str(error) or type(error).__name__)
    return found


def _main(name: str, module: str, verdict: str, deep: str = "") -> None:
    plugins = Plugins()
    plugin = next(p for p in plugins.found if (p.name, p.module) == (name, module))
    plugins.found = [plugin]  # what others register is not this one's doing
    card = examine(plugins, plugin)
    if deep:
        card["missing"] = missing(plugin)
    Path(verdict).write_text(json.dumps(card), encoding="utf-8")


if __name__ == "__main__":
    _main(*sys.argv[1:])
