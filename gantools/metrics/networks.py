"""Networks whose features metrics compare, each with a name that says which weights it has."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from gantools.errors import UserError

WEIGHTS = Path(__file__).parent / "weights"


class Features(Protocol):
    """A named way from images to vectors."""

    @property
    def name(self) -> str:
        """Which network, with which weights."""
        ...

    @property
    def frechet_name(self) -> str:
        """What the Fréchet distance between these features may be called."""
        ...

    def __call__(self, images: Tensor) -> Tensor:
        """Images [N, C, H, W] in [−1, 1] -> features [N, d]."""
        ...


class DigitFeatures(nn.Module):
    """A small convolutional network that reads grey digits; 47,530 weights, 64 features.

    ``features("digits")`` has the weights that gantools ships, and is named after their SHA-256.
    They are of ``benchmarks/train_digit_features.py``: three epochs on 55,000 of MNIST's training
    images (the other 5,000 are :func:`gantools.data.labelled_digits`); 99.07 % of MNIST's test
    set is read rightly. The features have a mean square of 1 on the training images. Made without
    a name, the network has random weights.

    What distances between these features say, against 10,000 training images:

    ================================  ======  =====================  ======
    images                                 n  FD(digits-b47cb05c)       MMD
    ================================  ======  =====================  ======
    other training images (floor)     10,000  0.036                  0.0003
    test images                       10,000  0.049                  0.0008
    1,000 of the test images           1,000  0.517                  0.0152
    test images, noise of σ 0.2       10,000  0.563                  0.0429
    test images without the 3s         8,990  1.838                  0.0734
    test images, blurred (1 2 1)      10,000  5.214                  0.3447
    test images, pixels shuffled      10,000  37.47                  1.3774
    ================================  ======  =====================  ======

    The third row is the bias of a small sample, not a fault of the images: compare at equal n
    only (:func:`gantools.metrics.with_floor`). Images are [N, 1, H, W] in [−1, 1].
    """

    def __init__(self, name: str = "digits-untrained") -> None:
        super().__init__()
        self.name = name
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 4 * 4, 64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, 10)

    @property
    def frechet_name(self) -> str:
        """``FD(digits-…)``: the FID is of another network."""
        return f"FD({self.name})"

    def forward(self, images: Tensor) -> Tensor:
        """Grey images [N, 1, H, W] in [−1, 1] (paper −1, ink 1) -> features [N, 64], 0 or more.

        Other sizes than 28×28 are resized, bilinearly and smoothed.

        Raises:
            ValueError: not images of one channel.
        """
        if images.ndim != 4 or images.shape[1] != 1:
            raise ValueError(f"the digits should be [N, 1, H, W], not {list(images.shape)}")
        return torch.cat([self._of_batch(batch) for batch in images.split(1000)])

    def logits(self, images: Tensor) -> Tensor:
        """The same images -> logits of the ten digits, [N, 10]."""
        return self.head(self(images))

    def _of_batch(self, images: Tensor) -> Tensor:
        if images.shape[2:] != (28, 28):
            images = functional.interpolate(images, (28, 28), mode="bilinear", antialias=True)
        return self.body(images)


def features(name: str) -> DigitFeatures:
    """Return the named network with the weights that gantools ships.

    Args:
        name: ``digits``.

    Raises:
        UserError: there is none of that name.
    """
    if name != "digits":
        raise UserError(f"There are no features {name!r}; there are 'digits'.")
    weights = (WEIGHTS / "digits.safetensors").read_bytes()
    network = DigitFeatures(f"digits-{hashlib.sha256(weights).hexdigest()[:8]}")
    network.load_state_dict(safetensors.torch.load(weights))
    return network.eval().requires_grad_(False)
