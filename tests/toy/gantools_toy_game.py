"""The heavy module of the tests' own application: a small GAN on a ring of eight Gaussians."""

from __future__ import annotations

import math
import time

import torch
from torch import nn

from gantools import Application, Game, Player, shared
from gantools.data import Batches
from gantools.losses import non_saturating, r1


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, outputs))


class Ring(Game):
    def __init__(self, config) -> None:
        self.config = config
        options = {"lr": config.lr, "betas": (0.5, 0.9)}
        super().__init__(
            discriminator=Player(mlp(2, 1), **options),
            generator=Player(mlp(2, 2), ema=0.9, **options),
        )

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(64, 2))

    def discriminator_loss(self, turn):
        time.sleep(self.config.pause)
        real, fake = self.discriminator(turn.batch), self.discriminator(self.fakes(turn))
        adversarial = non_saturating.discriminator(real, fake)
        if self.config.poison == turn.step:
            adversarial = adversarial * math.nan
        return {"adversarial": adversarial, "r1": r1(self.discriminator, turn.batch, 0.1)}

    def generator_loss(self, turn):
        return non_saturating.generator(self.discriminator(self.fakes(turn)))


class Toy(Application):
    key_figures = ("generator/loss",)

    def build(self, setting):
        angles = torch.arange(512) % 8 * (math.pi / 4)
        points = torch.stack([angles.cos(), angles.sin()], 1) + 0.05 * torch.randn(512, 2)
        return Ring(self.config), Batches(
            points, size=64, seed=self.config.seed, rank=setting.rank, world_size=setting.world_size
        )

    def _radius(self, game) -> float:
        return game.generator.averaged(torch.randn(256, 2)).norm(dim=1).mean().item()

    def validate(self, game):
        radius = self._radius(game)
        return {"radius": radius, "score": -abs(radius - 1)}

    def evaluate(self, trained):
        return {"samples": 256, "radius": self._radius(trained.game)}
