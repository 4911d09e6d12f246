"""How far sounds are from each other: spectra of several resolutions, what a critic finds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

RESOLUTIONS = (256, 512, 1024)
"""Samples of a window; one begins every quarter of it."""
FLOOR = 1e-3
"""Magnitudes are told apart down to about this."""


def spectral(made: Tensor, real: Tensor, resolutions: Sequence[int] = RESOLUTIONS) -> Tensor:
    """Spectral convergence and the mean difference of log magnitudes, averaged over resolutions.

    ‖|S| − |Ŝ|‖_F / ‖|S|‖_F + mean |ln |S| − ln |Ŝ|| (Yamamoto et al. 2020, "Parallel WaveGAN",
    eqs. 3 to 6).

    Args:
        made: sound [B, T] in [−1, 1], as ``real``.
    """
    total = made.new_zeros(())
    for n in resolutions:
        s, s_hat = (magnitudes(x, n) for x in (real, made))
        convergence = (s - s_hat).norm() / s.norm().clamp(min=FLOOR)
        total = total + convergence + (s.log() - s_hat.log()).abs().mean()
    return total / len(resolutions)


def magnitudes(x: Tensor, n: int) -> Tensor:
    """√(|S|² + FLOOR²) of windows of n samples, [B, n / 2 + 1, windows]."""
    window = torch.hann_window(n, device=x.device)
    s = torch.stft(x.float(), n, n // 4, window=window, return_complex=True)
    return (s.real**2 + s.imag**2 + FLOOR**2).sqrt()


def feature_distance(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """The mean of |D_l(x) − D_l(x̂)|, averaged over a critic's layers l (Kumar et al. 2019,
    "MelGAN", eq. 4); the real ones' are not learned from."""
    pairs = zip(made, real, strict=True)
    return torch.stack([(a - b.detach()).abs().mean() for a, b in pairs]).mean()
