"""Text to image for gantools: this light module registers it and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_text2image.config import TextToImageConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``text2image``."""
    return [
        Spec(
            name="text2image",
            summary="Draw what the words say: emoji from names, or your own captioned pictures",
            config=TextToImageConfig,
            implementation="gantools_text2image.application:TextToImage",
            verbs="gantools_text2image.verbs:app",
        )
    ]
