"""What the tests share: a small setting."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GANTOOLS_CACHE", tempfile.mkdtemp(prefix="gantools-"))


@pytest.fixture(scope="session")
def small() -> dict[str, object]:
    """Options of a training of small turns and a short evaluation."""
    return {
        "batch": 32,
        "attack_steps": 2,
        "samples": 40,
        "restarts": 1,
        "evaluate_every": 0,
    }
