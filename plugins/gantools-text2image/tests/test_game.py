"""The games against their formulas, with critics whose scores are known."""

from __future__ import annotations

import math

import pytest
import torch
from gantools_text2image.captions import Captions, Said, others
from gantools_text2image.game import Contest, Pair, TwoStages, told_apart
from gantools_text2image.networks import CAPTION, Discriminator, Generator, Refiner, Sketch
from torch import Tensor, nn
from torch.testing import assert_close

from gantools import Observer, Player, Trainer, Turn
from gantools.data import Batches
from gantools.losses import hinge, least_squares, non_saturating


def turn(step: int = 0, turns: int = 10, batch=None) -> Turn:
    source = torch.Generator().manual_seed(step)
    return Turn(step, turns, torch.device("cpu"), source, iter([batch] * 9))


class Known(nn.Module):
    """D(x, e) = a · mean(x) + v·e: what it scores can be worked out by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(2.0))
        self.v = nn.Parameter(torch.tensor([1.0, -0.5]))

    def look(self, x: Tensor) -> Tensor:
        return x.flatten(1).mean(1)

    def compare(self, seen: Tensor, e: Tensor) -> Tensor:
        return self.a * seen + e @ self.v

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        return self.compare(self.look(x), e)

    def codes(self, seen: Tensor, e: Tensor) -> tuple[Tensor, Tensor]:
        return nn.functional.normalize(e), nn.functional.normalize(e)


def known() -> Player:
    player = Player(Known())
    player.name = "discriminator"
    return player


X, FAKE = torch.rand(2, 6, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
E = torch.randn(6, 2, generator=torch.Generator().manual_seed(2))
SAID = Said(E, torch.arange(6), torch.arange(6), E.roll(1, 0))


@pytest.mark.parametrize("objective", [non_saturating, hinge, least_squares])
def test_a_wrong_caption_is_half_of_the_fakes(objective):
    critic = known()
    r, f, wrong = critic(X, E), critic(FAKE, E), critic(X, E.roll(1, 0))
    found = Contest(objective=objective).tell(turn(), critic, X, SAID, FAKE)
    # On real scores alone the loss of a pair is what is left of two losses of the same fakes.
    halves = 0.5 * (objective.discriminator(r, f) + objective.discriminator(r, wrong))
    assert list(found) == ["adversarial"]
    assert found["adversarial"].item() == pytest.approx(halves.item())
    if objective is hinge:
        said = (1 - r).relu().mean() + 0.5 * ((1 + f).relu() + (1 + wrong).relu()).mean()
        assert found["adversarial"].item() == pytest.approx(said.item())


def test_the_matching_aware_penalty_sees_picture_and_caption():
    critic = known()
    contest = Contest(objective="hinge", penalties="ma-gp:2")
    found = contest.tell(turn(), critic, X, SAID, FAKE)
    # ∇ₓD = a/n in each of n = 192 places, ∇ₑD = v: ‖·‖² = a²/n + ‖v‖².
    norm = (4 / 192 + 1.25) ** 0.5
    assert found["ma-gp"].item() == pytest.approx(2 * norm**6, rel=1e-5)


def test_captions_halfway_are_drawn_and_taken_for_fitting():
    critic, drawn = known(), []

    def draw(e: Tensor) -> Tensor:
        drawn.append(e)
        return FAKE

    contest = Contest(objective="non-saturating", between=True)
    found = contest.please(turn(), critic, X, SAID, FAKE, draw)
    half = (E + E.roll(1, 0)) / 2
    assert_close(drawn[0], half)
    assert found["between"].item() == pytest.approx(
        non_saturating.generator(critic(FAKE, half)).item()
    )
    assert found["adversarial"].item() == pytest.approx(
        non_saturating.generator(critic(FAKE, E)).item()
    )


def test_pairs_are_told_apart_or_by_chance():
    right, ids = torch.eye(8), torch.arange(8)
    perfect = math.log(1 + 7 * math.exp(-10))
    assert told_apart(right, right, ids).item() == pytest.approx(perfect, rel=1e-3)
    same = right[:1].expand(8, -1)
    assert told_apart(same, same, ids).item() == pytest.approx(math.log(8))
    assert told_apart(right, right.roll(1, 0), ids).item() == pytest.approx(10 + perfect, rel=1e-4)


def test_equal_captions_are_not_held_against_each_other():
    same, ids = torch.eye(8)[:1].expand(8, -1), torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    assert told_apart(same, same, ids).item() == pytest.approx(math.log(5))  # own and 4 others
    rows, wrong = others(torch.tensor([7, 7, 8, 7]))
    assert rows.tolist() == [0, 1, 2, 3]
    assert wrong.tolist() == [2, 2, 1, 2]  # the nearest before it, round the batch
    assert others(torch.tensor([3, 3]))[0].tolist() == []
    rows, wrong = others(torch.arange(5))
    assert torch.equal(wrong, torch.arange(5).roll(1))
    ids = torch.tensor([0, 0, 1, 1, 1, 1])
    rows, wrong = others(ids)
    critic, said = known(), Said(E, ids, rows, E[wrong])
    found = Contest(objective="wasserstein").tell(turn(), critic, X, said, FAKE)
    r, w = critic(X, E), critic(X[rows], E[wrong])
    expected = torch.cat([critic(FAKE, E), w]).mean() - torch.cat([r, r[rows]]).mean()
    assert found["adversarial"].item() == pytest.approx(expected.item())


def test_every_caption_of_a_picture_is_drawn_and_no_other():
    captions = Captions(torch.arange(6.0), [["a"], ["b", "c", "a"], ["d", "e"]])
    rows = torch.tensor([0, 1, 2, 1] * 200)
    said = captions.gather(rows, turn())
    for row, own in enumerate(([0], [1, 2, 3], [4, 5])):
        found, counts = said.e[rows == row].unique(return_counts=True)
        assert found.tolist() == own
        assert counts.min() > 0.2 * counts.sum()
    assert set(said.ids[said.e == 3].tolist()) == set(said.ids[rows == 0].tolist())  # both "a"


@pytest.mark.parametrize("near", [0.0, 0.5, 1.0])
def test_wrong_captions_are_wrong_and_as_many_as_asked_are_near(near):
    angles = torch.linspace(0, 3, 40)  # each caption is like the eight about it
    read = torch.stack([angles.cos(), angles.sin()], 1)
    made_of = [[str(i // 2)] for i in range(40)]  # each is there twice
    made = Captions(read, made_of, near)
    rows = torch.randperm(40, generator=torch.Generator().manual_seed(3)).repeat(20)
    first = made.gather(rows, turn(step=0))
    assert torch.equal(first.wrong, Captions(read, made_of).gather(rows, turn(step=0)).wrong)
    said = made.gather(rows, turn(step=5))
    assert said.rows.tolist() == list(range(800))
    found = torch.cdist(said.wrong, read).argmin(1)
    assert not (found // 2 == said.ids).any()
    away = (torch.arange(20)[:, None] - torch.arange(20)).abs()
    far = away.sort(1).values[:, 8]  # of the eight nearest texts the farthest
    close = (away[found // 2, rows // 2] <= far[rows // 2]).double().mean().item()
    chance = 8 / 19
    assert close == pytest.approx(near + (1 - near) * chance, abs=0.1)


def test_what_is_said_of_a_picture_too_is_not_wrong_of_it():
    angles = torch.linspace(0, 3, 40)
    read = torch.stack([angles.cos(), angles.sin()], 1)
    texts = [[f"{i}", f"{i + 1}"] for i in range(0, 40, 2)]  # the nearest is one's own
    made = Captions(read, texts, near=1.0)
    rows = torch.arange(20).repeat(20)
    said = made.gather(rows, turn(step=9))
    found = torch.cdist(said.wrong, read).argmin(1)
    assert not (found // 2 == rows[said.rows]).any()


def test_near_captions_need_enough_of_them():
    with pytest.raises(ValueError, match="no 8 captions"):
        Captions(torch.eye(8), [[str(i)] for i in range(8)], 0.5)


# -- whole games -----------------------------------------------------------------------------------


def data() -> Batches:
    images = (torch.rand(12, 3, 8, 8) * 255).byte()
    return Batches(images, torch.arange(12), size=4)


def captions() -> Captions:
    read = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    return Captions(read, [[str(i)] for i in range(12)])


def pair(**options) -> Pair:
    torch.manual_seed(0)
    return Pair(
        captions(),
        Contest(objective="hinge", penalties="ma-gp:2,every=2", **options),
        codes=4,
        placed=True,
        discriminator=Player(Discriminator(8, 2, 8)),
        generator=Player(Generator(8, 2, 4, 8)),
    )


def stack() -> TwoStages:
    torch.manual_seed(0)
    return TwoStages(
        captions(),
        Contest(objective="hinge"),
        codes=4 + CAPTION,
        placed=False,
        sketcher=Player(Discriminator(8, 2, 8)),
        sketch=Player(Sketch(8, 2, 4 + CAPTION, 8)),
        discriminator=Player(Discriminator(16, 2, 8)),
        generator=Player(Refiner(2, 8)),
    )


def weights(player: Player) -> Tensor:
    return torch.cat([p.detach().flatten() for p in player.module.parameters()])


def test_both_players_of_a_pair_move():
    game = pair(contrastive=1.0, between=True)
    before = {name: weights(player) for name, player in game.players.items()}
    Trainer(2).fit(game, data())
    for name, player in game.players.items():
        assert not torch.equal(weights(player), before[name])


def test_the_first_stage_stays_as_it_is_when_the_second_begins():
    game, after = stack(), {}
    images = Batches((torch.rand(12, 3, 16, 16) * 255).byte(), torch.arange(12), size=4)

    class Look(Observer):
        def training_began(self, trainer):
            after[0] = {n: weights(p) for n, p in game.players.items()}

        def turn_ended(self, trainer, figures):
            after[trainer.turn] = {n: weights(p) for n, p in game.players.items()}

    Trainer(4, observers=[Look()]).fit(game, images)
    for name in game.players:
        first = name in ("sketcher", "sketch")
        assert torch.equal(after[2][name], after[0][name]) is not first
        assert torch.equal(after[4][name], after[2][name]) is first


def test_a_learned_reader_moves_with_the_discriminator_alone():
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(12, 2)

        def forward(self, tokens: Tensor) -> Tensor:
            return self.table(tokens)

    torch.manual_seed(0)
    game = Pair(
        Captions(torch.arange(12), [[str(i)] for i in range(12)]),
        Contest(objective="hinge", contrastive=1.0),
        codes=4,
        placed=False,
        discriminator=Player(Discriminator(8, 2, 8, Reader()), lr=1e-3),
        generator=Player(Generator(8, 2, 4, 8), lr=1e-3),
    )
    game.reader = "discriminator"
    trainer = Trainer(1)
    trainer.setup(game, data())
    before = game.discriminator.reader.table.weight.detach().clone()
    now = turn(0, 1, next(iter(data())))
    with now.moving("generator"):
        game.generator.prepare(game, now)
    assert game.discriminator.reader.table.weight.grad is None
    game.discriminator.prepare(game, now)
    assert game.discriminator.reader.table.weight.grad.abs().sum() > 0
    assert torch.equal(before, game.discriminator.reader.table.weight)
