"""How good predicted frames are, step by step: near the truth, and as sharp and moving as it.

Frames are float32 [B, T, C, H, W] in [0, 1]: B windows, T steps of a rollout from its first. Every
measure gives [T], a number for each step. No single one will do: copying the last frame and blur
are good in PSNR, noise is good in gradient and motion ratio.

To measure a whole test set give all of its windows at once: a ratio of averages cannot be had
from the ratios of its parts.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ROUNDING = (1 / 255) ** 2 / 12
"""The mean squared error of rounding to 8 bits; no frame of a video is known better (58.9 dB)."""
MOVES = 0.06
"""By more than this a pixel of any channel changed where something moves."""
DILATION = 2
"""By so many pixels, in every direction, the moving area is larger than what moved."""


def psnr(predicted: Tensor, true: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB, from 0 to 58.9 (an error as small as that of rounding).

    The ratio of each frame, then their mean over the windows, as is usual for videos.

    Args:
        predicted: [B, T, C, H, W] in [0, 1].
        true: the same.
    """
    return _decibels((predicted - true).square().mean(dim=(2, 3, 4))).mean(dim=0)


def moving_psnr(predicted: Tensor, true: Tensor, past: Tensor) -> Tensor:
    """PSNR as :func:`psnr` gives it, where something moved in the last two frames that were known.

    The moving area is |x_0 − x_−1| > ``MOVES`` in any channel, dilated by ``DILATION``; it is the
    same at every step, and depends neither on the prediction nor on the future. Windows in which
    nothing moved are left out.

    Args:
        predicted: [B, T, C, H, W] in [0, 1].
        true: the same.
        past: the known frames x_…, x_−1, x_0, [B, P, C, H, W] with P ≥ 2.

    Returns:
        dB, [T]; NaN if nothing moved in any window.
    """
    moved = (past[:, -1] - past[:, -2]).abs().amax(dim=1) > MOVES
    area = F.max_pool2d(moved.float(), 2 * DILATION + 1, stride=1, padding=DILATION)
    pixels = area.sum(dim=(1, 2))
    errors = (predicted - true).square().mean(dim=2)
    means = torch.einsum("bthw,bhw->bt", errors, area) / pixels[:, None]
    return _decibels(means[pixels > 0]).mean(dim=0)


def ssim(predicted: Tensor, true: Tensor) -> Tensor:
    """Structural similarity, at most 1, its mean over windows, channels and places.

    Weights are a Gaussian of σ = 1.5 in 11 × 11 pixels, only where all of it lies in the frame.
    Each channel counts alike; the paper's images are grey.

    Args:
        predicted: [B, T, C, H, W] in [0, 1], H and W at least 11.
        true: the same.

    Raises:
        RuntimeError: smaller frames.

    Source: Wang et al. 2004, "Image quality assessment: from error visibility to structural
        similarity", eq. 13 with C₁ = .01², C₂ = .03² and eqs. 14–17.
    """
    steps = zip(predicted.unbind(1), true.unbind(1), strict=True)  # one by one spares memory
    return torch.stack([_ssim(x.flatten(0, 1), y.flatten(0, 1)) for x, y in steps])


def gradient_ratio(predicted: Tensor, true: Tensor) -> Tensor:
    """Sharpness: the sum of the prediction's absolute gradients over that of the truth's.

    1 is as sharp as the truth, less is blur, more is noise or edges that are not there. Gradients
    are differences of neighbours in x and in y. Both sums are over all windows.

    Args:
        predicted: [B, T, C, H, W] in [0, 1].
        true: the same.

    Returns:
        [T], at least 0; infinite or NaN where the truth has no gradients at all.
    """
    return _gradients(predicted) / _gradients(true)


def motion_ratio(predicted: Tensor, true: Tensor, past: Tensor) -> Tensor:
    """Motion: the sum of the prediction's absolute frame differences over that of the truth's.

    1 moves as much as the truth, 0 not at all. The frame before the first is the last known one
    for both. Both sums are over all windows.

    Args:
        predicted: [B, T, C, H, W] in [0, 1].
        true: the same.
        past: the known frames, [B, P, C, H, W].

    Returns:
        [T], at least 0; infinite or NaN where the truth does not move at all.
    """
    return _motion(predicted, past) / _motion(true, past)


def rollout_figures(past: Tensor, future: Tensor, predicted: Tensor) -> dict[str, list[float]]:
    """Measure a rollout by all that is in this file, at every step.

    Args:
        past: the known frames, [B, P, C, H, W] in [0, 1], P ≥ 2.
        future: the true frames after them, [B, T, C, H, W].
        predicted: the predicted ones, of the same shape.

    Returns:
        ``psnr``, ``ssim``, ``moving_psnr``, ``gradient_ratio`` and ``motion_ratio``, T numbers
        each.

    Raises:
        ValueError: these shapes do not belong together, or there is only one known frame.
    """
    wanted = (len(past), future.shape[1], *past.shape[2:])
    if not wanted == future.shape == predicted.shape or past.shape[1] < 2:
        raise ValueError(
            "Past, future and predicted frames are [B, P, C, H, W], [B, T, C, H, W] and the same, "
            f"P at least 2, not {list(past.shape)}, {list(future.shape)}, {list(predicted.shape)}."
        )
    figures = {
        "psnr": psnr(predicted, future),
        "ssim": ssim(predicted, future),
        "moving_psnr": moving_psnr(predicted, future, past),
        "gradient_ratio": gradient_ratio(predicted, future),
        "motion_ratio": motion_ratio(predicted, future, past),
    }
    return {name: values.tolist() for name, values in figures.items()}


def _decibels(squared_error: Tensor) -> Tensor:
    return -10 * squared_error.clamp(min=ROUNDING).log10()


def _ssim(x: Tensor, y: Tensor) -> Tensor:
    """SSIM of images [N, H, W], their mean, a scalar."""
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x = _blur(x * x) - mean_x**2
    variance_y = _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    structure = (2 * covariance + 0.03**2) / (variance_x + variance_y + 0.03**2)
    return (luminance * structure).mean()


def _blur(images: Tensor) -> Tensor:
    """Weighted means around every place, [N, H, W] to [N, H − 10, W − 10]."""
    distance = torch.arange(-5, 6, dtype=images.dtype, device=images.device)
    weights = torch.softmax(-(distance**2) / (2 * 1.5**2), dim=0)  # exp, of sum 1
    rows = F.conv2d(images[:, None], weights.view(1, 1, 11, 1))
    return F.conv2d(rows, weights.view(1, 1, 1, 11)).squeeze(1)


def _gradients(frames: Tensor) -> Tensor:
    """The sum of absolute gradients at every step, [T]."""
    of_each_step = (0, 2, 3, 4)
    x, y = frames.diff(dim=-1), frames.diff(dim=-2)
    return x.abs().sum(dim=of_each_step) + y.abs().sum(dim=of_each_step)


def _motion(frames: Tensor, past: Tensor) -> Tensor:
    """The sum of absolute differences from the frame before, at every step, [T]."""
    return frames.diff(dim=1, prepend=past[:, -1:]).abs().sum(dim=(0, 2, 3, 4))
