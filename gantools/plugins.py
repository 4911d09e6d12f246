"""Plugins: found by entry point, imported when they are needed, and isolated when they break."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import pluggy

from gantools import hookspecs
from gantools.application import Spec
from gantools.errors import UserError, did_you_mean

GROUP = "gantools"
FIRST_PARTY = ("gantools-gail",)


@dataclass
class Plugin:
    """An installed plugin, whether or not it has been imported.

    Attributes:
        name: its entry point's name; an application has the same name.
        status: ``ok``, ``disabled``, ``failed`` or ``shadowed`` (another plugin has its name).
        reason: why it is not ok, else empty.
    """

    name: str
    distribution: str
    version: str
    summary: str
    entry_point: metadata.EntryPoint
    status: str = "ok"
    reason: str = ""
    specs: tuple[Spec, ...] | None = None


class Plugins:
    """The plugins of this environment, and the hooks that they implement.

    ``GANTOOLS_DISABLE_PLUGINS=a,b`` (or ``all``) leaves plugins out before anything of theirs is
    imported; with ``GANTOOLS_STRICT_PLUGINS=1`` a plugin that fails raises.
    """

    def __init__(self) -> None:
        self.manager = pluggy.PluginManager("gantools")
        self.manager.add_hookspecs(hookspecs)
        self.strict = os.environ.get("GANTOOLS_STRICT_PLUGINS") == "1"
        self.found: list[Plugin] = []
        disabled = os.environ.get("GANTOOLS_DISABLE_PLUGINS", "").split(",")
        for distribution in metadata.distributions():
            for entry_point in distribution.entry_points:
                if entry_point.group == GROUP:
                    self._add(distribution, entry_point, disabled)
        self.found.sort(key=lambda plugin: (plugin.name, plugin.status))

    def _add(
        self, distribution: metadata.Distribution, entry: metadata.EntryPoint, disabled: list[str]
    ) -> None:
        about = distribution.metadata
        name, version = about["Name"], about["Version"]
        plugin = Plugin(entry.name, name, version, about["Summary"] or "", entry)
        if entry.name in disabled or "all" in disabled:
            plugin.status, plugin.reason = "disabled", "by GANTOOLS_DISABLE_PLUGINS"
        rival = next((p for p in self.found if p.name == entry.name and p.status == "ok"), None)
        if rival is not None and plugin.status == "ok":
            if (rival.distribution, rival.version) == (name, version):
                return  # the same distribution seen twice on the path
            loser = rival if name in FIRST_PARTY else plugin
            winner = plugin if loser is rival else rival
            loser.status = "shadowed"
            loser.reason = f"{winner.distribution} has the name {entry.name!r} too"
        self.found.append(plugin)

    def get(self, name: str) -> Plugin | None:
        """The plugin that has this name and was not shadowed by another."""
        return next((p for p in self.found if p.name == name and p.status != "shadowed"), None)

    def load(self, plugin: Plugin) -> bool:
        """Import a plugin's light module and register its hooks, once; False if it is not ok.

        Raises:
            Exception: whatever the plugin raised, in strict mode.
        """
        if plugin.status != "ok" or plugin.specs is not None:
            return plugin.status == "ok"
        try:
            module = plugin.entry_point.load()
            self.manager.register(module, plugin.name)
            self.manager.check_pending()
            hook = self.manager.subset_hook_caller("register_applications", self._others(module))
            plugin.specs = tuple(spec for specs in hook() for spec in specs)
        except (Exception, SystemExit) as error:
            if self.strict:
                raise
            self._fail(plugin, error)
            return False
        return True

    def _others(self, module: Any) -> list[Any]:
        return [other for other in self.manager.get_plugins() if other is not module]

    def _fail(self, plugin: Plugin, error: BaseException) -> None:
        if self.manager.has_plugin(plugin.name):
            self.manager.unregister(name=plugin.name)
        plugin.status = "failed"
        message = (str(error).splitlines() or [""])[0]
        plugin.reason = f"{type(error).__name__}: {message}"

    def load_all(self) -> None:
        """Import every plugin, so that lifecycle hooks are heard; say which ones failed."""
        for plugin in self.found:
            if plugin.status == "ok" and not self.load(plugin):
                print(f"plugin {plugin.name!r} failed: {plugin.reason}", file=sys.stderr)

    def application(self, name: str) -> Spec:
        """Find an application by name, importing no plugin but the one of that name if it has it.

        Raises:
            UserError: there is no such application, or its plugin failed or is disabled.
        """
        plugin = self.get(name)
        if plugin is not None and self.load(plugin):
            for spec in plugin.specs or ():
                if spec.name == name:
                    return spec
        if plugin is not None and plugin.status != "ok":
            raise UserError(
                f"The plugin {name!r} cannot be used ({plugin.status}: {plugin.reason})."
            )
        for other in self.found:
            if self.load(other):
                for spec in other.specs or ():
                    if spec.name == name:
                        return spec
        known = [spec.name for p in self.found for spec in p.specs or ()]
        hint = did_you_mean(name, known) or f" Installed: {', '.join(known) or 'none'}."
        raise UserError(f"There is no application {name!r}.{hint}")

    def provider(self, spec: Spec) -> Plugin | None:
        """The plugin that registered an application."""
        return next((plugin for plugin in self.found if spec in (plugin.specs or ())), None)

    def notify(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a lifecycle hook of every plugin; one that raises is reported once and left out."""
        results = []
        for implementation in reversed(getattr(self.manager.hook, hook).get_hookimpls()):
            try:
                wanted = {name: arguments[name] for name in implementation.argnames}
                results.append(implementation.function(**wanted))
            except Exception as error:
                if self.strict:
                    raise
                print(
                    f"plugin {implementation.plugin_name!r} failed in {hook} and is switched off "
                    f"for this run: {type(error).__name__}: {error}",
                    file=sys.stderr,
                )
                self.manager.unregister(name=implementation.plugin_name)
        return [result for result in results if result is not None]
