"""The host: who gets which name, parts by name, lifecycle hooks that fail or draw."""

from __future__ import annotations

import random
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from third_party import install

import gantools
from gantools import Command, RunConfig, Setting, Spec, UserError, hookimpl
from gantools.plugins import KINDS, Plugins
from gantools.plugins.plugin import incompatibility


def module(**hooks) -> ModuleType:
    """A plugin made of hooks that return what they are given."""

    def returning(value):
        return lambda: value

    made = ModuleType("made")
    for name, value in hooks.items():
        setattr(made, name, hookimpl(returning(value)))
    return made


def spec(name: str, of: str = "") -> Spec:
    return Spec(name, of, RunConfig, "nowhere:Nothing")


def host(**modules) -> Plugins:
    plugins = Plugins(modules, installed=False)
    plugins.load_all()
    return plugins


# -- names --------------------------------------------------------------------------------------


def test_an_application_belongs_to_the_plugin_of_its_name(capsys):
    plugins = host(
        alpha=module(register_applications=[spec("beta", "alpha's"), spec("alpha")]),
        beta=module(register_applications=[spec("beta", "beta's")]),
    )
    assert plugins.application("beta").summary == "beta's"
    assert plugins.application("alpha").name == "alpha"
    assert plugins.get("alpha").status == "ok"
    assert "beta has 'beta' among the applications too" in plugins.get("alpha").reason
    assert capsys.readouterr().err.count("beta has 'beta'") == 1


def test_of_equal_claims_the_first_by_name_wins_and_the_other_is_shadowed():
    for order in (("a", "b"), ("b", "a")):
        modules = {name: module(register_applications=[spec("game", name)]) for name in order}
        plugins = host(**modules)
        assert plugins.application("game").summary == "a"
        assert plugins.get("b").status == "shadowed"


def test_parts_are_gantools_own_first():
    mine = {"hinge": "mine:hinge", "mine": "gantools.losses:hinge"}
    plugins = host(mine=module(register_objectives=mine))
    assert plugins.names("objectives")["hinge"].name == "gantools"
    assert plugins.names("objectives")["mine"].name == "mine"
    assert plugins.part("objectives", "mine") is gantools.losses.hinge
    assert "'hinge' among the objectives" in plugins.get("mine").reason


def test_a_command_of_gantools_itself_cannot_be_taken():
    commands = [Command("run", "mine", "mine:app"), Command("dance", "mine", "mine:app")]
    plugins = host(mine=module(register_commands=commands))
    assert plugins.command("run") is None
    assert plugins.command("dance").implementation == "mine:app"


# -- parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_of_gantools_itself_can_be_imported(kind):
    plugins = host()
    assert plugins.names(kind)
    for name in plugins.names(kind):
        assert callable(plugins.part(kind, name)) or kind == "objectives"


def test_a_part_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(UserError, match=r"no objective 'hinj'\. Did you mean 'hinge'"):
        host().part("objectives", "hinj")
    with pytest.raises(UserError, match=r"no penalty 'x'\. Known: r1, r2, wgan-gp"):
        host().part("penalties", "x")
    with pytest.raises(UserError, match="Cannot import 'mine:gone'"):
        host(mine=module(register_data={"gone": "mine:gone"})).part("data", "gone")


def test_a_setting_gives_parts_by_name():
    assert Setting(parts=host().part).part("objectives", "hinge") is gantools.losses.hinge
    assert Setting(parts=host().part).part("augmentations", "none") is None
    assert Setting().part("objectives", "hinge") is gantools.losses.hinge


def test_an_application_refuses_a_part_before_it_makes_anything(clean_plugins, tmp_path):
    for option, kind in {
        "objective": "objective",
        "data": "data source",
        "solver": "solver",
    }.items():
        with pytest.raises(UserError, match=f"There is no {kind} 'nope'"):
            gantools.run("toy", out=tmp_path / "run", plugins=clean_plugins(), **{option: "nope"})
    assert not (tmp_path / "run").exists()


def test_a_third_party_s_part_is_an_option_of_any_application(clean_plugins, tmp_path, monkeypatch):
    parts = module(
        register_metrics={"mine": "my_metrics:mine"},
        register_objectives={"mine": "gantools.losses:least_squares"},
    )
    monkeypatch.setitem(sys.modules, "my_metrics", SimpleNamespace(mine=lambda real, fake: 42.0))
    options = {"steps": 3, "objective": "mine", "metric": "mine", "data": "grid"}
    plugins = clean_plugins(parts=parts)
    run = gantools.run("toy", out=tmp_path / "run", plugins=plugins, progress=False, **options)
    assert run.evaluation["distance"] == 42.0


# -- lifecycle ----------------------------------------------------------------------------------


class Drawing:
    """An observer that draws from every random state there is."""

    @hookimpl
    def turn_ended(self, turn):
        random.random()
        np.random.rand()
        torch.randn(3)
        torch.manual_seed(turn)


class Raising:
    """An observer that raises at turn 100."""

    def __init__(self):
        self.heard = []

    @hookimpl
    def turn_ended(self, turn):
        self.heard.append(turn)
        if turn == 100:
            raise ValueError("a hundred is too many")

    @hookimpl
    def run_ended(self, status):
        self.heard.append(status)


class Meddling:
    """An observer that changes what it is given."""

    @hookimpl
    def figures_recorded(self, figures):
        figures["mine"] = 1.0


@pytest.mark.parametrize("observer", [Drawing, Raising, Meddling])
def test_no_observer_changes_a_bit_of_a_run(clean_plugins, tmp_path, observer):
    from gantools.testing import differences
    from gantools.testing.contract import _numbers

    options = {"steps": 120, "progress": False, "evaluate_every": 0}
    alone = gantools.run("toy", out=tmp_path / "alone", plugins=clean_plugins(), **options)
    watched = clean_plugins(observer=observer())
    heard = gantools.run("toy", out=tmp_path / "heard", plugins=watched, **options)
    assert differences(_numbers(alone), _numbers(heard)) == []


def test_an_observer_that_raises_is_switched_off_and_named_once(clean_plugins, tmp_path, capsys):
    observer = Raising()
    plugins = clean_plugins(observer=observer)
    gantools.run("toy", out=tmp_path / "run", steps=110, plugins=plugins, progress=False)
    assert observer.heard == list(range(1, 101))
    assert capsys.readouterr().err.count("a hundred is too many") == 1
    assert "failed in turn_ended" in plugins.faults["observer"]


def test_a_slow_observer_is_named_once(clean_plugins, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("gantools.plugins.host.PATIENCE", -1)
    plugins = clean_plugins(observer=Drawing())
    gantools.run("toy", out=tmp_path / "run", steps=5, plugins=plugins, progress=False)
    assert capsys.readouterr().err.count("'observer' is slow: turn_ended took") == 1


# -- compatibility ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("gantools[hooks1]>=0.1,<1", ""),
        ("gantools", ""),
        ("gantools-gail>=99", ""),
        ("numpy>=99", ""),
        ("gantools>=99; python_version < '3'", ""),
        ("gantools<0.0.1", "it needs gantools<0.0.1, and this is"),
        ("Gantools [hooks2,rl]", "it needs version 2 of the hooks, and this has 1"),
    ],
)
def test_requirements_are_read_before_anything_is_imported(
    tmp_path, monkeypatch, requirement, reason
):
    file = install(tmp_path, "mine", "raise SystemExit('imported')", requires=(requirement,))
    monkeypatch.syspath_prepend(tmp_path)
    plugin = Plugins().get("mine")
    assert incompatibility(plugin).startswith(reason)
    assert bool(incompatibility(plugin)) == bool(reason)
    assert file.exists()
