"""Adaptive discriminator augmentation (Karras et al. 2020, "Training GANs with limited data").

Every transformation of the paper's pipeline is drawn here as a matrix for each image: 3 × 3 on
homogeneous positions, or 4 × 4 on homogeneous colours. Their products are applied once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from gantools.nn.augment import Augment


class ADA(Augment):
    """Augment with a probability p that follows how much the discriminator overfits.

    Overfitting is r_t = E sign(D(real)) over the last few moves, 0 for none and 1 for complete
    (Karras et al. 2020, eq. 1). p rises while it is above the target and falls while it is below,
    by the images seen meanwhile / (1000 · kimg), and stays in [0, 1]; at p = 0 images pass
    unchanged. (The paper bounds p from below only; above one nothing changes any more.)

    The pipeline is that of appendix B without its image-space filters and corruptions, which the
    paper's own final results do without. Positions between pixels are interpolated linearly, where
    the paper first doubles the resolution with a wavelet. What moves in from outside is the
    image's reflection.

    Args:
        target: of r_t.
        kimg: thousands of images in which p can go from 0 to 1; ``inf`` keeps p where it is.
        p: at the start.
        interval: moves of the discriminator between two changes of p.
        blit: x-flips, quarter turns and shifts by whole pixels.
        geometry: scaling, rotation, anisotropic scaling and shifts.
        colour: brightness, contrast, luma flip, hue and saturation, for values in [−1, 1].

    Raises:
        ValueError: p is no probability, or ``kimg`` or ``interval`` is not positive.
    """

    p: Tensor
    seen: Tensor

    def __init__(
        self,
        target: float = 0.6,
        kimg: float = 500.0,
        p: float = 0.0,
        interval: int = 4,
        *,
        blit: bool = True,
        geometry: bool = True,
        colour: bool = True,
    ) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p is a probability, not {p}")
        if kimg <= 0 or interval < 1:
            raise ValueError(f"kimg and interval are positive, not {kimg} and {interval}")
        self.target, self.kimg, self.interval = target, kimg, interval
        self.positions = (*(BLIT if blit else ()), *(GEOMETRY if geometry else ()))
        self.colours = COLOUR if colour else ()
        self.register_buffer("p", torch.tensor(float(p)))
        # Since p changed: the sum of the scores' signs, how many scores, images and moves.
        self.register_buffer("seen", torch.zeros(4))

    def forward(
        self, x: Tensor, progress: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """Images [B, 1 or 3, H, W] -> images of the same shape.

        Raises:
            ValueError: they are neither grey nor RGB.
        """
        if x.dim() != 4 or x.shape[1] not in (1, 3):
            raise ValueError(f"ada takes images [B, 1 or 3, H, W], not {list(x.shape)}")
        if not self.p:
            return x
        draw = Draw(x, generator)
        if self.positions:
            x = warp(x, compose(self.positions, draw, self.p))
        if self.colours:
            x = recolour(x, compose(self.colours, draw, self.p))
        return x

    @torch.no_grad()
    def observe(self, real_scores: Tensor) -> None:
        """Take note of D's scores [B, …] of augmented reals, positive where it takes them for real;
        at every ``interval``-th call change p. Processes count their images together."""
        signs = real_scores.sign().sum().item()
        self.seen += self.seen.new_tensor([signs, real_scores.numel(), len(real_scores), 1])
        if self.seen[3] < self.interval:
            return
        seen = self.seen
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            seen = seen.to(real_scores.device)  # where the processes' backend can add them up
            torch.distributed.all_reduce(seen)
        signs, scores, images, _ = seen.tolist()
        overfitting = signs / scores
        direction = (overfitting > self.target) - (overfitting < self.target)
        self.p.add_(direction * images / (1000 * self.kimg)).clamp_(0, 1)
        self.seen.zero_()


# -- what is drawn for each image ----------------------------------------------------------------


@dataclass(frozen=True)
class Draw:
    """Random numbers [B], one for each image, of the images' type and on their device.

    Attributes:
        images: [B, C, H, W].
        generator: where random numbers come from.
    """

    images: Tensor
    generator: torch.Generator | None = None

    def uniform(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """U[low, high)."""
        return self.images.new_empty(len(self.images)).uniform_(low, high, generator=self.generator)

    def normal(self, std: float) -> Tensor:
        """N(0, std²)."""
        return self.images.new_empty(len(self.images)).normal_(0, std, generator=self.generator)

    def integer(self, count: int) -> Tensor:
        """0, …, count − 1."""
        return self.uniform(0, count).floor()


Transformation = Callable[[Draw], Tensor]
"""Draws an affine map of positions [B, 3, 3] or of colours [B, 4, 4] for each image."""


def compose(steps: Sequence[Transformation], draw: Draw, p: Tensor) -> Tensor:
    """The product of the transformations [B, n, n], the first applied first, each with chance p.

    A rotation comes twice, each time with chance 1 − √(1 − p), so that one happens with chance p.
    """
    product = None
    for step in steps:
        chance = 1 - (1 - p).sqrt() if step is rotation else p
        matrices = step(draw)
        identity = torch.eye(matrices.shape[1], device=matrices.device, dtype=matrices.dtype)
        happens = draw.uniform() < chance
        matrices = torch.where(happens[:, None, None], matrices, identity)
        product = matrices if product is None else matrices @ product
    assert product is not None
    return product


def affine(linear: Tensor, shift: Tensor | None = None) -> Tensor:
    """x -> linear x + shift in homogeneous coordinates: [B, n, n], [B, n] -> [B, n + 1, n + 1]."""
    n = linear.shape[1]
    matrix = torch.eye(n + 1, device=linear.device, dtype=linear.dtype).repeat(len(linear), 1, 1)
    matrix[:, :n, :n] = linear
    if shift is not None:
        matrix[:, :n, n] = shift
    return matrix


def scaling(*factors: Tensor) -> Tensor:
    """Multiply each coordinate by its factors [B]: [B, n + 1, n + 1]."""
    return affine(torch.diag_embed(torch.stack(factors, 1)))


def shifting(*shifts: Tensor) -> Tensor:
    """Add to each coordinate its shifts [B]: [B, n + 1, n + 1]."""
    n = len(shifts)
    linear = torch.eye(n, device=shifts[0].device, dtype=shifts[0].dtype)
    return affine(linear.expand(len(shifts[0]), n, n), torch.stack(shifts, 1))


# Positions are in pixels, x to the right and y down, from the image's centre.


def turning(angle: Tensor) -> Tensor:
    """Turn by angles [B] in radians, clockwise as one sees it: [B, 3, 3]."""
    cos, sin = angle.cos(), angle.sin()
    return affine(torch.stack([cos, -sin, sin, cos], 1).view(-1, 2, 2))


def x_flip(draw: Draw) -> Tensor:
    """Mirrored or not, left to right."""
    sign = 1 - 2 * draw.integer(2)
    return scaling(sign, torch.ones_like(sign))


def quarter_turn(draw: Draw) -> Tensor:
    """Turned by 0, 90, 180 or 270 degrees."""
    return turning(draw.integer(4) * (math.pi / 2))


def pixel_shift(draw: Draw) -> Tensor:
    """Shifted by U(−⅛, ⅛) of width and height, rounded to whole pixels."""
    height, width = draw.images.shape[2:]
    x, y = draw.uniform(-0.125, 0.125), draw.uniform(-0.125, 0.125)
    return shifting((x * width).round(), (y * height).round())


def scale(draw: Draw) -> Tensor:
    """Larger by a factor with log₂ s ~ N(0, 0.2²)."""
    factor = draw.normal(0.2).exp2()
    return scaling(factor, factor)


def rotation(draw: Draw) -> Tensor:
    """Turned by U(−π, π)."""
    return turning(draw.uniform(-math.pi, math.pi))


def stretch(draw: Draw) -> Tensor:
    """Wider by s and lower by 1/s, with log₂ s ~ N(0, 0.2²)."""
    factor = draw.normal(0.2).exp2()
    return scaling(factor, 1 / factor)


def shift(draw: Draw) -> Tensor:
    """Shifted by N(0, ⅛²) of width and height."""
    height, width = draw.images.shape[2:]
    return shifting(draw.normal(0.125) * width, draw.normal(0.125) * height)


BLIT: tuple[Transformation, ...] = (x_flip, quarter_turn, pixel_shift)
GEOMETRY: tuple[Transformation, ...] = (scale, rotation, stretch, rotation, shift)

# Colours are (red, green, blue); grey is the direction (1, 1, 1) and the luma what lies along it.


def brightness(draw: Draw) -> Tensor:
    """All values + N(0, 0.2²)."""
    more = draw.normal(0.2)
    return shifting(more, more, more)


def contrast(draw: Draw) -> Tensor:
    """All values times a factor with log₂ c ~ N(0, 0.5²)."""
    factor = draw.normal(0.5).exp2()
    return scaling(factor, factor, factor)


def luma_flip(draw: Draw) -> Tensor:
    """The luma's sign changed or not; hue and saturation stay."""
    grey, rest = _grey_and_rest(draw)
    sign = 1 - 2 * draw.integer(2)
    return affine(sign[:, None, None] * grey + rest)


def hue(draw: Draw) -> Tensor:
    """Colours turned about grey by U(−π, π)."""
    grey, rest = _grey_and_rest(draw)
    axis = draw.images.new_full((3,), 3**-0.5)
    across = torch.linalg.cross(axis.expand(3, 3), torch.eye(3).to(axis)).T  # v -> axis × v
    angle = draw.uniform(-math.pi, math.pi)[:, None, None]
    return affine(grey + angle.cos() * rest + angle.sin() * across)


def saturation(draw: Draw) -> Tensor:
    """The distance from grey times a factor with log₂ s ~ N(0, 1)."""
    grey, rest = _grey_and_rest(draw)
    return affine(grey + draw.normal(1.0).exp2()[:, None, None] * rest)


def _grey_and_rest(draw: Draw) -> tuple[Tensor, Tensor]:
    """The projections of colours onto grey and onto what is left of them, [3, 3] each."""
    grey = draw.images.new_full((3, 3), 1 / 3)
    return grey, torch.eye(3).to(grey) - grey


COLOUR: tuple[Transformation, ...] = (brightness, contrast, luma_flip, hue, saturation)


# -- and how it is applied -------------------------------------------------------------------------


def warp(x: Tensor, matrix: Tensor) -> Tensor:
    """Move the pixels of images [B, C, H, W] by maps of positions [B, 3, 3]; same shape.

    Gradients flow into the images, and through gradients once more (for penalties).
    """
    height, width = x.shape[2:]
    pixels = torch.diag(x.new_tensor([width / 2, height / 2, 1]))  # of an image from −1 to 1
    source = pixels.inverse() @ torch.linalg.inv(matrix) @ pixels
    grid = affine_grid(source[:, :2], list(x.shape), align_corners=False)
    return _Sample.apply(x, grid)


def recolour(x: Tensor, matrix: Tensor) -> Tensor:
    """Map the colours of images [B, 1 or 3, H, W] by [B, 4, 4]; grey ones are then made grey."""
    colours = x.expand(-1, 3, -1, -1).flatten(2)
    mapped = torch.baddbmm(matrix[:, :3, 3:], matrix[:, :3, :3], colours)
    mapped = mapped.view(-1, 3, *x.shape[2:])
    return mapped if x.shape[1] == 3 else mapped.mean(1, keepdim=True)


def _sample(x: Tensor, grid: Tensor) -> Tensor:
    return grid_sample(x, grid, padding_mode="reflection", align_corners=False)


class _Sample(torch.autograd.Function):
    """``grid_sample`` with a gradient that can be differentiated, which torch's own has not.

    It is linear in the image, so its gradient is the transposed map, and the gradient of that is
    the map itself. The grid gets no gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.shape = x.shape
        return _sample(x, grid)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (grid,) = ctx.saved_tensors
        return _SampleTransposed.apply(gradient, grid, ctx.shape), None


class _SampleTransposed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, grid: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        with torch.enable_grad():
            x = gradient.new_zeros(shape, requires_grad=True)
            (result,) = torch.autograd.grad(_sample(x, grid), x, gradient)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradient, grid), None, None
