"""Small games and pieces that many tests use."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GANTOOLS_CACHE", tempfile.mkdtemp(prefix="gantools-"))
