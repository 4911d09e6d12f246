"""Which samples are held out, drawn so that a sample more or less changes little."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def held_out(keys: Iterable[str], seed: int, share: float = 0.1) -> set[str]:
    """Draw a share of the different keys; a key more or less changes one of the others at most.

    Args:
        keys: of the samples, in any order; samples of one key stay together.
        seed: what is drawn depends on it and on the keys alone.
        share: 0 to 1, rounded to whole keys, and at least one if there is a key.
    """

    def drawn(key: str) -> bytes:
        return hashlib.sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()

    different = set(keys)
    return set(sorted(different, key=drawn)[: max(1, round(share * len(different)))])
