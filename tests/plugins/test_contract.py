"""The contract check finds every breach of the contract."""

from __future__ import annotations

import itertools

import pytest
from third_party import install

from gantools.testing import assert_plugin_ok

COUNT = itertools.count()

LIGHT = """
from dataclasses import dataclass
from typing import Annotated
from gantools import Option, RunConfig, Spec, hookimpl
from gantools.testing.toy import ToyConfig

@dataclass(frozen=True, kw_only=True)
class Config(ToyConfig):
    extra: Annotated[{type}, Option({help!r}, min=0)] = {default}

@hookimpl
def register_applications():
    return [Spec({name!r}, "breaks its word", Config, "{module}_game:App")]
"""
HEAVY = """
import random, time
from gantools.testing.toy_game import Points, Toy
from gantools.data import Batches

class App(Toy):
    {method}
"""
GOOD = {"type": "int", "help": "Changes nothing.", "default": "0"}


@pytest.fixture
def breach(tmp_path, monkeypatch, gantools_cache):
    """Install an application with a fault, and check it."""

    def check(method: str = "pass", observer: str = "", **light: str) -> None:
        name = f"breach{next(COUNT)}"
        code = LIGHT.format(**{**GOOD, **light}, name=name, module=f"plugin_{name}")
        install(tmp_path, name, code + observer)
        (tmp_path / f"plugin_{name}_game.py").write_text(HEAVY.format(method=method))
        monkeypatch.syspath_prepend(tmp_path)
        assert_plugin_ok(name)

    return check


def test_the_toy_keeps_it(breach):
    breach()


def test_an_option_that_says_nothing_of_itself(breach):
    with pytest.raises(AssertionError, match="extra says nothing of itself"):
        breach(help="")


def test_a_default_that_its_own_range_refuses(breach):
    with pytest.raises(Exception, match="'extra' must be at least 0"):
        breach(default="-1")


def test_a_resume_that_is_not_one(breach):
    forgetful = """
    def build(self, setting):
        game, data = super().build(setting)
        self.turns_seen = 0
        loss = game.generator_loss
        def drifting(turn):
            self.turns_seen += 1
            return loss(turn) * self.turns_seen
        game.generator_loss = drifting
        return game, data
"""
    with pytest.raises(AssertionError, match="a resumed run ends with other numbers: "):
        breach(forgetful)


def test_an_evaluation_that_differs_each_time(breach):
    moody = """
    def evaluate(self, trained):
        return {"mood": time.time_ns(), "a": 1}
"""
    with pytest.raises(AssertionError, match="evaluated again, mood differ"):
        breach(moody)


def test_an_evaluation_that_says_nothing(breach):
    with pytest.raises(AssertionError, match="its evaluation says nothing"):
        breach("def evaluate(self, trained): return {}")


def test_an_observer_that_raises(breach):
    observer = """
@hookimpl
def checkpoint_saved(turn):
    raise ValueError(f"not at {turn}")
"""
    with pytest.raises(AssertionError, match="failed in checkpoint_saved: ValueError: not at 0"):
        breach(observer=observer)


def test_heavy_code_that_is_not_there(tmp_path, monkeypatch, gantools_cache):
    code = LIGHT.format(**GOOD, name="gone", module="plugin_gone")
    install(tmp_path, "gone", code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Exception, match="Cannot import 'plugin_gone_game:App'"):
        assert_plugin_ok("gone")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import numpy", "imports numpy"),
        ("raise ImportError('no')", "is failed: ImportError: no"),
    ],
)
def test_a_light_module_that_is_not_light(tmp_path, monkeypatch, gantools_cache, code, said):
    install(tmp_path, f"lump{next(COUNT)}", code)
    monkeypatch.syspath_prepend(tmp_path)
    (name,) = [p.stem.removeprefix("plugin_") for p in tmp_path.glob("plugin_*.py")]
    with pytest.raises(AssertionError, match=said):
        assert_plugin_ok(name)
