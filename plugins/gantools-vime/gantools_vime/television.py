"""The noisy television: is a bonus drawn to what can never be learned, or to what is new?"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gantools.agents import Bonus
from gantools_vime.pool import Pool


def room(noisy: int, novel: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Transitions beside a noisy television (o₁ < 0), then some of where the world obeys.

    The television shows anything, N(0, 1); elsewhere the change is a smooth function of
    observation and action of about the same size.

    Returns:
        Observations [noisy + novel, 2], actions [noisy + novel, 1], successors as observations.
    """
    obs = torch.rand(noisy + novel, 2, generator=generator)
    action = 2 * torch.rand(noisy + novel, 1, generator=generator) - 1
    change = torch.randn(noisy + novel, 2, generator=generator)
    obs[:noisy, 0] *= -1
    x, y, a = obs[noisy:, 0], obs[noisy:, 1], action[noisy:, 0]
    change[noisy:] = torch.stack([torch.sin(3 * y + 2 * a), torch.cos(4 * x) * a], 1)
    return obs, action, obs + change


def noise_over_novelty(kind: Callable[[int, int], Bonus], seed: int, moves: int = 300) -> float:
    """Mean bonus before the television over that where the world obeys; 1 is indifference.

    The bonus has learned, by ``moves`` batches of 128, from 5,000 transitions before the television
    and 50 elsewhere; it is asked about 1,000 fresh ones of each.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    steps, fresh = room(5000, 50, generator), room(1000, 1000, generator)
    bonus = kind(2, 1)
    bonus.update_statistics(*steps)
    learn(bonus, steps, moves, lr=1e-2, batch=128)
    noise, novelty = bonus.score(*fresh).chunk(2)
    return (noise.mean() / novelty.mean()).item()


def learn(
    bonus: Bonus, steps: tuple[Tensor, Tensor, Tensor], moves: int, lr: float, batch: int
) -> None:
    """Let the bonus learn from a pool of these transitions."""
    generator = torch.Generator().manual_seed(0)
    pool = Pool(2, 1, capacity=len(steps[0]))
    pool.add(*steps)
    trainable = [p for p in bonus.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trainable, lr=lr, fused=True)
    for _ in range(moves):
        optimizer.zero_grad()
        terms = bonus.loss(*pool.draw(batch, generator), len(pool), generator)
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
