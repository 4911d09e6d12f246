"""Data: batches that resume, and sources that are known by a name."""

from gantools.data.batches import Batches, Rows, Source, Split
from gantools.data.cached import cached
from gantools.data.digits import LabelledDigits, labelled_digits
from gantools.data.gaussians import MIXTURES, Mixture

__all__ = [
    "MIXTURES",
    "Batches",
    "LabelledDigits",
    "Mixture",
    "Rows",
    "Source",
    "Split",
    "cached",
    "labelled_digits",
]
