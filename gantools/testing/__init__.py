"""What a plugin author's own tests need: a contract check, a toy application, a comparison.

With gantools installed, pytest also has the fixtures of :mod:`gantools.testing.fixtures`. The names
are imported when they are first used: the toy's light module is in this package.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gantools.testing.compare import differences
    from gantools.testing.contract import assert_plugin_ok

_HOME = {"assert_plugin_ok": "contract", "differences": "compare"}

__all__ = ["assert_plugin_ok", "differences"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
