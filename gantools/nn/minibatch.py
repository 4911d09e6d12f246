"""Layers that look at a whole batch: what tells a discriminator that all fakes are alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchStd(nn.Module):
    """Append how much a group of samples varies, as one more channel.

    The standard deviation over the group of every feature at every position (the population's,
    with 1e-8 under the root), averaged to one number a group (PGGAN, Karras et al. 2018, section
    3; the groups are StyleGAN2's, Karras et al. 2020). Sample i is in group i mod B/group.

    Args:
        group: samples in a group; a smaller batch is one group.
    """

    def __init__(self, group: int = 4) -> None:
        super().__init__()
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, …] -> [B, C + 1, …].

        Raises:
            ValueError: the batch cannot be divided into groups.
        """
        group = min(self.group, len(x))
        if len(x) % group:
            raise ValueError(f"a batch of {len(x)} has no whole number of groups of {group}")
        grouped = x.reshape(group, -1, *x.shape[1:])
        std = (grouped.var(0, correction=0) + 1e-8).sqrt().flatten(1).mean(1)
        channel = std.repeat(group).view(-1, *[1] * (x.dim() - 1)).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, channel], 1)


class MinibatchDiscrimination(nn.Module):
    """Append how close the other samples of the batch are, in ways that are learnt.

    M_i = T f(x_i), a matrix of B rows; o(x_i)_b = Σ_j exp(−‖M_ib − M_jb‖₁) over all j of the
    batch; the output is [f(x_i), o(x_i)] (Salimans et al. 2016, section 3.2). As in the paper's
    formula, j = i counts and adds one; the authors' code leaves it out and adds a bias.

    Args:
        features: of a sample.
        kernels: B, the features that are appended.
        dimensions: in which each of them measures distances.
    """

    def __init__(self, features: int, kernels: int = 50, dimensions: int = 5) -> None:
        super().__init__()
        self.kernels = kernels
        self.tensor = nn.Linear(features, kernels * dimensions, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, features] -> [B, features + kernels]; takes B² · kernels · dimensions numbers."""
        m = self.tensor(x).unflatten(1, (self.kernels, -1))
        closeness = (-(m[:, None] - m[None]).abs().sum(3)).exp().sum(1)
        return torch.cat([x, closeness], 1)


class VirtualBatchNorm(nn.Module):
    """Batch norm whose output for a sample does not depend on the other samples of its batch.

    A sample is normalised by the mean and variance of a batch of the R reference samples and
    itself, the reference samples by their own (Salimans et al. 2016, section 3.5). It is used in
    a :class:`VirtualBatch`, which puts the reference samples first.

    Args:
        channels: C.
        eps: added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.reference = 0
        """R, which the :class:`VirtualBatch` sets."""
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[R + B, C, …] -> [R + B, C, …].

        Raises:
            RuntimeError: the layer is in no VirtualBatch.
        """
        if not self.reference:
            raise RuntimeError("VirtualBatchNorm has no reference batch: put it in a VirtualBatch")
        flat = x.reshape(*x.shape[:2], -1)
        mean = self._with_reference(flat.mean(2))
        variance = self._with_reference(flat.square().mean(2)) - mean.square()
        scale = self.weight * (variance + self.eps).rsqrt()
        shape = (*scale.shape, *[1] * (x.dim() - 2))
        return x * scale.view(shape) + (self.bias - mean * scale).view(shape)

    def _with_reference(self, moment: Tensor) -> Tensor:
        """Moments of single samples -> of the batches that normalise them, [R + B, C]."""
        reference = moment[: self.reference].mean(0)
        own = torch.lerp(reference, moment[self.reference :], 1 / (self.reference + 1))
        return torch.cat([reference.expand(self.reference, -1), own])


class VirtualBatch(nn.Module):
    """A module with :class:`VirtualBatchNorm` layers, and the reference batch that they need.

    Args:
        module: maps samples [N, …] to outputs [N, …].
        reference: samples [R, …] chosen once, such as the first batch of the data, or codes for
            a generator. They are saved with the module.

    Raises:
        ValueError: the module has no VirtualBatchNorm, or there is no reference sample.
    """

    reference: Tensor

    def __init__(self, module: nn.Module, reference: Tensor) -> None:
        super().__init__()
        layers = [layer for layer in module.modules() if isinstance(layer, VirtualBatchNorm)]
        if not layers or not len(reference):
            raise ValueError("a virtual batch needs VirtualBatchNorm layers and reference samples")
        for layer in layers:
            layer.reference = len(reference)
        self.module = module
        self.register_buffer("reference", reference)

    def forward(self, x: Tensor) -> Tensor:
        """The module's output for samples [B, …], each as if it were alone with the reference."""
        return self.module(torch.cat([self.reference, x]))[len(self.reference) :]
