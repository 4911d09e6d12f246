"""The toy application's game: two small networks, trained in a second."""

from __future__ import annotations

import math
import time
from typing import Any

from torch import Tensor, nn

from gantools.application import Application, Setting, Trained
from gantools.data import Batches, Split
from gantools.engine import Game, Player, Turn, shared
from gantools.losses import Objective, Penalty
from gantools.metrics import Metric
from gantools.testing.toy import ToyConfig


class Points(Game):
    """A generator of points [N, 2] and its discriminator."""

    def __init__(self, config: ToyConfig, objective: Objective, penalty: Penalty) -> None:
        self.config, self.objective, self.penalty = config, objective, penalty
        options: dict[str, Any] = {"lr": config.lr, "betas": (0.5, 0.9)}
        super().__init__(
            discriminator=Player(_mlp(2, 1), **options),
            generator=Player(_mlp(2, 2), ema=0.9, **options),
        )

    @shared(by="generator")
    def fakes(self, turn: Turn) -> Tensor:
        """Points that the generator made, [B, 2]."""
        return self.generator(turn.randn(*turn.batch.shape))

    def discriminator_loss(self, turn: Turn) -> dict[str, Tensor]:
        """Tell real from fake, plus the penalty."""
        time.sleep(self.config.pause)
        real, fake, critic = turn.batch, self.fakes(turn), self.discriminator
        r, f = critic(real), critic(fake)
        turn.log_scores("discriminator", r, f)
        adversarial = self.objective.discriminator(r, f)
        if self.config.poison == turn.step:
            adversarial = adversarial * math.nan
        penalty = self.penalty(critic, real, fake, 0.1, generator=turn.generator)
        return {"adversarial": adversarial, "penalty": penalty}

    def generator_loss(self, turn: Turn) -> Tensor:
        """Be taken for real."""
        fake, real = self.discriminator(self.fakes(turn)), self.discriminator(turn.batch)
        return self.objective.generator(fake, real)


class Toy(Application[ToyConfig]):
    """Points in the plane, judged by a metric on points that training has not seen."""

    key_figures = ("generator/loss",)

    def build(self, setting: Setting) -> tuple[Points, Batches]:
        """Two players, and this process's share of the points."""
        config = self.config
        self.split: Split = setting.part("data", config.data)(config.seed)
        self.metric: Metric = setting.part("metrics", config.metric)
        game = Points(
            config,
            setting.part("objectives", config.objective),
            setting.part("penalties", config.penalty),
        )
        return game, Batches(self.split.train, size=64, seed=config.seed, **setting.share)

    def _distance(self, game: Game) -> float:
        noise = self.split.held_out.new_empty(256, 2).normal_()
        return self.metric(self.split.held_out[:256], game.generator.averaged(noise).detach())

    def validate(self, game: Game) -> dict[str, float]:
        """The distance of 256 samples to 256 held-out points."""
        distance = self._distance(game)
        return {"distance": distance, "score": -distance}

    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """The same, beside that of training points to held-out points."""
        held_out, train = self.split.held_out[:256], self.split.train[:256]
        return {
            "samples": 256,
            "distance": self._distance(trained.game),
            "distance_of_real": self.metric(held_out, train),
        }


def _mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 32), nn.ReLU(), nn.Linear(32, outputs))
