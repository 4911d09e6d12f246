"""``gantools vime play``."""

from __future__ import annotations

from gantools.agents.play import verbs

app = verbs("vime", help="Use trained explorers.")
