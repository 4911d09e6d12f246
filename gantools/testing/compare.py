"""Comparing state trees, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Name every place where two state trees differ, bit for bit; an empty list if nowhere.

    Example:
        >>> differences({"a": 1, "b": [2.0]}, {"a": 1, "b": [3.0]})
        ['/b/0']
    """
    if type(one) is not type(other):
        return [path or "/"]
    if isinstance(one, Mapping):
        found = [f"{path}/{key}" for key in one.keys() ^ other.keys()]
        for key in one.keys() & other.keys():
            found += differences(one[key], other[key], f"{path}/{key}")
        return sorted(found)
    if isinstance(one, (list, tuple)):
        if len(one) != len(other):
            return [path or "/"]
        pairs = enumerate(zip(one, other, strict=True))
        return [place for i, (a, b) in pairs for place in differences(a, b, f"{path}/{i}")]
    if isinstance(one, torch.Tensor):
        one, other = one.detach().cpu().numpy(), other.detach().cpu().numpy()
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        return [] if same and one.tobytes() == other.tobytes() else [path or "/"]
    return [] if one == other else [path or "/"]
