"""A player stands for its module: what it hides, its members, its average."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn

from gantools import Game, Player, Trainer

CPU = {"accelerator": "cpu"}


class Named(nn.Linear):
    """A module with a method ``name``, of which a player has one of its own."""

    def __init__(self) -> None:
        super().__init__(1, 1)


def with_method(name: str) -> nn.Module:
    return type("Critic", (Named,), {name: lambda self: None})()


@pytest.mark.parametrize(
    "name",
    ["step", "weights", "terms", "move", "put", "start", "name", "optimizer", "ema", "trainable"],
)
def test_a_method_that_the_player_would_hide_is_refused(name):
    with pytest.raises(ValueError, match=rf"Critic\.{name} would be hidden .*: rename it, or give"):
        Player(with_method(name))
    wrapped = Player(nn.Sequential(with_method(name)))
    assert getattr(wrapped[0], name)() is None  # the cure that the message names


@pytest.mark.parametrize("name", ["project", "features", "state_dict", "_step"])
def test_other_methods_are_the_modules_own(name):
    assert Player(with_method(name)).module is not None


def test_a_mixin_s_method_is_found_too():
    class Stepping:
        def step(self): ...

    class Critic(nn.Linear, Stepping): ...

    with pytest.raises(ValueError, match=r"Critic\.step"):
        Player(Critic(1, 1))


class Ensemble(nn.Module):
    """Members in a list, in a dict and by name, and a method that computes."""

    def __init__(self) -> None:
        super().__init__()
        self.members = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)])
        self.windows = nn.ModuleDict({"short": nn.Linear(1, 1), "long": nn.Linear(1, 1)})
        self.body = nn.Sequential(nn.Linear(1, 1), Judge())

    def scores(self, x):
        return [member(x) for member in self.members]


class Judge(nn.Linear):
    def __init__(self) -> None:
        super().__init__(1, 1)

    def features(self, x):
        return self(x)


class Seen(Game):
    """Calls every part in every way, and notes in which precision each linear layer computed."""

    def __init__(self) -> None:
        super().__init__(
            panel=Player(Ensemble(), lr=0.1),
            row=Player(nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1)]), lr=0.1),
            table=Player(nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.Linear(1, 1)}), lr=0.1),
        )
        self.dtypes: list[torch.dtype] = []
        for player in self.players.values():
            for module in player.module.modules():
                if isinstance(module, nn.Linear):
                    module.register_forward_hook(lambda *seen: self.dtypes.append(seen[2].dtype))

    def panel_loss(self, turn):
        x, panel = torch.ones(2, 1), self.panel
        assert len(panel.members) == 2
        assert list(panel.windows) == ["short", "long"]
        assert panel.members
        assert len(list(panel.members.parameters())) == 4
        results = [
            *panel.scores(x),
            *(member(x) for member in panel.members),
            panel.members[0](x),
            panel.windows["long"](x),
            *(window(x) for window in panel.windows.values()),
            *(window(x) for _, window in panel.windows.items()),
            panel.body[1].features(x),
            panel.body(x),
        ]
        return self.mean(results, calls=13)

    def row_loss(self, turn):
        x, row = torch.ones(2, 1), self.row
        assert len(row) == 2
        return self.mean([*(member(x) for member in row), row[-1](x)], calls=3)

    def table_loss(self, turn):
        x, table = torch.ones(2, 1), self.table
        assert list(table) == ["a", "b"]
        return self.mean([table["a"](x), *(part(x) for _, part in table.items())], calls=3)

    def mean(self, results, calls):
        assert len(self.dtypes) == calls
        assert {result.dtype for result in results} == {torch.float32}
        assert set(self.dtypes) == {self.expected}
        self.dtypes.clear()
        return torch.stack(results).square().mean()


@pytest.mark.parametrize(
    ("precision", "dtype"), [("32-true", torch.float32), ("bf16-mixed", torch.bfloat16)]
)
def test_members_compute_in_the_player_s_precision(precision, dtype):
    game = Seen()
    game.expected = dtype
    before = copy.deepcopy(game.panel.module.state_dict())
    Trainer(1, precision=precision, **CPU).fit(game)
    after = game.panel.module.state_dict()
    assert not any(torch.equal(before[name], after[name]) for name in before)


def test_a_player_whose_module_has_no_members_says_so_and_is_true():
    player = Player(nn.Linear(1, 1))
    assert player
    with pytest.raises(TypeError, match="no len"):
        len(player)
    with pytest.raises(TypeError, match="not iterable"):
        iter(player)


def test_the_average_copies_buffers_of_whole_numbers():
    class Still(Game):
        def one_loss(self, turn):
            return self.one(turn.randn(8, 2) + 1).square().mean()

    game = Still(one=Player(nn.BatchNorm1d(2), lr=0.0, ema=0.9))
    seen, means = [], []

    trainer = Trainer(1, **CPU)
    for turns in range(1, 6):
        trainer.turns = turns
        trainer.fit(game)
        seen.append(int(game.one.averaged.num_batches_tracked))
        means.append((game.one.module.running_mean.clone(), game.one.averaged.running_mean.clone()))
    assert seen == [1, 2, 3, 4, 5]
    for (_, before), (now, after) in pairwise(means):
        assert torch.allclose(after, 0.9 * before + 0.1 * now)  # those with floats are averaged
