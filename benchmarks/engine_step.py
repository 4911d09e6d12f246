"""What the engine costs: its step beside the same networks in a loop by hand, paired, one thread.

Three comparisons, each as the median over interleaved rounds of CPU seconds:

- a tiny MLP GAN, the same optimizer and the same work on both sides;
- a small DCGAN (32 px), likewise;
- the DCGAN with the engine's defaults (channels_last, fused Adam, one batch of fakes shared by
  both players) beside the loop that tutorials print.

    python benchmarks/engine_step.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce

from gantools import Game, Player, Trainer, shared
from gantools.losses import non_saturating

ADAM = {"lr": 2e-4, "betas": (0.5, 0.999)}


def mlp(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, outputs)
    )


def dcgan_generator(width: int = 32) -> nn.Module:
    def up(i: int, o: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(True)]

    return nn.Sequential(
        nn.Unflatten(1, (100, 1, 1)),
        nn.ConvTranspose2d(100, 4 * width, 4, 1, 0, bias=False),
        nn.BatchNorm2d(4 * width),
        nn.ReLU(True),
        *up(4 * width, 2 * width),
        *up(2 * width, width),
        nn.ConvTranspose2d(width, 3, 4, 2, 1),
        nn.Tanh(),
    )


def dcgan_discriminator(width: int = 32) -> nn.Module:
    def down(i: int, o: int) -> list[nn.Module]:
        norm = nn.BatchNorm2d(o)
        return [nn.Conv2d(i, o, 4, 2, 1, bias=False), norm, nn.LeakyReLU(0.2, True)]

    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1),
        nn.LeakyReLU(0.2, True),
        *down(width, 2 * width),
        *down(2 * width, 4 * width),
        nn.Conv2d(4 * width, 1, 4, 1, 0),
        nn.Flatten(),
    )


class GAN(Game):
    """The engine's side."""

    def __init__(self, networks: Networks, batch: int, **options: object) -> None:
        generator, discriminator, self.code = networks()
        super().__init__(
            discriminator=Player(discriminator, **ADAM, **options),
            generator=Player(generator, **ADAM, **options),
        )
        self.batch = batch

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.randn(self.batch, self.code))

    def discriminator_loss(self, turn):
        real, fake = self.discriminator(turn.batch), self.discriminator(self.fakes(turn))
        return non_saturating.discriminator(real, fake)

    def generator_loss(self, turn):
        return non_saturating.generator(self.discriminator(self.fakes(turn)))


Networks = Callable[[], tuple[nn.Module, nn.Module, int]]


class Engine:
    """Plays on; one trainer for all rounds, as in a real training."""

    def __init__(self, networks: Networks, data: Tensor, channels_last: bool, **options: object):
        self.game = GAN(networks, len(data), **options)
        self.trainer = Trainer(0, accelerator="cpu", threads=1, channels_last=channels_last)
        self.trainer.setup(self.game, [data])

    def __call__(self, steps: int) -> None:
        self.trainer.turns += steps
        self.trainer.fit(self.game)


class Loop:
    """The same by hand.

    Args:
        share: one batch of fakes for both players; tutorials that follow the paper's algorithm
            draw a second one for the generator.
    """

    def __init__(self, networks: Networks, data: Tensor, share: bool, **options: object) -> None:
        self.g, self.d, self.code = networks()
        self.og = torch.optim.Adam(self.g.parameters(), **ADAM, **options)
        self.od = torch.optim.Adam(self.d.parameters(), **ADAM, **options)
        self.data, self.share = data, share

    def __call__(self, steps: int) -> None:
        for _ in range(steps):
            fake = self.g(torch.randn(len(self.data), self.code))
            self.od.zero_grad()
            real_score, fake_score = self.d(self.data), self.d(fake.detach())
            loss = bce(real_score, torch.ones_like(real_score))
            loss = loss + bce(fake_score, torch.zeros_like(fake_score))
            loss.backward()
            self.od.step()
            self.og.zero_grad()
            if not self.share:
                fake = self.g(torch.randn(len(self.data), self.code))
            score = self.d(fake)
            bce(score, torch.ones_like(score)).backward()
            self.og.step()


def tiny() -> tuple[nn.Module, nn.Module, int]:
    return mlp(2, 2), mlp(2, 1), 2


def dcgan() -> tuple[nn.Module, nn.Module, int]:
    return dcgan_generator(), dcgan_discriminator(), 100


def paired(ours: Callable[[int], None], theirs: Callable[[int], None], steps: int, rounds: int):
    """CPU milliseconds a step of both sides and the ratio ours / theirs, medians over rounds."""
    ours(3), theirs(3)
    times: list[tuple[float, float]] = []
    for number in range(rounds):
        pair = [0.0, 0.0]
        for side in ((0, 1), (1, 0))[number % 2]:
            began = time.process_time()
            (ours, theirs)[side](steps)
            pair[side] = (time.process_time() - began) / steps * 1e3
        times.append((pair[0], pair[1]))
    ratios = sorted(a / b for a, b in times)
    middle = [statistics.median(column) for column in zip(*times, strict=True)]
    return middle[0], middle[1], statistics.median(ratios), ratios[0], ratios[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    points, images = torch.randn(256, 2), torch.randn(64, 3, 32, 32)
    same = {"fused": False}
    rows = [
        (
            "tiny MLP GAN, same work",
            Engine(tiny, points, False, **same),
            Loop(tiny, points, True, **same),
            400,
            "at most 1.15",
        ),
        (
            "DCGAN 32 px, same work",
            Engine(dcgan, images, False, **same),
            Loop(dcgan, images, True, **same),
            10,
            "at most 1.02",
        ),
        (
            "DCGAN 32 px, defaults against the tutorials' loop",
            Engine(dcgan, images, True),
            Loop(dcgan, images, False),
            10,
            "at most 0.83 (1.2 times faster)",
        ),
    ]
    print("| step | engine, ms | loop, ms | ratio (min–max) | wanted |")
    print("|---|---|---|---|---|")
    for name, ours, theirs, steps, wanted in rows:
        a, b, ratio, low, high = paired(ours, theirs, steps, rounds)
        print(f"| {name} | {a:.2f} | {b:.2f} | {ratio:.3f} ({low:.3f}–{high:.3f}) | {wanted} |")


if __name__ == "__main__":
    main()
