"""Looking at plugins from outside: each is imported once, in a process of its own, and what came of
it is kept on a card. A plugin that is slow, never returns, or ends its process harms nobody then.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gantools.plugins import cards
from gantools.plugins.cards import Card
from gantools.plugins.plugin import Plugin, incompatibility

PROGRAM = "gantools.plugins.examine"

TIMEOUT = 20
"""Seconds after which an examination is given up."""

DEEP_TIMEOUT = 120
"""The same where heavy code is imported."""


def survey(
    plugins: list[Plugin], *, only: Plugin | None = None, anew: bool = False
) -> dict[str, Card]:
    """Return the card of every plugin by its key, examining those that have no true one.

    Args:
        only: examine just this one.
        anew: examine it, or them, even if the card is true.
    """
    known = cards.read()
    wanted = [p for p in plugins if p.status == "ok" and p.entry_point is not None]
    stamps = {p.key: cards.stamp(p) for p in wanted}
    stale = [p for p in wanted if anew or known.get(p.key, {}).get("stamp") != stamps[p.key]]
    if only is not None:
        stale = [p for p in stale if p is only]
    with ThreadPoolExecutor(max(1, os.cpu_count() or 1)) as pool:
        for plugin, card in zip(stale, pool.map(_examine_apart, stale), strict=True):
            known[plugin.key] = {"stamp": stamps[plugin.key], **card}
            cards.keep(plugin.key, known[plugin.key])
    return {p.key: {**_standing(p), **known.get(p.key, {})} for p in wanted} | {
        p.key: _standing(p) for p in plugins if p not in wanted
    }


def names_claimed_twice(plugins: list[Plugin], known: dict[str, Card]) -> None:
    """Set the status of plugins whose every application is another's, as their cards tell."""
    owners: dict[str, Plugin] = {p.name: p for p in plugins if p.status == "ok"}
    for plugin in plugins:
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


def _examine_apart(plugin: Plugin, deep: bool = False) -> Card:
    """Examine one plugin in a process of its own; ``deep``: with the heavy code that it names."""
    if reason := incompatibility(plugin):
        return {"status": "incompatible", "reason": reason}
    with tempfile.TemporaryDirectory() as folder:
        verdict = Path(folder) / "verdict.json"
        command = [sys.executable, "-m", PROGRAM, plugin.name, plugin.module, str(verdict)]
        command += ["deep"] if deep else []
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        environment.pop("GANTOOLS_STRICT_PLUGINS", None)
        try:
            ended = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=DEEP_TIMEOUT if deep else TIMEOUT,
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


def known_plugins(plugins: list[Plugin]) -> Iterable[tuple[Plugin, Card]]:
    """Every plugin with its card: examined if need be, claims settled."""
    known = survey(plugins)
    names_claimed_twice(plugins, known)
    return [(plugin, known[plugin.key]) for plugin in plugins]


def check(plugins: list[Plugin], chosen: Iterable[Plugin]) -> Iterable[tuple[Plugin, Card]]:
    """Examine plugins anew, one after the other, and import the heavy code that they name.

    Yields:
        Each plugin with its card; ``missing`` in it is heavy code that cannot be imported.
    """
    for plugin in list(chosen):
        known = survey(plugins, only=plugin, anew=True)
        names_claimed_twice(plugins, known)
        card = known[plugin.key]
        if card["status"] == "ok":
            missing = _examine_apart(plugin, deep=True).get("missing", [])
            card = {**card, "missing": missing}
            if missing:
                cards.keep(plugin.key, {**card, "remark": "; ".join(missing)})
        yield plugin, card
