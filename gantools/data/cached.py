"""Tensors that took long to make, kept in the user's cache."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gantools import cache


def cached(name: str, make: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Return ``make()``, made once and read from the cache after that.

    Args:
        name: of the file, without a suffix. It has to say all that the tensors depend on (sizes,
            versions, a hash of the texts): what is found under it is taken as it is. A torn file is
            made again; where nothing can be written nothing is kept.
    """
    file = cache.folder() / f"{name}.safetensors"
    with contextlib.suppress(OSError, SafetensorError):
        return load_file(file)
    made = make()
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError, SafetensorError):
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file(made, aside)
        os.replace(aside, file)
    with contextlib.suppress(OSError):
        aside.unlink()
    return made
