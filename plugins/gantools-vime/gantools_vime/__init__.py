"""VIME for gantools: this light module registers what there is and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_vime.config import VIMEConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``vime``."""
    return [
        Spec(
            name="vime",
            summary="Exploration by what surprises a model of the world (VIME, RND, disagreement)",
            config=VIMEConfig,
            implementation="gantools_vime.application:Exploration",
            verbs="gantools_vime.verbs:app",
        )
    ]


@hookimpl
def register_bonuses() -> dict[str, str]:
    """The bonuses of :mod:`gantools_vime.bonuses`."""
    names = {"vime": "VIME", "l2": "L2", "rnd": "RND", "disagreement": "Disagreement"}
    return {name: f"gantools_vime.bonuses:{kind}" for name, kind in names.items()}
