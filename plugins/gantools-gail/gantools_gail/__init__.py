"""GAIL for gantools: this light module registers the application and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_gail.config import GAILConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``gail``."""
    return [
        Spec(
            name="gail",
            summary="Imitation learning from a few demonstrations (GAIL, AIRL reward, VAIL)",
            config=GAILConfig,
            implementation="gantools_gail.application:GAIL",
            verbs="gantools_gail.verbs:app",
        )
    ]
