"""Sound of a spectrogram without a network: what a vocoder has to be better than."""

from __future__ import annotations

import torch
from torch import Tensor
from torchaudio.transforms import GriffinLim, InverseMelScale, MelSpectrogram, Spectrogram

ITERATIONS = 32


def griffin_lim(
    spectrogram: Tensor,
    made_by: Spectrogram | MelSpectrogram,
    length: int | None = None,
    iterations: int = ITERATIONS,
    seed: int = 0,
) -> Tensor:
    """Find a sound that has a spectrogram, or nearly.

    The fast algorithm of Griffin & Lim with torchaudio's momentum of 0.99 (Perraudin et al. 2013,
    "A fast Griffin-Lim algorithm", algorithm 2), from random phases. A mel spectrogram is first put
    back onto the frequencies of the transform: the smallest solution by least squares, with what
    is below zero set to zero.

    Args:
        spectrogram: [..., F, T] as ``made_by`` gives it: no logarithm, its own power.
        made_by: the transform that made it, or that a network was taught to imitate; its size,
            hop, window, power and mel bands are taken from it.
        length: samples of the sound. None: as many as T frames are sure of, (T − 1) · hop.
        iterations: 32 as is usual.
        seed: draws the first phases; torch's own random numbers are left as they are.

    Returns:
        [..., length] in [−1, 1]; what is louder is clipped.
    """
    linear = made_by
    if isinstance(made_by, MelSpectrogram):
        linear, bands = made_by.spectrogram, made_by.mel_scale
        spectrogram = InverseMelScale(
            linear.n_fft // 2 + 1,
            bands.n_mels,
            bands.sample_rate,
            bands.f_min,
            bands.f_max,
            bands.norm,
            bands.mel_scale,
            driver="gelsd",  # the narrowest bands may have no frequency at all
        )(spectrogram)
    sound = GriffinLim(
        linear.n_fft,
        iterations,
        linear.win_length,
        linear.hop_length,
        power=linear.power,
        length=length,
    )
    sound.window = linear.window
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return sound(spectrogram).clamp(-1, 1)
