"""Loaders that more than one application uses; their position is part of a checkpoint."""

from gantools.data.batches import Batches

__all__ = ["Batches"]
