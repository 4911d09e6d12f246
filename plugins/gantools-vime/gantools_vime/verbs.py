"""``gantools vime play``."""

from __future__ import annotations

from gantools.agents.verbs import verbs

app = verbs("vime", help="Use trained explorers.")
