"""The tests' own plugin: gantools' toy application, and an observer that fails."""

from __future__ import annotations

from gantools import hookimpl
from gantools.testing.toy import register_applications

__all__ = ["register_applications"]


@hookimpl
def evaluated(results) -> None:
    """Fail, to show that a run survives it."""
    raise RuntimeError("an observer that fails")
