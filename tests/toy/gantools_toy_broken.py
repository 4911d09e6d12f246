"""A plugin that fails to import, as plugins do."""

raise RuntimeError("this plugin is broken on purpose")
