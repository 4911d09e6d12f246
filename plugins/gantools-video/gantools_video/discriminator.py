"""Who tells true films from made ones, a few frames in a row."""

from __future__ import annotations

from torch import Tensor, nn

from gantools_video.blocks import leaky


class Discriminator(nn.Module):
    """Scores films by all of their stretches of a few frames, [B, T, C, H, W] -> [B, scores].

    Args:
        channels: of a frame.
        frames: of a stretch.
        width: of the first layer.
        layers: how often it halves the frames' sides.
    """

    def __init__(self, channels: int, frames: int, width: int, layers: int = 3) -> None:
        super().__init__()
        self.frames = frames
        halved: list[nn.Module] = []
        inputs = channels * frames
        for i in range(layers):
            outputs = width * 2**i
            halved += [nn.Conv2d(inputs, outputs, 4, 2, 1), leaky()]
            inputs = outputs
        self.look = nn.Sequential(*halved, nn.Conv2d(inputs, 1, 3, padding=1))

    def forward(self, film: Tensor) -> Tensor:
        """Scores of patches; of about 40 pixels if it halves thrice."""
        stretches = film.unfold(1, self.frames, 1).movedim(-1, 2)  # [B, N, frames, C, H, W]
        return self.look(stretches.flatten(2, 3).flatten(0, 1)).view(len(film), -1)
