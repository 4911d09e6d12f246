"""A voice that speaks without torch: ONNX networks, run by onnxruntime, and numpy around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gantools import UserError
from gantools_tts.features import FRAME_RATE
from gantools_tts.voice import Voice

if TYPE_CHECKING:
    from gantools_tts.model import Model

GRAPHS = ("lengths", "pitch", "generator")
"""What is written beside voice.json, with the suffix .onnx."""
FORMAT = "gantools-tts-onnx-1"


class Exported:
    """:class:`gantools_tts.voice.Networks` of ONNX.

    Args:
        folder: that :func:`export` wrote.

    Raises:
        UserError: onnxruntime is not there, or the folder is not whole.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime as ort
        except ImportError:
            raise UserError(
                "Exported voices need onnxruntime: pip install 'gantools-tts[onnx]'."
            ) from None
        try:
            self.about: dict[str, Any] = json.loads((folder / "voice.json").read_text("utf-8"))
            if self.about["format"] != FORMAT:
                raise ValueError(self.about["format"])
            options = ort.SessionOptions()
            options.intra_op_num_threads = 1  # which is fast enough, and disturbs nobody
            self._run = {
                name: ort.InferenceSession(
                    folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"]
                )
                for name in GRAPHS
            }
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise UserError(
                f"{str(folder)!r} is no exported voice, or not a whole one ({error}): write it "
                "again with 'gantools tts export'."
            ) from None
        self.rate: int = self.about["rate"]
        self.codes: int | None = self.about.get("codes")
        self.hop = self.rate // FRAME_RATE

    def log_lengths(self, phones: np.ndarray) -> np.ndarray:
        """[PHONE_FEATURES, N] -> ln(1 + frames), [N]."""
        return self._answer("lengths", phones)

    def octaves(self, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[FRAME_FEATURES − 2, T] -> octaves above 150 Hz, and the logit of a pitch, [T] each."""
        octaves, voiced = self._answer("pitch", frames)
        return octaves, voiced

    def sound(self, told: np.ndarray, pulses: np.ndarray, z: np.ndarray) -> np.ndarray:
        """[FRAME_FEATURES, T], [T · hop], [codes or T · hop] -> sound, [T · hop]."""
        if self.codes:
            return self._answer("generator", told, z)
        a, theta, b = np.minimum(self._answer("generator", told), [[[4]], [[np.inf]], [[4]]])
        y = np.exp(a + 1j * theta) * spectrum(pulses, self.hop)
        return overlapped(y + np.exp(b) * spectrum(z, self.hop), self.hop)

    def _answer(self, name: str, *given: np.ndarray) -> np.ndarray:
        run = self._run[name]
        names = [x.name for x in run.get_inputs()]
        return run.run(None, {k: x[None] for k, x in zip(names, given, strict=True)})[0][0]


def spectrum(x: np.ndarray, hop: int) -> np.ndarray:
    """:meth:`gantools_tts.generators.ISTFT.spectrum` of one sound: [T · hop] -> [F, T]."""
    n = 5 * hop
    padded = np.pad(x, (n - hop) // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[::hop]
    return np.fft.rfft(frames * _window(n)).T


def overlapped(y: np.ndarray, hop: int) -> np.ndarray:
    """:meth:`gantools_tts.generators.ISTFT.sound` of one: [F, T] -> float32 [T · hop]."""
    n, count = 5 * hop, y.shape[1]
    window = _window(n)
    pieces = np.fft.irfft(y.T, n) * window
    sound, weight = np.zeros((2, (count - 1) * hop + n))
    for i in range(5):  # pieces five apart lie side by side
        part = pieces[i::5]
        where = slice(i * hop, i * hop + part.size)
        sound[where] += part.ravel()
        weight[where] += np.tile(window**2, len(part))
    edge = (n - hop) // 2
    return (sound / np.maximum(weight, 1e-3))[edge:-edge].astype(np.float32)


def _window(n: int) -> np.ndarray:
    return np.hanning(n + 1)[:-1]


def load(folder: Path) -> Voice:
    """The voice that :func:`export` wrote.

    Raises:
        UserError: as :class:`Exported` says.
    """
    networks = Exported(folder)
    return Voice(networks, networks.rate)


def export(model: Model, folder: Path) -> None:
    """Write a voice as ONNX graphs and voice.json.

    Raises:
        UserError: what writes ONNX is not there.
    """
    import torch
    from torch import nn

    from gantools_tts.features import FRAME_FEATURES, PHONE_FEATURES

    class Of(nn.Module):
        """One function of a module as a module."""

        def __init__(self, module: nn.Module, function: str) -> None:
            super().__init__()
            self.module, self.function = module, function

        def forward(self, *given: torch.Tensor) -> torch.Tensor:
            return getattr(self.module, self.function)(*given)

    generator, prosody = model.modules["generator"], model.modules["prosody"]
    name = model.asked["generator"]
    told = torch.randn(1, FRAME_FEATURES, 50)
    asked: dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]] = {
        "lengths": (Of(prosody, "log_lengths"), (torch.randn(1, PHONE_FEATURES, 50),)),
        "pitch": (Of(prosody.pitch, "forward"), (told[:, :-2],)),
        "generator": (Of(generator, "filters"), (told,)),
    }
    if name == "gan-tts":
        asked["generator"] = Of(generator, "coded"), (told, generator.draw(1, 50))
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise UserError(
            "To write ONNX takes its library: pip install 'gantools-tts[onnx]'."
        ) from None
    for graph, (module, given) in asked.items():
        torch.onnx.export(
            module.eval(),
            given,
            folder / f"{graph}.onnx",
            input_names=["told", "z"][: len(given)],
            dynamic_shapes=[({2: torch.export.Dim("time")}, None)[: len(given)]],
            external_data=False,
            verbose=False,
        )
    facts = {"format": FORMAT, "rate": model.rate, "generator": name, "about": model.about}
    if name == "gan-tts":
        facts["codes"] = generator.CODES
    (folder / "voice.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
