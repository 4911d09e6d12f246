"""Plugins: found by entry point, examined apart, imported when needed, isolated when they break."""

from gantools.plugins.host import Plugins
from gantools.plugins.plugin import GROUP, KINDS, RESERVED, SINGULAR, Plugin

__all__ = ["GROUP", "KINDS", "RESERVED", "SINGULAR", "Plugin", "Plugins"]
