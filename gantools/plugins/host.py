"""The host: the plugins of this environment, what they register, and their lifecycle hooks."""

from __future__ import annotations

import inspect
import os
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pluggy

from gantools import hookspecs
from gantools.application import Command, Spec, locate
from gantools.config import fields
from gantools.errors import UserError, did_you_mean
from gantools.parts import bind, parse
from gantools.plugins import builtin, cards
from gantools.plugins.plugin import (
    GROUP,
    KINDS,
    RESERVED,
    SINGULAR,
    Plugin,
    incompatibility,
    rank,
)
from gantools.plugins.survey import survey

PATIENCE = 0.5
"""Seconds that one call of a lifecycle hook may take before its plugin is named as slow."""


class Plugins:
    """The plugins of this environment, what they register, and the hooks that they implement.

    ``GANTOOLS_DISABLE_PLUGINS=a,b`` (or ``all``) leaves plugins out before anything of theirs is
    imported; with ``GANTOOLS_STRICT_PLUGINS=1`` a plugin that fails raises.

    Args:
        modules: modules, or objects with hooks, that are plugins as well, by name.
        installed: whether to look for installed plugins.
    """

    def __init__(
        self, modules: Mapping[str, Any] = MappingProxyType({}), *, installed: bool = True
    ) -> None:
        self.strict = os.environ.get("GANTOOLS_STRICT_PLUGINS") == "1"
        disabled = os.environ.get("GANTOOLS_DISABLE_PLUGINS", "")
        self._disabled = {word.strip() for word in disabled.split(",") if word.strip()}
        self._modules = dict(modules)
        self.faults: dict[str, str] = {}
        """What went wrong in lifecycle hooks, by plugin."""
        self._all_loaded = False
        self._off: set[str] = set()  # whose lifecycle hooks are switched off
        self.manager = pluggy.PluginManager("gantools")
        self.manager.add_hookspecs(hookspecs)
        self.manager.register(builtin, "gantools")
        self._core = self._collect(builtin, Plugin("gantools", builtin.__name__))
        self.found: list[Plugin] = [
            Plugin(name, getattr(m, "__name__", type(m).__name__)) for name, m in modules.items()
        ]
        entry_points = metadata.entry_points(group=GROUP) if installed else ()
        for entry in entry_points:
            self._add(Plugin(entry.name, entry.module, entry))
        self.found.sort(key=lambda plugin: (plugin.name, plugin.status))

    def _add(self, plugin: Plugin) -> None:
        same = [p for p in self.found if p.name == plugin.name and p.status == "ok"]
        if self._disabled & {plugin.name, "all"} or (
            self._disabled and plugin.distribution in self._disabled
        ):
            plugin.status, plugin.reason = "disabled", "by GANTOOLS_DISABLE_PLUGINS"
        elif same:
            rival = same[0]
            if (rival.distribution, rival.version) == (plugin.distribution, plugin.version):
                return  # the same distribution seen twice on the path
            loser = max(plugin, rival, key=rank)
            winner = plugin if loser is rival else rival
            loser.status = "shadowed"
            loser.reason = f"{winner.distribution} has the name {plugin.name!r} too"
        self.found.append(plugin)

    def get(self, name: str) -> Plugin | None:
        """The plugin that has this name and was not shadowed by another of that name."""
        named = [plugin for plugin in self.found if plugin.name == name]
        return min(named, key=lambda plugin: plugin.status == "shadowed", default=None)

    # -- loading ---------------------------------------------------------------------------

    def load(self, plugin: Plugin) -> bool:
        """Import a plugin's light module and register its hooks, once; False if it is not ok.

        Raises:
            Exception: whatever the plugin raised, in strict mode.
        """
        if plugin.status != "ok" or plugin.loaded:
            return plugin.status == "ok"
        if reason := incompatibility(plugin):
            plugin.status, plugin.reason = "incompatible", reason
            return False
        manager = self.manager
        try:
            module = self._import(plugin)
            _check_hooks(module)
            manager.register(module, plugin.name)
            self._collect(module, plugin)
            for spec in plugin.specs:
                fields(spec.config)  # raises where it is not a configuration
        except (Exception, SystemExit) as error:
            if manager.has_plugin(plugin.name):
                manager.unregister(name=plugin.name)
            plugin.specs, plugin.commands, plugin.parts, plugin.hooks = (), (), {}, ()
            if self.strict:
                raise
            plugin.status, plugin.reason = "failed", _one_line(error)
            return False
        plugin.loaded = True
        self._claim(plugin)
        return plugin.status == "ok"

    def _import(self, plugin: Plugin) -> Any:
        if plugin.entry_point is None:
            return self._modules[plugin.name]
        return plugin.entry_point.load()

    def _collect(self, module: Any, plugin: Plugin) -> Plugin:
        """Call a registered module's own register_… hooks and note what they return."""
        manager = self.manager
        others = [other for other in manager.get_plugins() if other is not module]

        def returned(hook: str) -> list[Any]:
            return manager.subset_hook_caller(hook, others)()

        plugin.hooks = tuple(caller.name for caller in manager.get_hookcallers(module) or ())
        plugin.specs = _all("register_applications", returned("register_applications"), Spec)
        plugin.commands = _all("register_commands", returned("register_commands"), Command)
        for kind in KINDS:
            plugin.parts[kind] = _mapping(f"register_{kind}", returned(f"register_{kind}"))
        return plugin

    def _claim(self, plugin: Plugin) -> None:
        """Give a plugin what it registered, but for names that another has a better claim to.

        gantools' own parts and commands come first, then an application of the plugin's own name,
        then first-party plugins, then the order of the distributions' names.
        """
        for command in plugin.commands:
            if command.name in RESERVED:
                self._lose(plugin, "commands", command.name, self._core)
        for other in (self._core, *self.found):
            if other is plugin or other.status != "ok":
                continue
            for kind, name in plugin.names() & (other.names() | {("applications", other.name)}):
                if kind == "applications" and plugin.name == name:
                    loser, winner = other, plugin
                elif other is self._core or (kind == "applications" and other.name == name):
                    loser, winner = plugin, other
                else:
                    winner, loser = sorted((plugin, other), key=rank)
                self._lose(loser, kind, name, winner)

    def _lose(self, loser: Plugin, kind: str, name: str, winner: Plugin) -> None:
        """Take a name away from a plugin, and say so."""
        loser.specs = tuple(s for s in loser.specs if (kind, name) != ("applications", s.name))
        loser.commands = tuple(c for c in loser.commands if (kind, name) != ("commands", c.name))
        loser.parts.get(kind, {}).pop(name, None)
        said = f"{winner.distribution} has {name!r} among the {kind} too"
        loser.reason = "; ".join(filter(None, (loser.reason, said)))
        if not loser.names():
            loser.status = "shadowed"
            if self.manager.has_plugin(loser.name):
                self.manager.unregister(name=loser.name)
        print(f"plugin {loser.name!r}: {said}", file=sys.stderr)

    def load_all(self) -> None:
        """Import every plugin, so that lifecycle hooks are heard; say which ones failed.

        One that was never imported before is first examined in a process of its own: what never
        returns, or ends its process, does not happen here. (Not in strict mode.)
        """
        if self._all_loaded:
            return
        self._all_loaded = True
        if not self.strict:
            known = survey(self.found)
            for plugin in self.found:
                card = known[plugin.key]
                if not plugin.loaded and card["status"] in ("failed", "incompatible"):
                    plugin.status, plugin.reason = card["status"], card["reason"]
        for plugin in self.found:
            self.load(plugin)
            if plugin.status in ("failed", "incompatible"):
                print(f"plugin {plugin.name!r} {plugin.status}: {plugin.reason}", file=sys.stderr)

    # -- what was registered ---------------------------------------------------------------

    def application(self, name: str) -> Spec:
        """Find an application by name, importing no other plugin if one of that name has it.

        Raises:
            UserError: there is no such application, or its plugin failed or is disabled.
        """
        plugin = self.get(name)
        if plugin is not None and self.load(plugin):
            for spec in plugin.specs:
                if spec.name == name:
                    return spec
        if plugin is not None and plugin.status != "ok":
            raise UserError(
                f"The plugin {name!r} cannot be used ({plugin.status}: {plugin.reason})."
            )
        self.load_all()
        for other in self.found:
            for spec in other.specs:
                if spec.name == name:
                    return spec
        known = [spec.name for p in self.found for spec in p.specs]
        hint = did_you_mean(name, known) or f" Installed: {', '.join(known) or 'none'}."
        raise UserError(f"There is no application {name!r}.{hint}")

    def command(self, name: str) -> Command | None:
        """Find a further command by name, importing the plugins."""
        self.load_all()
        commands = (command for plugin in self.found for command in plugin.commands)
        return next((command for command in commands if command.name == name), None)

    def names(self, kind: str) -> dict[str, Plugin]:
        """The parts of a kind by name, and whose they are; imports the plugins."""
        self.load_all()
        return {name: p for p in (self._core, *self.found) for name in p.parts.get(kind, {})}

    def part(self, kind: str, text: str) -> Any:
        """Return an objective, penalty, solver, … by its name, with the values given to it.

        Args:
            kind: one of ``KINDS``.
            text: ``NAME`` or ``NAME:VALUE,KEY=VALUE`` (see :mod:`gantools.parts`).

        Returns:
            What was registered, values bound to it by ``functools.partial``; an augmentation, and
            an objective that is a function, made.

        Raises:
            UserError: there is none of that name, it cannot be imported, or takes no such value.
        """
        asked = parse(text)
        bound = bind(kind, asked, self.registered(kind, asked.name))
        try:
            made = kind in ("objectives", "augmentations") and callable(bound)
            return bound() if made else bound
        except ValueError as error:
            raise UserError(f"{text!r}: {error}.") from None

    def registered(self, kind: str, name: str) -> Any:
        """Return what was registered under a name, imported.

        Raises:
            UserError: there is none of that name, or it cannot be imported.
        """
        owner = self._core if name in self._core.parts[kind] else None
        if owner is None:
            known = self.names(kind)
            if name not in known:
                hint = did_you_mean(name, known) or f" Known: {', '.join(known)}."
                raise UserError(f"There is no {SINGULAR[kind]} {name!r}.{hint}")
            owner = known[name]
        return locate(owner.parts[kind][name])

    def provider(self, spec: Spec) -> Plugin | None:
        """The plugin that registered an application."""
        return next((plugin for plugin in self.found if spec in plugin.specs), None)

    # -- lifecycle -------------------------------------------------------------------------

    def notify(self, hook: str, **arguments: Any) -> list[Any]:
        """Call a lifecycle hook of every plugin and return what they returned.

        One that raises is reported once and switched off; one that takes its time is named once.
        Random states are put back, so that no observer changes a run's numbers.
        """
        implementations = getattr(self.manager.hook, hook).get_hookimpls()
        implementations = [i for i in implementations if i.plugin_name not in self._off]
        if not implementations:
            return []
        from gantools.engine.trainer import random_states, set_random_states

        results, states = [], random_states()
        for implementation in reversed(implementations):
            name = implementation.plugin_name
            began = time.monotonic()
            try:
                given = {argument: arguments[argument] for argument in implementation.argnames}
                results.append(implementation.function(**given))
            except (Exception, SystemExit) as error:
                if self.strict:
                    raise
                said = f"failed in {hook}: {_one_line(error)}{_where(error)}"
                self._off.add(name)
                self._remark(name, f"{said} (and was switched off for the run)")
            seconds = time.monotonic() - began
            if seconds > PATIENCE and name not in self.faults:
                self._remark(name, f"is slow: {hook} took {seconds:.1f} s")
        set_random_states(states)
        if hook == "run_ended":
            self._forget_remarks()
        return [result for result in results if result is not None]

    def _remark(self, name: str, said: str) -> None:
        """Say what a plugin did in a run, and keep it on its card."""
        print(f"plugin {name!r} {said}", file=sys.stderr)
        self.faults[name] = said
        plugin = next((p for p in self.found if p.name == name and p.loaded), None)
        if plugin is not None and plugin.entry_point is not None:
            card = cards.read().get(plugin.key, {})
            cards.keep(plugin.key, {**card, "remark": f"in its last run it {said}"})

    def _forget_remarks(self) -> None:
        """Clear the cards of those that went through this run without a fault."""
        kept = cards.read()
        for plugin in self.found:
            card = kept.get(plugin.key, {})
            if plugin.loaded and "remark" in card and plugin.name not in self.faults:
                cards.keep(plugin.key, {k: v for k, v in card.items() if k != "remark"})


def _where(error: BaseException) -> str:
    """The file and line that raised it, where that is known."""
    frames = traceback.extract_tb(error.__traceback__)
    return f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _one_line(error: BaseException) -> str:
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:300]}"


def _check_hooks(module: Any) -> None:
    """Raise where a module implements a hook that does not exist, or asks for what it has not."""
    known = {name for name, value in vars(hookspecs).items() if hasattr(value, "gantools_spec")}
    for name in dir(module):
        function = getattr(module, name)
        if not hasattr(function, "gantools_impl"):
            continue
        if name not in known:
            raise AttributeError(f"there is no hook {name!r}.{did_you_mean(name, known)}")
        has = list(inspect.signature(getattr(hookspecs, name)).parameters)
        for argument in inspect.signature(function).parameters:
            if argument not in has:
                hint = did_you_mean(argument, has)
                raise TypeError(f"{name} has no {argument!r}.{hint} It has {', '.join(has)}.")


def _all(hook: str, returned: list[Any], kind: type) -> tuple[Any, ...]:
    found: list[Any] = []
    for values in returned:
        if isinstance(values, (str, kind)) or not isinstance(values, Iterable):
            what = kind.__name__
            raise TypeError(
                f"{hook} returned a {type(values).__name__}, not a list: [{what}(…), …]"
            )
        found += values
    for value in found:
        if not isinstance(value, kind):
            raise TypeError(f"{hook} returned {value!r} among what should be {kind.__name__}s")
    return tuple(found)


def _mapping(hook: str, returned: list[Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for values in returned:
        if not isinstance(values, Mapping):
            what = type(values).__name__
            raise TypeError(f"{hook} returned a {what}, not a dict: {{name: 'module:name'}}")
        found |= values
    for name, where in found.items():
        if not isinstance(where, str) or ":" not in where:
            raise TypeError(f"{hook} says {name!r} is {where!r}, not 'module:name'")
    return found
