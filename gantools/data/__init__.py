"""Data: batches that resume, and sources that are known by a name."""

from gantools.data.batches import Batches, Source, Split

__all__ = ["Batches", "Source", "Split"]
