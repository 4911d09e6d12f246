"""Plugins: found by entry point, examined apart, imported when needed, isolated when they break."""

from gantools.plugins.host import GROUP, KINDS, RESERVED, Plugin, Plugins

__all__ = ["GROUP", "KINDS", "RESERVED", "Plugin", "Plugins"]
