"""Two processes on half a batch each end where one process on the whole batch does.

This file is also the script that both processes run: ``python test_processes.py DEVICES FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from gantools import Game, Player, Trainer, shared
from gantools.data import Batches
from gantools.losses import non_saturating, r1

TURNS = 6


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, outputs))


class Codec(nn.Module):
    """A joint player: two directions, and a part that no loss ever uses."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.spare = mlp(3, 2), mlp(2, 3), nn.Linear(3, 3)
        self.register_buffer("seen", torch.zeros(()))

    def encode(self, x):
        return self.encoder(x)

    def generate(self, z):
        self.seen += z[0, 0].detach()  # what each process sees differs
        return self.decoder(z)


class BiGAN(Game):
    """D(x, E(x)) against D(G(z), z); what the codec makes is shared, and the critic runs twice."""

    def __init__(self) -> None:
        options = {"lr": 1e-2, "betas": (0.5, 0.9)}
        super().__init__(
            critic=Player(mlp(5, 1), clip_norm=1.0, **options),
            codec=Player(
                Codec(), ema=0.9, optimizer=torch.optim.AdamW, weight_decay=0.1, **options
            ),
        )

    @shared(by="codec")
    def pairs(self, turn):
        x, z = turn.batch
        return torch.cat([x, self.codec.encode(x)], 1), torch.cat([self.codec.generate(z), z], 1)

    def critic_loss(self, turn):
        real, fake = self.pairs(turn)
        adversarial = non_saturating.discriminator(self.critic(real), self.critic(fake))
        return {"adversarial": adversarial, "r1": r1(self.critic, real)}

    def codec_loss(self, turn):
        real, fake = self.pairs(turn)
        x, _ = turn.batch
        again = self.codec.generate(self.codec.encode(x))
        return {
            "real": non_saturating.generator(-self.critic(real)),
            "fake": non_saturating.generator(self.critic(fake)),
            "reconstruction": (again - x).square().mean(),
        }


def play(devices: int) -> Trainer:
    trainer = Trainer(
        TURNS,
        accelerator="cpu",
        devices=devices,
        strategy="ddp" if devices > 1 else "auto",
        threads=1,
    )
    trainer.fabric.launch()
    rank = trainer.fabric.global_rank
    torch.manual_seed(rank)  # only the first process's weights count
    game = BiGAN()
    drawn = torch.Generator().manual_seed(1)
    x, z = torch.randn(48, 3, generator=drawn) + 1, torch.randn(48, 2, generator=drawn)
    trainer.fit(game, Batches(x, z, size=16, rank=rank, world_size=trainer.fabric.world_size))
    return trainer


def players(trainer: Trainer) -> dict[str, dict]:
    return {
        name: {"module": player.module.state_dict(), "averaged": player.averaged.state_dict()}
        for name, player in trainer.game.players.items()
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The players of one process, and of each of two."""
    folder = tmp_path_factory.mktemp("processes")
    from program import script  # not where this file is the script

    done = script(__file__, 2, folder)
    assert done.returncode == 0, done.stderr
    two = [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]
    return players(play(devices=1)), *two


def flat(state: dict, which: str) -> torch.Tensor:
    parts = (
        value.flatten()
        for player in state.values()
        for name, value in player[which].items()
        if name != "seen"
    )
    return torch.cat(list(parts))


@pytest.mark.parametrize("which", ["module", "averaged"])
def test_two_processes_match_one_on_the_whole_batch(trained, which):
    one, first, _ = trained
    torch.testing.assert_close(flat(first, which), flat(one, which), atol=1e-5, rtol=0)


def test_the_players_have_moved(trained):
    one, *_ = trained
    torch.manual_seed(0)
    game = BiGAN()
    untrained = {
        name: {"module": player.module.state_dict()} for name, player in game.players.items()
    }
    assert (flat(one, "module") - flat(untrained, "module")).abs().max() > 1e-2


def test_processes_stay_the_same_bit_for_bit_buffers_too(trained):
    _, first, second = trained
    for name in first:
        for key, value in first[name]["module"].items():
            assert torch.equal(value, second[name]["module"][key]), key


def test_what_no_process_uses_does_not_even_decay(trained):
    _, first, _ = trained
    torch.manual_seed(0)
    spare = BiGAN().codec.module.spare.weight
    assert torch.equal(first["codec"]["module"]["spare.weight"], spare)


if __name__ == "__main__":
    trainer = play(int(sys.argv[1]))
    torch.save(players(trainer), Path(sys.argv[2]) / f"{trainer.fabric.global_rank}.pt")
    trainer.fabric.barrier()
