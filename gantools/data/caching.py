"""Tensors that took long to make, kept in the user's cache."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gantools import cache
from gantools.files import aside


def cached(name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return ``make()``, made once and read from the cache after that.

    Args:
        name: of the file, without a suffix. It has to say all that the tensors depend on (sizes,
            versions, a hash of the texts): what is found under it is taken as it is. A torn file is
            made again; where nothing can be written nothing is kept.
        make: makes the tensors, on any device; they may be views, and share their memory.

    Returns:
        Plain tensors on the CPU, without gradients, whether they were made or read.
    """
    file = cache.folder() / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError):
        return load_file(file)
    # Copies: safetensors refuses views, and tensors that share their memory.
    made = {
        key: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for key, value in make().items()
    }
    with contextlib.suppress(OSError, SafetensorError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with aside(file) as temporary:
            save_file(made, temporary)
    return made
