"""A trainer may be used again: what goes on, what begins anew, and what is forgotten then."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gantools import Game, Observer, Player, Trainer
from gantools.engine import Lookahead, Optimistic
from gantools.engine.watcher import Watcher
from gantools.testing import differences

CPU = {"accelerator": "cpu"}


class Fit(Game):
    """One number that moves towards the batch's."""

    def __init__(self, width: int = 1) -> None:
        torch.manual_seed(0)
        options = {"optimizer": torch.optim.Adam, "lr": 0.1}
        super().__init__(one=Player(nn.Linear(width, 4), ema=0.5, **options))
        self.seen: list[float] = []

    def one_loss(self, turn):
        self.seen.append(turn.batch[0].item())
        noisy = turn.batch + 0.1 * turn.randn(1)
        return (self.one.weight - noisy).square().mean()


def batches(value: float) -> list[torch.Tensor]:
    return [torch.tensor([value])]


def weights(game: Game) -> dict:
    return {name: player.state_dict() for name, player in game.players.items()}


@pytest.mark.parametrize("solver", [lambda: None, Optimistic, Lookahead])
def test_another_game_is_a_new_training_with_nothing_left_of_the_first(solver):
    trainer = Trainer(7, solver=solver(), seed=3, watcher=Watcher(), **CPU)
    trainer.fit(Fit(width=2), batches(9.0))
    second = Fit()
    trainer.fit(second, batches(1.0))
    assert trainer.turn == 7
    alone = Fit()
    fresh = Trainer(7, solver=solver(), seed=3, watcher=Watcher(), **CPU)
    fresh.fit(alone, batches(1.0))
    assert differences(weights(second), weights(alone)) == []
    assert differences(trainer.state_dict(), fresh.state_dict()) == []


def test_other_data_is_a_new_training_from_the_weights_that_there_are():
    game, trainer = Fit(), Trainer(3, **CPU)
    trainer.fit(game, batches(1.0))
    state = game.one.module.state_dict()
    alone = Fit()
    alone.one.module.load_state_dict(state)
    trainer.fit(game, batches(2.0))
    assert game.seen == [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    Trainer(3, **CPU).fit(alone, batches(2.0))
    assert differences(weights(game), weights(alone)) == []


def test_the_same_game_and_data_go_on_if_turns_are_left():
    class Stop(Observer):
        def turn_ended(self, trainer, figures):
            trainer.should_stop = trainer.turn == 2

    game, data, trainer = Fit(), batches(1.0), Trainer(5, observers=[Stop()], **CPU)
    trainer.fit(game, data)
    assert trainer.turn == len(game.seen) == 2
    trainer.fit(game)
    assert trainer.turn == len(game.seen) == 5
    trainer.fit(game, data)
    assert len(game.seen) == 5
    trainer.turns = 6
    trainer.fit(game, data)
    assert len(game.seen) == 6
    whole = Fit()
    Trainer(6, **CPU).fit(whole, data)
    assert differences(weights(game), weights(whole)) == []


def test_a_state_that_was_loaded_is_not_lost_by_fitting_something_else():
    game, data, trainer = Fit(), batches(1.0), Trainer(5, **CPU)
    trainer.setup(game, data)
    trainer.load_state_dict({**trainer.state_dict(), "turn": 3}, trainer.process_state_dict())
    for other in ((Fit(), data), (game, batches(1.0))):
        with pytest.raises(ValueError, match="setup was called with another game or other data"):
            trainer.fit(*other)
    trainer.fit(game, data)
    assert len(game.seen) == 2
