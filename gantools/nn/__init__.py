"""Layers, constraints and augmentations of adversarial training, beside what torch has itself."""

from gantools.nn.ada import ADA
from gantools.nn.augment import Augment, InstanceNoise
from gantools.nn.bottleneck import Bottleneck, Code, Multiplier
from gantools.nn.constraints import (
    Constraint,
    Project,
    equalized_learning_rate,
    spectral_norm,
    weight_clip,
)
from gantools.nn.diffaugment import DiffAugment
from gantools.nn.layers import PixelNorm, equalized, mlp
from gantools.nn.minibatch import (
    MinibatchDiscrimination,
    MinibatchStd,
    VirtualBatch,
    VirtualBatchNorm,
)

__all__ = [
    "ADA",
    "Augment",
    "Bottleneck",
    "Code",
    "Constraint",
    "DiffAugment",
    "InstanceNoise",
    "MinibatchDiscrimination",
    "MinibatchStd",
    "Multiplier",
    "PixelNorm",
    "Project",
    "VirtualBatch",
    "VirtualBatchNorm",
    "equalized",
    "equalized_learning_rate",
    "mlp",
    "spectral_norm",
    "weight_clip",
]
