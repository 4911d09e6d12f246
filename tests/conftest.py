"""Small games and pieces that many tests use."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
