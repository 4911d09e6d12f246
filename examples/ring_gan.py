"""A GAN of your own in twenty lines: a generator learns a ring of eight Gaussians.

python examples/ring_gan.py
"""

import math

import torch
from torch import nn

from gantools import Game, Player, Trainer, shared
from gantools.data import Batches
from gantools.losses import r1, r2, relativistic


def mlp(inputs: int, outputs: int) -> nn.Module:
    layers = [nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(128, outputs))


class RingGAN(Game):
    def __init__(self):
        adam = {"lr": 1e-3, "betas": (0.0, 0.9)}
        super().__init__(
            discriminator=Player(mlp(2, 1), **adam), generator=Player(mlp(2, 2), ema=0.99, **adam)
        )

    @shared(by="generator")  # made once a turn, for both players
    def fakes(self, turn):
        return self.generator(turn.randn(256, 2))

    def discriminator_loss(self, turn):
        real, fake = turn.batch, self.fakes(turn)
        loss = relativistic.discriminator(self.discriminator(real), self.discriminator(fake))
        penalty = r1(self.discriminator, real, fake, 0.1) + r2(self.discriminator, real, fake, 0.1)
        return {"adversarial": loss, "penalty": penalty}

    def generator_loss(self, turn):
        real, fake = turn.batch, self.fakes(turn)
        return relativistic.generator(self.discriminator(fake), self.discriminator(real))


if __name__ == "__main__":
    angle = torch.arange(8) * math.pi / 4
    centres = torch.stack([angle.cos(), angle.sin()], 1)
    data = centres.repeat(512, 1) + 0.05 * torch.randn(4096, 2)
    game = RingGAN()
    Trainer(turns=2000, threads=1).fit(game, Batches(data, size=256))

    samples = game.generator.averaged(torch.randn(4096, 2))
    distance, nearest = torch.cdist(samples, centres).min(1)
    good = distance < 0.15
    print(f"{good.float().mean():.0%} of samples within 3 std of a Gaussian,")
    print(f"{(nearest[good].bincount(minlength=8) > 40).sum()} of 8 Gaussians found")
