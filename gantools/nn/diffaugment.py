"""DiffAugment (Zhao et al. 2020): colour, translation and cutout that gradients flow through."""

from __future__ import annotations

import torch
from torch import Tensor

from gantools.nn.augment import Augment


class DiffAugment(Augment):
    """Change colours, move and cut every image, always, with random strength (Zhao et al. 2020).

    The paper's *Color + Translation + Cutout*: brightness
    + U[−½, ½), saturation · U[0, 2) (about each pixel's mean over the channels) and contrast
    · U[½, 3⁄2) (about the image's mean); translation by whole pixels with zeros moving in; a
    square of zeros. For images [B, C, H, W] of any C, with values in about [−1, 1].

    Args:
        colour: whether colours are changed.
        translation: the largest shift as a share of height and width; 0 moves nothing.
        cutout: the square's side as a share of height and width; 0 cuts nothing.
    """

    def __init__(
        self, colour: bool = True, translation: float = 0.125, cutout: float = 0.5
    ) -> None:
        super().__init__()
        self.colour, self.translation, self.cutout = colour, translation, cutout

    def forward(
        self, x: Tensor, progress: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Images [B, C, H, W] -> images [B, C, H, W].

        Raises:
            ValueError: these are no images.
        """
        if x.dim() != 4:
            raise ValueError(f"diffaugment takes images [B, C, H, W], not {list(x.shape)}")
        if self.colour:
            x = recolour(x, generator)
        if self.translation:
            for dim in (2, 3):
                reach = int(self.translation * x.shape[dim])
                x = translate(x, _integers(x, -reach, reach + 1, generator), dim)
        if self.cutout:
            x = cut(x, self.cutout, generator)
        return x


def recolour(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Brightness, saturation and contrast of images [B, C, H, W], in this order."""
    draws = torch.rand(3, len(x), 1, 1, 1, generator=generator, device=x.device, dtype=x.dtype)
    brightness, saturation, contrast = draws
    x = x + brightness - 0.5
    x = torch.lerp(x.mean(1, keepdim=True), x, 2 * saturation)
    return torch.lerp(x.mean((1, 2, 3), keepdim=True), x, contrast + 0.5)


def translate(x: Tensor, by: Tensor, dim: int) -> Tensor:
    """Move each image of [B, C, H, W] by so many pixels [B] along ``dim``; zeros move in."""
    size = x.shape[dim]
    source = torch.arange(size, device=x.device) - by[:, None]
    source = source.view(-1, 1, size, 1) if dim == 2 else source.view(-1, 1, 1, size)
    inside = (source >= 0) & (source < size)
    return x.gather(dim, source.clamp(0, size - 1).expand_as(x)) * inside


def cut(x: Tensor, share: float, generator: torch.Generator | None = None) -> Tensor:
    """Set a rectangle of this share of height and width to zero; its centre is anywhere."""
    covered = []
    for size in x.shape[2:]:
        side = int(share * size + 0.5)
        first = _integers(x, 0, size + 1 - side % 2, generator) - side // 2
        offset = torch.arange(size, device=x.device) - first[:, None]
        covered.append((offset >= 0) & (offset < side))
    rows, columns = covered
    return x * ~(rows[:, None, :, None] & columns[:, None, None, :])


def _integers(x: Tensor, low: int, high: int, generator: torch.Generator | None) -> Tensor:
    """An integer in [low, high) for each image, [B]."""
    return torch.randint(low, high, (len(x),), generator=generator, device=x.device)
