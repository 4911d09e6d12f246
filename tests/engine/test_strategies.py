"""Two processes over gloo end where one on the whole batch does: hinge and R1, solvers, FSDP.

This file is also the script that both processes run, all cases: ``python test_strategies.py FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from gantools import Game, Player, Trainer, shared
from gantools.data import Batches
from gantools.engine import Alternating, Consensus, Extragradient
from gantools.errors import UserError
from gantools.losses import hinge, r1

CASES = {
    # name: (strategy, solver, weight of R1, batches accumulated)
    "hinge and r1": ("ddp", Alternating, 1.0, 1),
    "accumulated": ("ddp", Alternating, 1.0, 2),
    "consensus": ("ddp", Consensus, 0.0, 1),
    "extragradient": ("ddp", Extragradient, 1.0, 1),
    "fsdp": ("fsdp", Alternating, 0.0, 1),
    "fsdp members": ("fsdp", Alternating, 0.0, 1),
}
TURNS = 5


def mlp(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 16), nn.Tanh(), nn.Linear(16, outputs))


class GAN(Game):
    def __init__(self, weight: float) -> None:
        self.weight = weight
        options = {"lr": 1e-2, "betas": (0.5, 0.9)}
        super().__init__(
            discriminator=Player(mlp(3, 1), clip_norm=10.0, **options),
            generator=Player(mlp(2, 3), ema=0.9, **options),
        )

    @shared(by="generator")
    def fakes(self, turn):
        return self.generator(turn.batch[1])

    def discriminator_loss(self, turn):
        critic, (real, _) = self.discriminator, turn.batch
        terms = {"hinge": hinge.discriminator(critic(real), critic(self.fakes(turn)))}
        return terms | ({"r1": r1(critic, real, weight=self.weight)} if self.weight else {})

    def generator_loss(self, turn):
        return hinge.generator(self.discriminator(self.fakes(turn)))


class Two(nn.Module):
    """An ensemble, whose members are called one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.members = nn.ModuleList([mlp(3, 1), mlp(3, 1)])

    def score(self, x, i):
        return self.members[i](x)


class Members(GAN):
    """The discriminator's members, the generator's layers and a method, but no whole forward."""

    def __init__(self) -> None:
        options = {"lr": 1e-2, "betas": (0.5, 0.9)}
        Game.__init__(
            self,
            discriminator=Player(Two(), **options),
            generator=Player(mlp(2, 3), ema=0.9, **options),
        )

    @shared(by="generator")
    def fakes(self, turn):
        made = turn.batch[1]
        for layer in self.generator:
            made = layer(made)
        return made

    def discriminator_loss(self, turn):
        (real, _), fake = turn.batch, self.fakes(turn)
        return {
            str(i): hinge.discriminator(critic(real), self.discriminator.score(fake, i))
            for i, critic in enumerate(self.discriminator.members)
        }

    def generator_loss(self, turn):
        critics, fake = self.discriminator.members, self.fakes(turn)
        return {str(i): hinge.generator(critics[i](fake)) for i in range(len(critics))}


def play(case: str, devices: int, turns: int = TURNS) -> Trainer:
    strategy, solver, weight, accumulate = CASES[case]
    trainer = Trainer(
        turns,
        solver=solver(),
        accelerator="cpu",
        devices=devices,
        strategy=strategy if devices > 1 else "auto",
        accumulate=accumulate,
        threads=1,
    )
    trainer.fabric.launch()
    rank, size = trainer.fabric.global_rank, trainer.fabric.world_size
    torch.manual_seed(rank)  # only the first process's weights count
    game = Members() if case == "fsdp members" else GAN(weight)
    drawn = torch.Generator().manual_seed(1)
    x, z = torch.randn(48, 3, generator=drawn) + 1, torch.randn(48, 2, generator=drawn)
    data = Batches(x, z, size=16, rank=rank, world_size=size)
    trainer.setup(game, data)
    trainer.fit(game)
    return trainer


def check_fsdp_state(trainer: Trainer, folder: Path) -> None:
    """A whole state, which a trainer of one process and one of two take up; the second goes on."""
    state, process = trainer.state_dict(), trainer.process_state_dict()
    if trainer.fabric.is_global_zero:
        torch.save(state, folder / "state.pt")
    trainer.fabric.barrier()
    state = torch.load(folder / "state.pt", weights_only=True)
    game = GAN(0.0)
    again = Trainer(TURNS + 2, accelerator="cpu", devices=2, strategy="fsdp", threads=1)
    again.setup(game, trainer._data)
    again.load_state_dict(state, process)
    again.fit(game)
    state = again.state_dict()
    if trainer.fabric.is_global_zero:
        torch.save(state["players"], folder / "resumed.pt")


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What two processes left, a folder of each case."""
    from program import script  # not where this file is the script

    folder = tmp_path_factory.mktemp("strategies")
    done = script(__file__, folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def flat(players: dict) -> torch.Tensor:
    modules = [
        state[part] for state in players.values() for part in ("module", "ema") if part in state
    ]
    return torch.cat([m[name].flatten().double() for m in modules for name in sorted(m)])


@pytest.mark.parametrize("case", CASES)
def test_two_processes_match_one_on_the_whole_batch(case, both):
    two = torch.load(both / case / "players.pt", weights_only=True)
    one = flat(play(case, devices=1).state_dict()["players"])
    torch.testing.assert_close(flat(two), one, atol=1e-6, rtol=0)
    untrained = play(case, devices=1, turns=0)
    assert (one - flat(untrained.state_dict()["players"])).abs().max() > 1e-2


def test_a_state_of_fsdp_goes_on_in_two_processes_and_in_one(both):
    longer = play("fsdp", devices=1, turns=TURNS + 2)
    resumed = torch.load(both / "fsdp" / "resumed.pt", weights_only=True)
    expected = flat(longer.state_dict()["players"])
    torch.testing.assert_close(flat(resumed), expected, atol=1e-6, rtol=0)
    one = play("fsdp", devices=1)
    state = torch.load(both / "fsdp" / "state.pt", weights_only=True)
    one.load_state_dict(state, one.process_state_dict())


def test_fsdp_refuses_a_penalty_of_gradients(both):
    said = (both / "refused.txt").read_text(encoding="utf-8")
    assert "fsdp cannot differentiate the gradients of 'discriminator'" in said


def test_fsdp_goes_with_the_alternating_solver_only():
    trainer = Trainer(1, accelerator="cpu", strategy="fsdp", solver=Extragradient())
    with pytest.raises(UserError, match="--solver alternating only"):
        trainer.setup(GAN(0.0))


def test_fsdp_refuses_a_bare_list_of_modules():
    game = Members()
    game.discriminator.module = game.discriminator.module.members
    with pytest.raises(ValueError, match="ModuleList of 'discriminator': put it into a module"):
        Trainer(1, accelerator="cpu", strategy="fsdp").setup(game)


if __name__ == "__main__":
    for case in CASES:
        folder = Path(sys.argv[1]) / case
        folder.mkdir(exist_ok=True)
        trainer = play(case, devices=2)
        state = trainer.state_dict()
        if trainer.fabric.is_global_zero:
            torch.save(state["players"], folder / "players.pt")
        if case == "fsdp":
            check_fsdp_state(trainer, folder)
    try:
        CASES["fsdp"] = ("fsdp", Alternating, 1.0, 1)
        play("fsdp", devices=2)
    except UserError as error:
        (folder.parent / "refused.txt").write_text(str(error), encoding="utf-8")
    trainer.fabric.barrier()
