"""Prediction of video for gantools: this light module registers it and imports nothing heavy."""

from __future__ import annotations

from gantools import Spec, hookimpl
from gantools_video.config import VideoConfig


@hookimpl
def register_applications() -> list[Spec]:
    """Register ``video``."""
    return [
        Spec(
            name="video",
            summary="Predict the next frames of a film: sharp, and moving",
            config=VideoConfig,
            implementation="gantools_video.application:VideoApplication",
            verbs="gantools_video.verbs:app",
        )
    ]
