"""A small sentence encoder that is trained with the game; words are hashed, so none is unknown."""

from __future__ import annotations

import re
import unicodedata
import zlib

import torch
from torch import Tensor, nn
from torch.nn import functional

from gantools_text2image.text import TextEncoder, checked

WORDS = 20  # of a caption; what follows is not read
PIECES = 12  # of a word: itself and its first 11 trigrams
WORD_BUCKETS = 4096
TRIGRAM_BUCKETS = 2048


class Learned(TextEncoder):
    """Reads a caption word by word.

    A word's vector is the mean of its own and of its character trigrams' (Bojanowski et al. 2017,
    section 3.2, who add them), hashed into buckets: words never seen share pieces with words seen.
    A GRU (Cho et al. 2014) reads the words in their order; the sentence is its state after the
    last one, of unit length. With a width of 128 it has 468 thousand weights.

    Args:
        width: of a sentence's vector.
    """

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.width = width
        buckets = 1 + WORD_BUCKETS + TRIGRAM_BUCKETS
        self.words = nn.EmbeddingBag(buckets, 64, mode="mean", padding_idx=0)
        self.gru = nn.GRU(64, width, batch_first=True)

    def tokens(self, captions: list[str]) -> Tensor:
        """Return int64 [B, 240]: 20 words of 12 pieces each, padded with 0, for ``forward``.

        Case and Unicode's compatibility forms make no difference; signs and emoji are words. The
        numbers are the same on every machine.

        Raises:
            ValueError: a caption is empty or blank.
        """
        rows = [_caption(caption) for caption in checked(captions)]
        return torch.tensor(rows, dtype=torch.int64).view(len(rows), WORDS * PIECES)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return [B, width] of unit length, differentiable.

        Args:
            tokens: int64 [B, 12 · words], as ``tokens`` gives them; more padding changes nothing.
        """
        pieces = tokens.unflatten(1, (tokens.shape[1] // PIECES, PIECES))
        words = self.words(pieces.flatten(0, 1)).unflatten(0, pieces.shape[:2])
        states, _ = self.gru(words)
        last = (pieces[..., 0] != 0).sum(1) - 1
        return functional.normalize(states[torch.arange(len(states)), last], dim=1)

    def encode(self, captions: list[str]) -> Tensor:
        """Return float32 [B, width] of unit length, differentiable.

        Raises:
            ValueError: a caption is empty or blank.
        """
        return self(self.tokens(captions).to(self.words.weight.device))


def _caption(caption: str) -> list[int]:
    """Return the numbers of a caption's pieces, padded with 0."""
    text = unicodedata.normalize("NFKC", caption).casefold()
    numbers = [
        number for word in re.findall(r"\w+|[^\w\s]", text)[:WORDS] for number in _word(word)
    ]
    return numbers + [0] * (WORDS * PIECES - len(numbers))


def _word(word: str) -> list[int]:
    """Return the numbers of a word and of its trigrams, "<he", "hea" … "rt>", padded with 0."""
    edged = f"<{word}>"
    trigrams = [edged[i : i + 3] for i in range(min(len(word), PIECES - 1))]
    numbers = [1 + zlib.crc32(word.encode()) % WORD_BUCKETS]
    numbers += [1 + WORD_BUCKETS + zlib.crc32(t.encode()) % TRIGRAM_BUCKETS for t in trigrams]
    return numbers + [0] * (PIECES - len(numbers))
