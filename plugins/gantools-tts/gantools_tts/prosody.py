"""How long phones are, and how high the voice is: what is spoken but not written."""

from __future__ import annotations

from torch import Tensor, nn

from gantools_tts.features import FRAME_FEATURES, PHONE_FEATURES
from gantools_tts.generators import Block


class Prosody(nn.Module):
    """Predicts lengths from phones, and the pitch from frames.

    Args:
        width: channels.
        blocks: of each of the two networks.
        dropout: of what a block finds, in training: recordings of one person are few.
    """

    def __init__(self, width: int = 64, blocks: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.lengths = _network(PHONE_FEATURES, width, blocks, 1, dropout)
        self.pitch = _network(FRAME_FEATURES - 2, width, blocks, 2, dropout)

    def log_lengths(self, phones: Tensor) -> Tensor:
        """[B, PHONE_FEATURES, N] -> ln(1 + frames), [B, N]."""
        return self.lengths(phones)[:, 0] + 2.5

    def octaves(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """[B, FRAME_FEATURES − 2, T] -> the pitch in octaves above 150 Hz, and the logit of there
        being one, [B, T] each."""
        octaves, voiced = self.pitch(frames).unbind(1)
        return octaves, voiced

    def forward(self, phones: Tensor, frames: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Both at once, for training."""
        return self.log_lengths(phones), self.octaves(frames)


def _network(inputs: int, width: int, blocks: int, outputs: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, width, 5, padding=2),
        *(layer for _ in range(blocks) for layer in (Block(width), nn.Dropout(dropout))),
        nn.Conv1d(width, outputs, 1),
    )


def length_loss(made: Tensor, frames: Tensor, there: Tensor) -> Tensor:
    """Mean |ln(1 + d̂) − ln(1 + d)| over the phones that are there, all [B, N]."""
    wrong = (made - frames.float().log1p()).abs() * there
    return wrong.sum() / there.sum().clamp(min=1)


def pitch_loss(made: tuple[Tensor, Tensor], told: Tensor) -> Tensor:
    """Mean |octaves| where the voice has a pitch, and the cross-entropy of having one.

    Args:
        made: what :meth:`Prosody.octaves` gave, [B, T] each.
        told: the truth, [B, 2, T], as :func:`gantools_tts.features.of_pitch` tells it.
    """
    octaves, voiced = told.unbind(1)
    away = ((made[0] - octaves).abs() * voiced).sum() / voiced.sum().clamp(min=1)
    return away + nn.functional.binary_cross_entropy_with_logits(made[1], voiced)
