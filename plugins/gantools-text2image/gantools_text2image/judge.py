"""An independent judge of whether a picture shows what a caption says; never a training loss."""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from gantools import models

SHIPPED = Path(__file__).with_name("judge")
"""The folder of the judge of OpenMoji."""
SIDE = 32  # of the images that it looks at, pixels
BUCKETS = 3072
BATCH = 256


class Judge(nn.Module):
    """Two towers that tell what belongs together, trained as CLIP is (Radford et al. 2021).

    Images go through a plain stack of 3×3 convolutions with batch normalisation and max pooling
    (VGG, Simonyan & Zisserman 2015), captions through a bag of hashed words and character
    trigrams: neither is a part of any generator, discriminator or text encoder here, and the judge
    has views, a seed and a loss of its own. It sees only the pictures that generators train on, so
    it is less sure of other names: compare with what it says of real pictures of the same names.

    It is one of :class:`gantools.metrics.Features`, and its name tells its weights. Made here, it
    has random ones; :meth:`load` has those for OpenMoji, ``gantools_text2image.judge_train``
    trains others.

    Args:
        name: of the weights.
    """

    def __init__(self, name: str = "judge-untrained") -> None:
        super().__init__()
        self.name = name
        self.body = nn.Sequential(
            *_convolution(3, 32),
            nn.MaxPool2d(2),
            *_convolution(32, 64),
            *_convolution(64, 64),
            nn.MaxPool2d(2),
            *_convolution(64, 128),
            *_convolution(128, 128),
            nn.MaxPool2d(2),
            *_convolution(128, 160),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in torch's stubs
        self.of_image = nn.Linear(160, 128)
        self.pieces = nn.EmbeddingBag(BUCKETS, 64, mode="mean")
        self.of_caption = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 128))
        self.log_scale = nn.Parameter(torch.tensor(1 / 0.07).log())  # CLIP's initial temperature

    @classmethod
    def load(cls, folder: Path = SHIPPED) -> Judge:
        """Return the judge of a folder, as :mod:`gantools.models` writes it: by default OpenMoji's.

        Raises:
            UserError: it is not whole.
        """
        model = models.load(folder)
        kind = "emoji-judge" if folder == SHIPPED else "judge"
        return cls._of(model.states["judge"], f"{kind}-{model.sha256[:8]}")

    @classmethod
    def of_weights(cls, weights: bytes) -> Judge:
        """Return the judge whose :meth:`weights` these are, named after them."""
        name = f"judge-{hashlib.sha256(weights).hexdigest()[:8]}"
        return cls._of(models.unpack(weights)["judge"], name)

    @classmethod
    def _of(cls, state: dict[str, Tensor], name: str) -> Judge:
        with torch.random.fork_rng(devices=[]):  # the weights drawn here are not used
            judge = cls(name)
        judge.load_state_dict(state)
        return judge.eval().requires_grad_(False)

    def weights(self) -> bytes:
        """Return the bytes of a safetensors file, in half precision."""
        return models.pack({"judge": self})

    @property
    def frechet_name(self) -> str:
        """``FD(emoji-judge-…)``: the FID is of another network."""
        return f"FD({self.name})"

    def forward(self, images: Tensor) -> Tensor:
        """Images [B, 3, S, S] -> features [B, 160], 0 or more; differentiable.

        Args:
            images: float in [−1, 1] or uint8, on white; other sizes than 32×32 are brought to it
                by the mean over areas.

        Raises:
            ValueError: not images of three channels.
        """
        if images.ndim != 4 or images.shape[1] != 3:
            raise ValueError(f"the images should be [B, 3, S, S], not {list(images.shape)}")
        return self.body(as_seen(images).contiguous(memory_format=torch.channels_last))

    @torch.no_grad()
    def features(self, images: Tensor) -> Tensor:
        """Return :meth:`forward` of many images, without gradients, on the judge's device."""
        device = self.log_scale.device
        return torch.cat([self(batch.to(device)) for batch in images.split(BATCH)])

    def scores(self, images: Tensor, captions: list[str]) -> Tensor:
        """Return how well each image fits each caption, the cosine in [−1, 1]: [B, C]."""
        return self.scores_of(self.features(images), captions)

    @torch.no_grad()
    def scores_of(self, features: Tensor, captions: list[str]) -> Tensor:
        """Return the scores of images whose features [B, 160] are known: [B, C]."""
        pieces, offsets = (part.to(features.device) for part in tokens(captions))
        return self.cosines(features, pieces, offsets)

    def cosines(self, features: Tensor, pieces: Tensor, offsets: Tensor) -> Tensor:
        """Features [B, 160] and captions as :func:`tokens` gives them -> [B, C], differentiable."""
        seen = functional.normalize(self.of_image(features), dim=1)
        read = functional.normalize(self.of_caption(self.pieces(pieces, offsets)), dim=1)
        return seen @ read.T


def as_seen(images: Tensor) -> Tensor:
    """Images [B, 3, S, S], float in [−1, 1] or uint8 -> float [B, 3, 32, 32] in [−1, 1]."""
    if not images.is_floating_point():
        images = images.float() / 127.5 - 1
    return functional.interpolate(images, (SIDE, SIDE), mode="area")


def tokens(
    captions: list[str], drop: float = 0.0, generator: torch.Generator | None = None
) -> tuple[Tensor, Tensor]:
    """Return the pieces of all captions, int64 [P], and where each caption's begin, int64 [C].

    A caption's pieces are its words and their character trigrams ("<he", "hea" … "rt>"), each
    hashed into one of 3,072 buckets; their order is lost.

    Args:
        captions: any text; one without a letter or a sign has no pieces, and is read as nothing.
        drop: each piece is left out with this probability, for training.
        generator: draws which.
    """
    every = [_pieces(caption) for caption in captions]
    if drop:
        draw = torch.rand(sum(map(len, every)), generator=generator).split([len(p) for p in every])
        every = [
            [piece for piece, u in zip(its, us.tolist(), strict=True) if u >= drop] or its[:1]
            for its, us in zip(every, draw, strict=True)
        ]
    lengths = torch.tensor([0, *(len(its) for its in every)])
    flat = [piece for its in every for piece in its]
    return torch.tensor(flat, dtype=torch.long), lengths.cumsum(0)[:-1]


def _pieces(caption: str) -> list[int]:
    words = re.findall(r"\w+|[^\w\s]", unicodedata.normalize("NFKC", caption).casefold())
    edged = [f"<{word}>" for word in words]
    trigrams = [word[i : i + 3] for word in edged for i in range(len(word) - 2)]
    return [zlib.crc32(piece.encode()) % BUCKETS for piece in (*edged, *trigrams)]


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
