"""Speech for gantools: this light module registers it and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_tts.config import TTSConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``tts``."""
    return [
        Spec(
            name="tts",
            summary="Text to speech, by a generator that plays against listeners to windows",
            config=TTSConfig,
            implementation="gantools_tts.application:TTSApplication",
            verbs="gantools_tts.verbs:app",
        )
    ]
