"""A codec for gantools: this light module registers it and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_codec.config import CodecConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``codec``."""
    return [
        Spec(
            name="codec",
            summary="Compress pictures, lossless and lossy, with a code that a game learned",
            config=CodecConfig,
            implementation="gantools_codec.application:CodecApplication",
            verbs="gantools_codec.verbs:app",
        )
    ]
