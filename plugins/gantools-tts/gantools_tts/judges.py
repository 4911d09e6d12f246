"""How good speech sounds, whose it is, and whether it was only replayed.

No judge suffices: :func:`quality` ignores what is said, :func:`voices` how well, and the
recognisers (:mod:`gantools_tts.recognisers`) whose voice it is. None had a part in the training,
but pocketsphinx may have said when the phones of its recordings begin.

Utterances are float32 [T] in [−1, 1], T ≥ 1, all of one rate; every judge resamples to 16 kHz.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gantools import UserError
from gantools.metrics import frechet_distance
from gantools_tts.recognisers import RATE, Progress, each, needs_judges

VOICE, VOICE_WINDOW = 256, 1.6
"""Numbers by which Resemblyzer tells a voice, and seconds that it listens to at a time."""
RATED = round(9.01 * RATE)
"""Samples that DNSMOS listens to at a time."""
LISTENERS = (-0.06766283, 1.11546468, 0.04602535)
"""Of x², x and 1: what the network says -> what listeners said, overall."""
HOP, WINDOW, STEP = 160, 100, 50
"""Samples from frame to frame, 10 ms; frames of a piece that is looked for in the training
recordings, one second; frames from one such piece to the next."""
BANDS, CEPSTRUM = 40, 20
"""Mel bands, and coefficients of their cosine transform."""
FLOOR = 1e-5
"""Of the loudest band's power: what is softer by 50 dB or more is silence."""
STILL = 0.01
"""The mean variance of coefficients, of ln power, below which a piece is too even to be known."""
BLOCK, BLOCKS = 1024, 8
"""Frames of a Fourier transform of the training recordings, and how many are made at a time."""


def quality(
    utterances: Sequence[np.ndarray], rate: int, progress: Progress | None = None
) -> np.ndarray:
    """Guess how people would rate the sound: the overall quality (OVRL) of DNSMOS P.835.

    What the network of speechmos that is not personalised makes of 9.01 s, through the polynomial
    that fits it to listeners, from 1 to 5 (Reddy et al. 2022, "DNSMOS P.835"). A shorter utterance
    is played again and again until 9.01 s are full, and of a longer one windows are averaged, as
    few as hold all of it. (Microsoft's script doubles a short one until it is long enough, and
    then has a window begin every second: up to seven of the same sound.) The model learned from
    noisy speech and noise suppressors; what a synthesiser does wrong is strange to it.

    Args:
        utterances: float32 [T] in [−1, 1] each.
        rate: samples a second.
        progress: called after each.

    Returns:
        float64 [N].

    Raises:
        UserError: speechmos or onnxruntime is not installed.
        ValueError: an utterance is not what it should be.
    """
    network = _dnsmos()

    def rated(audio: np.ndarray) -> float:
        raw = [network.run(None, {"input_1": x[None]})[0][0, 2] for x in rated_windows(audio)]
        return float(np.polyval(LISTENERS, raw).mean())

    return np.array(each(rated, utterances, rate, progress))


def rated_windows(audio: np.ndarray) -> np.ndarray:
    """What DNSMOS hears of a sound at 16 kHz: [T] -> [⌈T / RATED⌉, RATED], evenly over it."""
    if len(audio) < RATED:
        audio = np.resize(audio, RATED)  # again and again
    begins = np.linspace(0, len(audio) - RATED, -(-len(audio) // RATED)).round().astype(int)
    return np.stack([audio[begin : begin + RATED] for begin in begins]).astype(np.float32)


def voices(
    utterances: Sequence[np.ndarray], rate: int, progress: Progress | None = None
) -> np.ndarray:
    """Tell who speaks: Resemblyzer's embeddings of windows of 1.6 s that do not overlap.

    (Wan et al. 2018, "Generalized end-to-end loss for speaker verification".) Long silence is cut
    out first. What is left at the end of an utterance is a window if it is three quarters of one,
    and so is the whole of a shorter utterance, both filled up with silence. Where no voice is heard
    there is no window.

    Args:
        utterances: float32 [T] in [−1, 1] each.
        rate: samples a second.
        progress: called after each.

    Returns:
        float32 [N, 256], N windows, each of length 1 and nowhere negative.

    Raises:
        UserError: Resemblyzer is not installed, or not what it needs.
        ValueError: an utterance is not what it should be.
    """
    encoder, preprocess = _resemblyzer()
    nothing: np.ndarray = np.empty((0, VOICE), np.float32)

    def heard(audio: np.ndarray) -> np.ndarray:
        if not audio.any():  # its volume could not be normalised
            return nothing
        wav = preprocess(audio)
        if not len(wav):
            return nothing
        _, windows, _ = encoder.embed_utterance(wav, return_partials=True, rate=1 / VOICE_WINDOW)
        return windows

    return np.concatenate(each(heard, utterances, rate, progress))


def speaker_distance(a: np.ndarray, b: np.ndarray, n: int, seed: int = 0) -> float:
    """Fréchet distance of n windows of one set to n of another, 0 or more.

    It is larger the fewer the windows, whoever speaks: compare only distances of the same n, and
    report beside them that of two halves of the real recordings.

    Args:
        a: windows as :func:`voices` gives them, [N, 256], N ≥ n.
        b: the same of others, [M, 256], M ≥ n.
        n: how many are drawn of each, without replacement.
        seed: draws them.

    Raises:
        ValueError: there are fewer than n, or n < 2.
    """
    if min(len(a), len(b)) < n:
        raise ValueError(
            f"a speaker distance of {n} windows cannot be had from {len(a)} and {len(b)}: record "
            "or synthesise more, or compare all with a smaller n"
        )
    one, other = (torch.from_numpy(x[drawn(len(x), n, seed)]) for x in (a, b))
    return frechet_distance(one, other)


def drawn(count: int, n: int, seed: int = 0) -> np.ndarray:
    """Which n of so many windows are compared, int64 [n], without replacement."""
    return np.random.default_rng(seed).permutation(count)[:n]


class Nearest(NamedTuple):
    """What of the training recordings is most like each of N utterances."""

    similarity: np.ndarray
    """float32 [N], 1 a replay at whatever loudness, about 0 what has nothing in common."""
    recording: np.ndarray
    """int64 [N], which recording it is in."""
    seconds: np.ndarray
    """float64 [N], where in it."""


def nearest_recordings(
    utterances: Sequence[np.ndarray],
    training: Sequence[np.ndarray],
    rate: int,
    progress: Progress | None = None,
) -> Nearest:
    """Look for training recordings, or pieces of them, that utterances replay.

    Every second of an utterance, two a second, is compared with every second of the recordings, all
    10 ms: the greatest correlation of their cepstra, coefficients 1 to 19 of 40 mel bands less
    their means in that second. Loudness and a constant filter make no difference, nor does phase,
    which a network that knows a recording by heart need not know. An utterance of less than a
    second is filled up with silence, as every recording is at both ends.

    Speech of one voice is alike anyhow. So report beside it the figure of real recordings that
    were held out: what replays is nearer to the training than they are.

    Args:
        utterances: float32 [T] in [−1, 1] each.
        training: the same, of the same rate.
        rate: samples a second.
        progress: called after each utterance, then after each recording.

    Raises:
        ValueError: either is empty, or an utterance is not what it should be.
    """
    if not len(utterances) or not len(training):
        raise ValueError("there is no utterance, or no training recording that it could replay")
    steps = itertools.count(1)

    def tell(*_: int) -> None:
        if progress:
            progress(next(steps), len(utterances) + len(training))

    sought = [_pieces(cepstra) for cepstra in each(_cepstra, utterances, rate, tell)]
    known = [F.pad(cepstra, (WINDOW, 0)) for cepstra in each(_cepstra, training, rate, tell)]
    begins = np.cumsum([0, *(x.shape[1] for x in known)])
    best, place = _most_alike(torch.cat(sought), F.pad(torch.cat(known, 1), (0, WINDOW)))

    ends = np.cumsum([len(pieces) for pieces in sought])
    chosen = np.array(
        [
            end - len(pieces) + int(best[end - len(pieces) : end].argmax())
            for pieces, end in zip(sought, ends, strict=True)
        ]
    )
    frames: np.ndarray = place.numpy()[chosen]
    # Where a piece begins in the silence before a recording, it is that recording.
    recording = np.digitize(frames, begins) - 1
    seconds = (frames - begins[recording] - WINDOW) * HOP / RATE
    return Nearest(best.numpy()[chosen], recording, seconds)


def _cepstra(audio: np.ndarray) -> Tensor:
    """Coefficients 1 … CEPSTRUM − 1 of the ln mel spectrum, [CEPSTRUM − 1, T]; 0 is silence."""
    mel, transform = _mel()
    power = mel(torch.from_numpy(audio))
    log = power.clamp(min=max(FLOOR * power.max().item(), torch.finfo(torch.float32).tiny)).log()
    return transform.T @ log


def _pieces(cepstra: Tensor) -> Tensor:
    """[P, C, WINDOW], P ≥ 1, each coefficient of mean 0, each piece of length 1 or less."""
    filled = F.pad(cepstra, (0, max(0, WINDOW - cepstra.shape[1])))
    pieces = filled.unfold(1, WINDOW, STEP).transpose(0, 1)
    pieces = pieces - pieces.mean(2, keepdim=True)
    energy = pieces.square().sum((1, 2), keepdim=True)
    return pieces / energy.clamp(min=STILL * pieces[0].numel()).sqrt()


def _most_alike(pieces: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Each piece's greatest correlation with WINDOW frames of what is known, and the first of them.

    By the theorem of correlation, block by block ("overlap-save").

    Args:
        pieces: [P, C, WINDOW], of :func:`_pieces`.
        known: [C, T], T ≥ WINDOW.

    Returns:
        float32 [P] and int64 [P].
    """
    size = BLOCK - WINDOW + 1  # lags of a block
    lags = known.shape[1] - WINDOW + 1
    length = _sums(known.double().square()) - _sums(known.double()).square() / WINDOW
    length = length.sum(0).clamp(min=STILL * pieces[0].numel()).sqrt().float()
    blocks = F.pad(known, (0, -(-lags // size) * size - lags)).unfold(1, BLOCK, size)
    wanted = torch.fft.rfft(pieces, BLOCK).conj()
    best, place = torch.full((len(pieces),), -torch.inf), torch.zeros(len(pieces)).long()
    for first in range(0, blocks.shape[1], BLOCKS):
        spectra = torch.fft.rfft(blocks[:, first : first + BLOCKS])
        products = torch.einsum("pck,cbk->pbk", wanted, spectra)
        alike = torch.fft.irfft(products, BLOCK)[..., :size].flatten(1)
        begin = first * size
        alike = alike[:, : lags - begin] / length[begin : begin + alike.shape[1]]
        most, where = alike.max(1)
        place = torch.where(most > best, begin + where, place)
        best = torch.maximum(most, best)
    return best, place


def _sums(x: Tensor) -> Tensor:
    """Of every WINDOW neighbours, [C, T] -> [C, T − WINDOW + 1]."""
    total = F.pad(x.cumsum(1), (1, 0))
    return total[:, WINDOW:] - total[:, :-WINDOW]


@functools.cache
def _mel() -> tuple[Any, Tensor]:
    from torchaudio.functional import create_dct
    from torchaudio.transforms import MelSpectrogram

    mel = MelSpectrogram(
        RATE, 512, win_length=400, hop_length=HOP, n_mels=BANDS, f_min=60, pad_mode="constant"
    )
    return mel, create_dct(CEPSTRUM, BANDS, "ortho")[:, 1:]


@functools.cache
def _dnsmos() -> Any:
    try:
        import speechmos
        from onnxruntime import InferenceSession, SessionOptions
    except ImportError as error:
        raise needs_judges(error) from None
    options = SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    model = Path(str(speechmos.__file__)).with_name("dnsmos_models") / "sig_bak_ovr.onnx"
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])


@functools.cache
def _resemblyzer() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():  # of modules that others will do without
            warnings.simplefilter("ignore")
            from resemblyzer import VoiceEncoder, preprocess_wav
    except ModuleNotFoundError as error:
        if error.name == "pkg_resources":
            raise UserError(
                "Resemblyzer's webrtcvad needs pkg_resources, which newer setuptools do not have: "
                "pip install 'setuptools<82'"
            ) from None
        raise needs_judges(error) from None
    return VoiceEncoder("cpu", verbose=False), preprocess_wav
