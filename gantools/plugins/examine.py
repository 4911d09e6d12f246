"""Examining plugins apart: each is imported once, in a process of its own, and the verdict kept.

A plugin that is slow, that never returns, or that ends its process harms nobody then.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from gantools.config import fields
from gantools.plugins import cards
from gantools.plugins.cards import Card
from gantools.plugins.host import Plugin, Plugins, incompatibility

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

TIMEOUT = 20
"""Seconds after which an examination is given up."""


def survey(plugins: Plugins, *, only: Plugin | None = None, anew: bool = False) -> dict[str, Card]:
    """Return the card of every plugin by its key, examining those that have no true one.

    Args:
        only: examine just this one.
        anew: examine it, or them, even if the card is true.
    """
    known = cards.read()
    wanted = [p for p in plugins.found if p.status == "ok" and p.entry_point is not None]
    stamps = {p.key: cards.stamp(p) for p in wanted}
    stale = [p for p in wanted if anew or known.get(p.key, {}).get("stamp") != stamps[p.key]]
    if only is not None:
        stale = [p for p in stale if p is only]
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        for plugin, card in zip(stale, pool.map(_examine_apart, stale), strict=True):
            known[plugin.key] = {"stamp": stamps[plugin.key], **card}
            cards.keep(plugin.key, known[plugin.key])
    return {p.key: {**_standing(p), **known.get(p.key, {})} for p in wanted} | {
        p.key: _standing(p) for p in plugins.found if p not in wanted
    }


def names_claimed_twice(plugins: Plugins, known: dict[str, Card]) -> None:
    """Set the status of plugins whose every application is another's, as their cards tell."""
    owners: dict[str, Plugin] = {p.name: p for p in plugins.found if p.status == "ok"}
    for plugin in plugins.found:
        applications = known[plugin.key].get("applications", {})
        taken = [n for n in applications if owners.setdefault(n, plugin) is not plugin]
        if plugin.status != "ok" or not taken:
            continue
        said = "; ".join(
            f"{owners[n].distribution} has {n!r} among the applications too" for n in taken
        )
        status = "shadowed" if len(taken) == len(applications) else known[plugin.key]["status"]
        known[plugin.key] |= {"status": status, "reason": said}


def _standing(plugin: Plugin) -> Card:
    """What is known of a plugin without examining it."""
    return {"status": plugin.status, "reason": plugin.reason}


def _examine_apart(plugin: Plugin) -> Card:
    """Examine one plugin in a process of its own."""
    if reason := incompatibility(plugin):
        return {"status": "incompatible", "reason": reason}
    with tempfile.TemporaryDirectory() as folder:
        verdict = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", __name__, plugin.name, plugin.module, str(verdict)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.pop("GANTOOLS_STRICT_PLUGINS", None)
        try:
            ended = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=TIMEOUT,
                check=False,
                env=environment,
            )
        except subprocess.TimeoutExpired:
            return {"status": "failed", "reason": f"its import took more than {TIMEOUT} s"}
        try:
            return json.loads(verdict.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            reason = f"its import ended the process with code {ended.returncode}"
            return {"status": "failed", "reason": reason}


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


def _main(name: str, module: str, verdict: str) -> None:
    plugins = Plugins()
    plugin = next(p for p in plugins.found if (p.name, p.module) == (name, module))
    plugins.found = [plugin]  # what others register is not this one's doing
    Path(verdict).write_text(json.dumps(examine(plugins, plugin)), encoding="utf-8")


def known_plugins(plugins: Plugins) -> Iterable[tuple[Plugin, Card]]:
    """Every plugin with its card: examined if need be, claims settled."""
    known = survey(plugins)
    names_claimed_twice(plugins, known)
    return [(plugin, known[plugin.key]) for plugin in plugins.found]


def check(plugins: Plugins, chosen: Iterable[Plugin]) -> Iterable[tuple[Plugin, Card]]:
    """Examine plugins anew, and their applications' heavy code too, one after the other.

    Yields:
        Each plugin with its card; ``faults`` in it are what the heavy code lacks.
    """
    for plugin in list(chosen):
        known = survey(plugins, only=plugin, anew=True)
        names_claimed_twice(plugins, known)
        yield plugin, known[plugin.key]


if __name__ == "__main__":
    _main(*sys.argv[1:])
