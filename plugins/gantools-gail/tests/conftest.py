"""What GAIL's tests share: small settings, and the program run in this process."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("GANTOOLS_CACHE", tempfile.mkdtemp(prefix="gantools-"))


@pytest.fixture(scope="session")
def small() -> dict[str, object]:
    """Options of a CartPole training of two small turns."""
    return {
        "env": "CartPole-v1",
        "steps": 64,
        "environments": 2,
        "rollout": 16,
        "trajectories": 2,
        "discriminator_moves": 2,
        "batch": 16,
        "clone_steps": 20,
        "episodes": 2,
        "evaluate_every": 0,
    }
