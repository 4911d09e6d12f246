"""Fixtures for plugin authors; pytest finds them where gantools is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def gantools_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of gantools' own for this test, so that nothing is remembered after it."""
    folder = tmp_path / "gantools-cache"
    monkeypatch.setenv("GANTOOLS_CACHE", str(folder))
    return folder


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
