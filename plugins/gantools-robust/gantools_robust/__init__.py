"""Adversarial training for gantools: this light module registers it and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_robust.config import RobustConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``robust``."""
    return [
        Spec(
            name="robust",
            summary="A digit classifier trained against adversarial examples (FGSM, PGD, TRADES)",
            config=RobustConfig,
            implementation="gantools_robust.application:Robust",
        )
    ]
