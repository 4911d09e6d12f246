"""Attacks: how an adversary moves a classifier's inputs within a small ball, as pure functions.

In the formulas x is an input and y its label, L the loss that the adversary wants large, θ the
model's parameters, ε the radius of the ball and α the length of a step. What is returned lies in
the ball and within the bounds exactly, rounding included, with ε as x's own type holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

Model = Callable[[Tensor], Tensor]
"""Inputs [B, …] -> logits [B, C]."""

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits [B, C] and y -> a scalar, a mean or sum over samples that do not affect each other."""

Norm = Literal["linf", "l2"]


def fgsm(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    *,
    loss: Loss = cross_entropy,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Tensor:
    """x + ε · sign ∇ₓ L(θ, x, y), cut to the bounds (Goodfellow et al. 2015, section 4).

    The best move in the ℓ∞ ball if L is linear in x. The model's mode and its parameters'
    ``.grad`` stay as they are (statistics that a forward pass updates in training mode do not);
    gradients do not flow into whatever made x, nor out of the result.

    Args:
        model: maps inputs [B, …] to logits [B, C].
        x: inputs [B, …] within the bounds.
        y: what ``loss`` compares the logits with: class numbers [B] for the default.
        epsilon: radius of the ball, in units of x.
        loss: what the adversary makes large.
        bounds: least and greatest value of an input, such as (0, 1) of a pixel.

    Returns:
        Tensor [B, …].

    Raises:
        ValueError: a negative ``epsilon``, or x is not within the bounds.
    """
    x = _checked(x, epsilon, bounds)
    return _moved(x, epsilon * _gradient(model, x, y, loss).sign(), bounds)


def pgd(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    step_size: float,
    steps: int,
    *,
    random_start: bool = True,
    norm: Norm = "linf",
    loss: Loss = cross_entropy,
    generator: torch.Generator | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Tensor:
    """x ← Π(x + α · steepest ascent of L), ``steps`` times (Madry et al. 2018, section 2.1).

    Steepest ascent is sign ∇ₓ L for ℓ∞ and ∇ₓ L / ‖∇ₓ L‖₂ for ℓ₂. Π scales or cuts the way from the
    given x down to the ball, and then cuts to the bounds, which takes no point out of the ball. The
    model is left as :func:`fgsm` leaves it.

    Args:
        model: maps inputs [B, …] to logits [B, C].
        x: inputs [B, …] within the bounds.
        y: what ``loss`` compares the logits with: class numbers [B] for the default.
        epsilon: radius of the ball, in units of x; for ℓ₂ of a whole sample.
        step_size: α, in the same units.
        steps: how many; 0 gives the start.
        random_start: begin at a point drawn uniformly from the ball, instead of at x.
        norm: which ball: ``linf`` or ``l2``.
        loss: what the adversary makes large.
        generator: where the start's random numbers come from.
        bounds: least and greatest value of an input, such as (0, 1) of a pixel.

    Returns:
        Tensor [B, …].

    Raises:
        ValueError: a negative ``epsilon``, ``step_size`` or ``steps``, a norm that is not known, or
            x is not within the bounds.
    """
    x = _checked(x, epsilon, bounds)
    if step_size < 0 or steps < 0:
        raise ValueError(f"step_size and steps are at least 0, not {step_size} and {steps}")
    if norm not in ("linf", "l2"):
        raise ValueError(f"norm is linf or l2, not {norm!r}")
    moved = _moved(x, _uniform(x, epsilon, norm, generator), bounds) if random_start else x
    for _ in range(steps):
        ascent = _steepest(_gradient(model, moved, y, loss), norm)
        moved = _moved(x, _in_ball(moved - x + step_size * ascent, epsilon, norm), bounds)
    return moved


def margin(logits: Tensor, y: Tensor) -> Tensor:
    """Σ (max over i ≠ y of zᵢ − z_y), z the logits: above 0 where a sample is misclassified.

    A loss for attacks whose gradient does not vanish where the classifier is sure, as that of
    cross-entropy does (Carlini & Wagner 2017, f₆, untargeted and not
    cut at 0).

    Args:
        logits: [B, C] of at least two classes.
        y: class numbers [B].
    """
    own = logits.gather(1, y.unsqueeze(1))
    others = logits.scatter(1, y.unsqueeze(1), -torch.inf)
    return (others.amax(1) - own.squeeze(1)).sum()


def _checked(x: Tensor, epsilon: float, bounds: tuple[float, float]) -> Tensor:
    """x without its history, if it and the radius are in range."""
    if not epsilon >= 0:
        raise ValueError(f"epsilon is at least 0, not {epsilon}")
    low, high = bounds
    if x.numel() and not (x.amin() >= low and x.amax() <= high):
        raise ValueError(f"x goes from {x.amin():g} to {x.amax():g}, beyond its bounds {bounds}")
    return x.detach()


def _gradient(model: Model, x: Tensor, y: Tensor, loss: Loss) -> Tensor:
    """∇ₓ L(θ, x, y), [B, …]; of x alone, and also where gradients are switched off."""
    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(loss(model(x), y), x)
    return gradient


def _steepest(gradient: Tensor, norm: Norm) -> Tensor:
    """The direction of length 1 in the norm along which the loss grows fastest: [B, …]."""
    if norm == "linf":
        return gradient.sign()
    return normalize(gradient.flatten(1), eps=1e-30).view_as(gradient)


def _in_ball(delta: Tensor, epsilon: float, norm: Norm) -> Tensor:
    """The point of the ball around 0 that is nearest to each sample of delta: [B, …]."""
    if norm == "linf":
        return delta.clamp(-epsilon, epsilon)
    inside = epsilon * (1 - 1e-6)  # what is lost in rounding a norm is less
    return delta.flatten(1).renorm(2, 0, inside).view_as(delta)


def _uniform(x: Tensor, epsilon: float, norm: Norm, generator: torch.Generator | None) -> Tensor:
    """Points drawn uniformly from the ball around 0, shaped as x is."""
    if norm == "linf":
        return epsilon * torch.empty_like(x).uniform_(-1, 1, generator=generator)
    sphere = normalize(torch.empty_like(x).normal_(generator=generator).flatten(1))
    radius = torch.rand(len(x), 1, generator=generator, device=x.device, dtype=x.dtype)
    return _in_ball((epsilon * radius ** (1 / sphere.shape[1]) * sphere).view_as(x), epsilon, norm)


def _moved(x: Tensor, delta: Tensor, bounds: tuple[float, float]) -> Tensor:
    """x + delta within the bounds, rounded towards x, so that rounding leaves no ball."""
    return torch.nextafter(x + delta, x).clamp(*bounds)
