"""A trained generator with what reads captions for it: all that drawing needs."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from gantools import UserError, models
from gantools.errors import Note
from gantools_text2image.config import TextToImageConfig
from gantools_text2image.encoders import text_encoder
from gantools_text2image.networks import CAPTION, Generator, Refiner, Sketch, Stack
from gantools_text2image.text import TextEncoder, interpolate

SHIPPED = Path(__file__).with_name("model")
"""The folder of the model that comes with the plugin."""
STOP = frozenset({"a", "an", "and", "for", "from", "in", "is", "of", "on", "the", "to", "with"})
"""Words of which nobody is told that a model does not know them."""


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
    size, base = config.resolution, config.generator_width
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
        words: all that the captions had that it learned from; with none nothing is said of words.
        about: command, seed, data and figures, for people.
    """

    def __init__(
        self,
        config: TextToImageConfig,
        network: nn.Module,
        encoder: TextEncoder,
        standard: Standard,
        words: Collection[str] = (),
        about: Mapping[str, Any] = {},
    ) -> None:
        self.config, self.encoder, self.standard = config, encoder, standard
        self.words = frozenset(words)
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

        A Note says which words are beyond what it learned.

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
        new = words_of(prompts) - self.words - STOP
        if self.words and new:
            listed = ", ".join(sorted(new)[:8]) + ", …" * (len(new) > 8)
            said = f"no caption that the model learned from has {listed}: it guesses"
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
        """Write the model into a folder as :func:`gantools.models.save` does, in half precision."""
        modules = {"network": self.network, "standard": self.standard}
        if self.encoder.key is None:
            modules["encoder"] = self.encoder
        width = self.standard.mean.numel()
        config = {**_plain(self.config), "width": width, "encoder": self.encoder.key}
        config["words"] = " ".join(sorted(self.words))
        models.save(folder, modules, config, self.about, application="text2image")

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Drawer:
        """Read what :meth:`save` wrote; a file of embeddings from the folder's ``inputs/`` first.

        Raises:
            UserError: there is no whole model, or what it reads captions by is not here.
        """
        model = models.load(folder, application="text2image")
        try:
            said = dict(model.config)
            width, key, words = said.pop("width"), said.pop("encoder"), said.pop("words")
            config = TextToImageConfig(**said)
            made = network(config, width)
            made.load_state_dict(model.states["network"])
            standard = Standard(**model.states["standard"])
            kept = folder / "inputs" / Path(config.text).name
            encoder = text_encoder(str(kept) if kept.is_file() else config.text, width)
            encoder.load_state_dict(model.states.get("encoder", {}), strict=key is None)
            if encoder.width != width:
                raise ValueError(f"it reads embeddings of {width} numbers, not {encoder.width}")
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0].rstrip(":. ")
            raise UserError(f"There is no whole model in {folder}: {reason}.") from None
        if encoder.key != key:
            said = f"the model in {folder} learned with {key}, and {encoder.key} is installed"
            warnings.warn(f"{said}: its drawings may differ", Note, stacklevel=2)
        return cls(config, made, encoder, standard, words.split(), model.about)


def words_of(captions: Iterable[str]) -> set[str]:
    """All words of some captions, in small letters."""
    return {word for caption in captions for word in re.findall(r"\w+", caption.lower())}


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
