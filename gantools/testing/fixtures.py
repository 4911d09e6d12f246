"""Fixtures for plugin authors; pytest finds them where gantools is installed."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def gantools_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of gantools' own for this test, so that nothing is remembered after it."""
    folder = tmp_path / "gantools-cache"
    monkeypatch.setenv("GANTOOLS_CACHE", str(folder))
    return folder


@pytest.fixture
def gantools_cli(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., SimpleNamespace]:
    """Run the program in this process; returns its exit ``code``, and what it said, ``out`` and
    ``err``.

    Example:
        >>> def test_draw(gantools_cli, tmp_path):
        ...     assert gantools_cli("my-game", "draw", "-o", tmp_path / "a.png").code == 0
    """
    from gantools.cli import main as program

    def call(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gantools", *map(str, arguments)])
        code: Any = 0
        with warnings.catch_warnings():
            try:
                program.main()
            except SystemExit as ended:
                code = ended.code or 0
        out, err = capfd.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return call


@pytest.fixture
def clean_plugins() -> Callable[..., Any]:
    """Make a host of plugins that knows no installed one: the toy, and the modules it is given.

    Example:
        >>> def test_my_observer(clean_plugins, tmp_path):
        ...     plugins = clean_plugins(mine=my_module)
        ...     gantools.run("toy", out=tmp_path / "run", steps=20, plugins=plugins)
    """
    from gantools.plugins import Plugins
    from gantools.testing import toy

    def make(**modules: Any) -> Plugins:
        return Plugins({"toy": toy, **modules}, installed=False)

    return make
