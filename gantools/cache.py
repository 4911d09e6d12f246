"""The user's cache: what can be made again at any time, kept between programs."""

from __future__ import annotations

import os
from pathlib import Path


def folder() -> Path:
    """``$GANTOOLS_CACHE``, or ``gantools`` in the user's cache; it may not exist yet."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("GANTOOLS_CACHE") or Path(cache) / "gantools")
