"""The contract of a plugin, checked: what every plugin's own tests should call."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

import yaml

from gantools import api
from gantools.application import Spec, locate
from gantools.config import Field, fields, make, plain
from gantools.engine import Observer, Trainer
from gantools.errors import UserError
from gantools.plugins import KINDS, Plugin, Plugins
from gantools.plugins.survey import survey
from gantools.runs.checkpoint import Checkpoints, load_state
from gantools.runs.folder import Run
from gantools.testing import toy
from gantools.testing.compare import differences

TURNS = 2
_TIMES = ("seconds", "per_second")


def assert_plugin_ok(
    name: str, options: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
) -> None:
    """Assert that an installed plugin keeps what gantools promises to its users.

    - Its light module imports quickly and imports nothing heavy; its hooks exist; nothing that it
      registers clashes; every named part and the heavy code of every application can be imported.
    - Of every application: all options are documented, the configuration survives YAML, and what
      is out of range or not a choice is refused with a ``UserError``; it trains two turns;
      stopped after the first and resumed it ends with the same numbers, bit for bit; its evaluation
      is one JSON object, the same when it is repeated; its report is written.
    - Its lifecycle hooks go through a training without a fault, and change none of its numbers.

    Args:
        name: the plugin, by its entry point's name.
        options: by application, options that make its training small; ``steps`` is set here.

    Raises:
        AssertionError: says what does not hold.
        UserError: there is no such plugin, or an application refuses its options.
    """
    plugins = Plugins()
    plugin = plugins.get(name)
    if plugin is None:
        raise UserError(f"No plugin is called {name!r}: install it (pip install -e .) first.")
    card = survey(plugins.found, only=plugin, anew=True)[plugin.key]
    assert card["status"] == "ok", f"{name} is {card['status']}: {card['reason']}"
    assert not card["reason"], f"{name}: {card['reason']}"
    assert plugins.load(plugin), f"{name} is {plugin.status}: {plugin.reason}"
    for kind in KINDS:
        for part in plugin.parts[kind]:
            plugins.part(kind, part)
    for command in plugin.commands:
        locate(command.implementation)
    plugins.found = [plugin]  # it has to do without the others
    with TemporaryDirectory() as folder:
        for spec in plugin.specs:
            _check_options(spec)
            _check_training(spec, options.get(spec.name, {}), Path(folder) / spec.name, plugins)
        _check_observers(plugin, plugins, Path(folder))


# -- options ----------------------------------------------------------------------------------


def _check_options(spec: Spec) -> None:
    """Documented, serialisable, and refused where they are wrong."""
    kind = spec.config
    for field in fields(kind).values():
        said = field.option.help.strip()
        assert len(said) > 3, f"{spec.name}: option {field.name!r} says nothing of itself"
        for bad in _bad_values(field):
            try:
                make(kind, {field.name: bad})
            except UserError:
                continue
            raise AssertionError(f"{spec.name}: option {field.name!r} takes {bad!r}")
    config = kind()
    again = make(kind, yaml.safe_load(yaml.safe_dump(plain(config))))
    assert again == config, f"{spec.name}: its configuration does not survive YAML"


def _bad_values(field: Field) -> Iterator[Any]:
    yield object()
    if field.choices:
        yield "no such choice"
    if field.type in (int, float):
        if field.option.min is not None:
            yield field.type(math.floor(field.option.min) - 1)
        if field.option.max is not None and math.isfinite(field.option.max):
            yield field.type(math.ceil(field.option.max) + 1)
    if field.type is float:
        yield math.nan


# -- training ---------------------------------------------------------------------------------


class _StopAfter(Observer):
    """Ends a training after some turns, as Ctrl-C would."""

    def __init__(self, turns: int) -> None:
        self.turns = turns

    def turn_ended(self, trainer: Trainer, figures: Mapping[str, Any]) -> None:
        trainer.should_stop = trainer.turn >= self.turns


def _check_training(spec: Spec, options: Mapping[str, Any], folder: Path, plugins: Plugins) -> None:
    """Two turns, at once and with a stop between them."""
    config = make(spec.config, {**options, "steps": 1})
    application = locate(spec.implementation)(config)
    small = {**plain(replace(config, steps=TURNS * application.steps_per_turn)), "log_every": 1}
    shown: dict[str, Any] = {"progress": False, "plugins": plugins}
    whole = api.run(spec.name, out=folder / "whole", **shown, **small)
    assert whole.manifest["status"] == "finished", f"{spec.name}: {whole.manifest['status']}"
    assert whole.manifest["turn"] == TURNS, f"{spec.name} played {whole.manifest['turn']} turns"

    parted = folder / "parted"
    api.run(spec.name, out=parted, observers=[_StopAfter(1)], **shown, **small)
    resumed = api.resume(parted, **shown)
    found = differences(_numbers(whole), _numbers(resumed))
    assert not found, (
        f"{spec.name}: a resumed run ends with other numbers: {', '.join(found[:5])}. Is something "
        "kept in an attribute of the game, the application or the data? Give that object "
        "state_dict() and load_state_dict(), or make it a function of turn.step."
    )

    results = json.loads(whole.evaluation_file.read_text(encoding="utf-8"))
    assert len(results) > 4, f"{spec.name}: its evaluation says nothing"
    again = api.evaluate(whole.path, plugins=plugins)
    changed = {
        key
        for key in results.keys() | again.keys()
        if results.get(key) != again.get(key) and not any(word in key for word in _TIMES)
    }
    assert not changed, f"{spec.name}: evaluated again, {', '.join(sorted(changed))} differ"
    assert whole.report_file.is_file(), f"{spec.name}: there is no report"


def _numbers(run: Run) -> dict[str, Any]:
    """What two runs of one seed must have in common: metrics and state, times left out."""
    checkpoints = Checkpoints(run.checkpoints)
    path = checkpoints.path(checkpoints.turns()[-1])
    rows = run.metrics_file.read_text(encoding="utf-8").splitlines()
    return {
        "metrics.csv": dict(enumerate(rows)),
        "best checkpoint": checkpoints.best(),
        **load_state(path, "state")["trainer"],
        "random states": load_state(path, "process-0"),
    }


# -- observers --------------------------------------------------------------------------------


def _check_observers(plugin: Plugin, plugins: Plugins, folder: Path) -> None:
    """Lifecycle hooks go through a training of the toy, and change none of its numbers."""
    lifecycle = [hook for hook in plugin.hooks if not hook.startswith("register_")]
    if not lifecycle:
        return
    alone = Plugins({"toy": toy}, installed=False)
    module = plugins.manager.get_plugin(plugin.name)
    watched = Plugins({"toy": toy, plugin.name: module}, installed=False)
    small: dict[str, Any] = {"steps": 20, "progress": False}
    quiet = api.run("toy", out=folder / "alone", plugins=alone, **small)
    heard = api.run("toy", out=folder / "watched", plugins=watched, **small)
    assert not watched.faults, f"{plugin.name}: {'; '.join(watched.faults.values())}"
    found = differences(_numbers(quiet), _numbers(heard))
    assert not found, f"{plugin.name} changes a run that it watches: {', '.join(found[:5])}"
