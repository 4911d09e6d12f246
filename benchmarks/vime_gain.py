"""Information gain of transitions: the closed form beside autograd, in CPU seconds, one thread.

Transitions a CPU second at the authors' size (one hidden layer of 32), for the observations and
actions of MountainCarContinuous and of Hopper; medians over interleaved rounds. ``vmap(grad)``
makes every sample's gradient at once, the loop one after the other. The last column is the largest
relative difference of the closed form from vmap(grad).

    python benchmarks/vime_gain.py [--rounds 7] [--batch 2048]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from gantools_vime.bayes import BayesianMLP
from torch import Tensor
from torch.func import functional_call, grad, vmap

WORLDS = {"MountainCarContinuous (2 + 1)": (2, 1), "Hopper (11 + 3)": (11, 3)}
STEP = 0.01


def from_gradients(model: BayesianMLP, gradients: list[Tensor]) -> Tensor:
    """½ λ² Σ (σ ∂ℓ/∂μ)² from each layer's gradients [N, o, i + 1]: [N]."""
    pairs = zip(gradients, model.layers, strict=True)
    return 0.5 * STEP**2 * sum((g * layer.std).square().sum((1, 2)) for g, layer in pairs)


def per_sample(model: BayesianMLP) -> Callable[[Tensor, Tensor], Tensor]:
    """The gain by vmap(grad) over μ."""
    names = [f"layers.{k}.mean" for k in range(len(model.layers))]
    means = {name: model.get_parameter(name).detach() for name in names}

    def nll(means: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        prediction = functional_call(model, means, x[None])
        return -model.log_likelihood(prediction, y[None]).sum()

    gradients = vmap(grad(nll), (None, 0, 0))

    @torch.no_grad()
    def gain(x: Tensor, y: Tensor) -> Tensor:
        return from_gradients(model, list(gradients(means, x, y).values()))

    return gain


def one_by_one(model: BayesianMLP) -> Callable[[Tensor, Tensor], Tensor]:
    """The gain by a forward and a backward pass for each sample."""
    means = [layer.mean for layer in model.layers]

    def alone(x: Tensor, y: Tensor) -> Tensor:
        loss = -model.log_likelihood(model(x[None]), y[None]).sum()
        gradients = [g[None] for g in torch.autograd.grad(loss, means)]
        with torch.no_grad():
            return from_gradients(model, gradients)

    return lambda x, y: torch.cat([alone(*pair) for pair in zip(x, y, strict=True)])


def speed(gain: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor, repeats: int) -> float:
    """Transitions a CPU second."""
    began = time.process_time()
    for _ in range(repeats):
        gain(x, y)
    return repeats * len(x) / (time.process_time() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batch", type=int, default=2048)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| world | closed form | vmap(grad) | one by one | wanted | difference |")
    print("|---|---|---|---|---|---|")
    for world, (observations, actions) in WORLDS.items():
        model = BayesianMLP(observations + actions, observations)
        x = torch.randn(options.batch, observations + actions)
        y = torch.randn(options.batch, observations)
        closed = lambda x, y, model=model: model.information_gain(x, y, STEP)  # noqa: E731
        sides = [(closed, 100, x, y), (per_sample(model), 10, x, y)]
        sides.append((one_by_one(model), 1, x[:500], y[:500]))
        difference = (closed(x, y) / sides[1][0](x, y) - 1).abs().max().item()
        rounds = [
            [speed(gain, a, b, repeats) for gain, repeats, a, b in sides]
            for _ in range(options.rounds)
        ]
        speeds = [f"{statistics.median(c):,.0f}" for c in zip(*rounds, strict=True)]
        print(f"| {world} | {' | '.join(speeds)} | at least 500,000 | {difference:.0e} |")


if __name__ == "__main__":
    main()
