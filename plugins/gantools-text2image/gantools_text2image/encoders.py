"""What reads captions: the encoders by name."""

from __future__ import annotations

from pathlib import Path

from gantools import UserError
from gantools.errors import did_you_mean
from gantools_text2image.text import TextEncoder


def text_encoder(name: str, width: int = 128) -> TextEncoder:
    """Return the encoder that ``--text`` names: minilm, learned, or a file of embeddings.

    Args:
        name: ``"minilm"``, ``"learned"``, or the path of a .safetensors or .npz file.
        width: of the learned encoder; the others have their own.

    Raises:
        UserError: there is no such encoder, or its weights or its file cannot be read.
    """
    if name == "minilm":
        from gantools_text2image.minilm import MiniLM

        return MiniLM()
    if name == "learned":
        from gantools_text2image.learned import Learned

        return Learned(width)
    if Path(name).suffix in (".safetensors", ".npz"):
        from gantools_text2image.precomputed import Precomputed

        return Precomputed(name)
    raise UserError(
        f"--text {name}: there is minilm, learned, or a file of embeddings that ends in"
        f" .safetensors or .npz.{did_you_mean(name, ['minilm', 'learned'])}"
    )
