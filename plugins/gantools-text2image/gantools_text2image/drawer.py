"""A trained generator with what reads captions for it: all that drawing needs, in two files."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from gantools import UserError
from gantools.errors import Note
from gantools_text2image.config import TextToImageConfig
from gantools_text2image.networks import CAPTION, Generator, Refiner, Sketch, Stack
from gantools_text2image.text import TextEncoder, interpolate, text_encoder

SHIPPED = Path(__file__).with_name("model")
"""Where the model is that comes with the plugin."""


class Standard(nn.Module):
    """(e − mean) / std, number by number: what captions have in common says nothing.

    A sentence's embedding is mostly what all sentences are; a skin tone moves it by a hundredth.
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("std", std)

    @classmethod
    def of(cls, embeddings: Tensor) -> Standard:
        """What makes these embeddings [M, d] standard."""
        return cls(embeddings.mean(0), embeddings.std(0, correction=0).clamp(min=1e-6))

    def forward(self, e: Tensor) -> Tensor:
        """[B, d] -> [B, d]."""
        return (e - self.mean) / self.std


def network(config: TextToImageConfig, text: int) -> Generator | Stack:
    """The untrained network that a configuration asks for; ``text`` numbers in an embedding."""
    size, base = int(config.resolution), config.generator_width
    if config.game == "stack":
        sketch = Sketch(size // 2, text, codes(config), base)
        return Stack(sketch, Refiner(text, base))
    fusion = config.game not in ("gan-cls", "gan-int")
    return Generator(size, text, config.codes, base, fusion=fusion)


def codes(config: TextToImageConfig) -> int:
    """Numbers of a code; a stack's has the noise of its captions too."""
    return config.codes + (CAPTION if config.game == "stack" else 0)


class Drawer:
    """Draws what captions say.

    Args:
        config: that the network was made by.
        network: z [B, codes], e [B, text] -> pictures [B, 3, S, S] in [−1, 1].
        encoder: reads captions.
        standard: what their embeddings are made standard by.
        about: command, seed, data and figures, for people.
    """

    def __init__(
        self,
        config: TextToImageConfig,
        network: nn.Module,
        encoder: TextEncoder,
        standard: Standard,
        about: Mapping[str, Any] = {},
    ) -> None:
        self.config, self.encoder, self.standard = config, encoder, standard
        self.network = network.eval()
        self.codes = codes(config)
        self.about = dict(about)

    @torch.no_grad()
    def read(self, captions: Sequence[str]) -> Tensor:
        """Embeddings as the network takes them, [B, text]."""
        mean = self.standard.mean
        return self.standard(self.encoder.encode(list(captions)).to(mean))

    @torch.no_grad()
    def draw(self, e: Tensor, z: Tensor) -> Tensor:
        """Pictures [B, 3, S, S] in [−1, 1] of embeddings [B, text] and codes [B, codes]."""
        pieces = zip(z.split(256), e.split(256), strict=True)
        return torch.cat([self.network(*piece) for piece in pieces]).float()

    def between(self, a: str, b: str, steps: int) -> Tensor:
        """Embeddings on the way from one sentence to another, [steps, text]."""
        with torch.no_grad():
            ends = self.encoder.encode([a, b]).to(self.standard.mean)
            return self.standard(interpolate(*ends, steps))

    def between_codes(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """Codes on the way from one to another, [codes] each -> [steps, codes].

        On the great circle between their directions, and evenly between their lengths, so that all
        are such as N(0, 1) draws.
        """
        lengths = torch.linspace(0, 1, steps, device=a.device)[:, None]
        lengths = torch.lerp(a.norm(), b.norm(), lengths)
        return lengths * interpolate(normalize(a, dim=0), normalize(b, dim=0), steps)

    def understood(self, prompts: Sequence[str]) -> list[str]:
        """Prompts that can be drawn; emoji in them become their names.

        Raises:
            UserError: one says nothing, or nothing that the encoder knows.
        """
        prompts = [prompt if prompt.isascii() else _named(prompt) for prompt in prompts]
        for prompt in prompts:
            if not prompt.strip():
                raise UserError("A prompt is empty: say what to draw, such as 'red heart'.")
            known, words = self.encoder.known(prompt)
            if not known:
                raise UserError(
                    f"{shorten(prompt)} has no word that the model can read: say it in English."
                )
            if known < words:
                said = f"of {shorten(prompt)} the model reads {known} of {words} words"
                warnings.warn(said, Note, stacklevel=2)
        return prompts

    def fresh(self, n: int, generator: torch.Generator) -> Tensor:
        """n codes [n, codes] ~ N(0, 1)."""
        device = self.standard.mean.device
        return torch.randn(n, self.codes, generator=generator).to(device)

    def __call__(self, captions: Sequence[str], generator: torch.Generator) -> Tensor:
        """Draw each caption with a fresh code, [B, 3, S, S] in [−1, 1], on the CPU."""
        return self.draw(self.read(captions), self.fresh(len(captions), generator)).cpu()

    # -- files ---------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Write ``model.safetensors``, in half precision, and ``model.json``."""
        modules = {"network": self.network, "standard": self.standard}
        if self.encoder.key is None:
            modules["encoder"] = self.encoder
        tensors = {
            f"{name}.{key}": value.detach().cpu().contiguous()
            for name, module in modules.items()
            for key, value in module.state_dict().items()
        }
        half = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
        save_file(half, folder / "model.safetensors")
        said = {"config": _plain(self.config), "text": self.standard.mean.numel()}
        text = json.dumps({**said, "about": self.about}, indent=1)
        (folder / "model.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Drawer:
        """Read what :meth:`save` wrote.

        Raises:
            UserError: there is no whole model.
        """
        try:
            found = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "model.safetensors")
            config = TextToImageConfig(**found["config"])
            parts: dict[str, dict[str, Tensor]] = {"network": {}, "standard": {}, "encoder": {}}
            for key, value in tensors.items():
                part, _, name = key.partition(".")
                parts[part][name] = value.float() if value.is_floating_point() else value
            made = network(config, found["text"])
            made.load_state_dict(parts["network"])
            standard = Standard(parts["standard"]["mean"], parts["standard"]["std"])
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise UserError(f"There is no whole model in {folder}: {error}") from None
        encoder = text_encoder(config.text)
        if parts["encoder"]:
            encoder.load_state_dict(parts["encoder"])
        return cls(config, made, encoder, standard, found["about"])


def _named(prompt: str) -> str:
    from emoji import demojize

    return demojize(prompt, delimiters=(" ", " ")).replace("_", " ").strip()


def shorten(prompt: str) -> str:
    """A prompt as messages quote it."""
    words = " ".join(prompt.split())
    return repr(words if len(words) <= 40 else words[:39] + "…")


def _plain(config: TextToImageConfig) -> dict[str, Any]:
    """The fields that the network depends on."""
    names = ("game", "resolution", "text", "codes", "generator_width")
    return {name: getattr(config, name) for name in names}
