"""A plugin as gantools knows it: what is installed, what it says of itself, what it registers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from importlib import metadata

from gantools import __version__, hookspecs
from gantools.application import Command, Spec

GROUP = "gantools"
FIRST_PARTY = (
    "gantools-game",
    "gantools-robust",
    "gantools-gail",
    "gantools-vime",
    "gantools-text2image",
    "gantools-codec",
    "gantools-video",
    "gantools-tts",
)
KINDS = (
    "objectives",
    "penalties",
    "constraints",
    "augmentations",
    "solvers",
    "metrics",
    "data",
    "bonuses",
)
"""The kinds of parts that plugins register by name."""

SINGULAR = {kind: kind.removesuffix("s") for kind in KINDS} | {
    "penalties": "penalty",
    "data": "data source",
    "bonuses": "bonus",
}
"""What one of a kind is called."""

RESERVED = ("run", "resume", "evaluate", "report", "apps", "parts", "show", "plugins")
"""gantools' own commands."""


class Plugin:
    """An installed plugin, whether or not it has been imported.

    Attributes:
        name: its entry point's name; its main application has the same.
        module: the light module that the entry point names.
        status: ``ok``, ``disabled``, ``incompatible``, ``failed`` or ``shadowed`` (another plugin
            has its name, or the names of all its applications).
        reason: why it is not ok, or what is wrong although it is; else empty.
        loaded: whether it was imported and registered in this process.
        specs, commands, parts, hooks: what it registered and implements, once loaded.
    """

    def __init__(
        self, name: str, module: str, entry_point: metadata.EntryPoint | None = None
    ) -> None:
        self.name, self.module, self.entry_point = name, module, entry_point
        self.status, self.reason = "ok", ""
        self.loaded = False
        self.specs: tuple[Spec, ...] = ()
        self.commands: tuple[Command, ...] = ()
        self.parts: dict[str, dict[str, str]] = {}
        self.hooks: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What its card is filed under."""
        return f"{self.name} = {self.module}"

    @cached_property
    def about(self) -> Mapping[str, str]:
        """Name, version and summary of its distribution; empty for a module without one."""
        dist = self.entry_point.dist if self.entry_point else None
        if dist is None:
            return {}
        return {key: dist.metadata[key] for key in ("Name", "Version", "Summary")}

    @property
    def distribution(self) -> str:
        """The name of its distribution."""
        return self.about.get("Name", self.name)

    @property
    def version(self) -> str:
        """The version of its distribution."""
        return self.about.get("Version", "")

    @property
    def summary(self) -> str:
        """One line, of the distribution's metadata."""
        return self.about.get("Summary") or ""

    def names(self) -> set[tuple[str, str]]:
        """What it has registered, as (kind, name)."""
        names = {("applications", spec.name) for spec in self.specs}
        names |= {("commands", command.name) for command in self.commands}
        return names | {(kind, name) for kind, parts in self.parts.items() for name in parts}

    @property
    def requires(self) -> list[str]:
        """What its distribution requires, as it is written there."""
        dist = self.entry_point.dist if self.entry_point else None
        return list((dist.requires if dist else None) or ())


def rank(plugin: Plugin) -> tuple[bool, str]:
    """Who wins where two have one name: gantools' own, then by the distribution's name."""
    return plugin.distribution not in FIRST_PARTY, plugin.distribution


def incompatibility(plugin: Plugin) -> str:
    """Why a plugin was not written for this gantools, by what it requires itself; else empty."""
    own = [text for text in plugin.requires if re.match(r"gantools(?![\w.-])", text, re.IGNORECASE)]
    if not own:
        return ""
    from packaging.requirements import Requirement

    for requirement in map(Requirement, own):
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        if not requirement.specifier.contains(__version__, prereleases=True):
            return f"it needs gantools{requirement.specifier}, and this is {__version__}"
        for extra in requirement.extras:
            version = re.fullmatch(r"hooks(\d+)", extra)
            if version and int(version[1]) not in hookspecs.SUPPORTED:
                return f"it needs version {version[1]} of the hooks, and this has {hookspecs.API}"
    return ""
