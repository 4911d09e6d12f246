"""The game: what is compared, how far it goes, and that it learns through its own loop."""

import pytest
import torch
from gantools_video.discriminator import Discriminator
from gantools_video.game import VideoGame
from gantools_video.networks import network
from torch import nn
from torch.testing import assert_close

from gantools import Adversary, Player
from gantools.engine import Turn

P, K = 3, 4


def film(game="warp", adversarial=True, shortest=1, longest=K, actions=0):
    torch.manual_seed(0)
    predictor = Player(network(game, 1, P, 4, actions), lr=1e-3)
    scales = 4 if game == "mathieu" else 1
    discriminators = Player(nn.ModuleList(Discriminator(1, 3, 4) for _ in range(scales)), lr=1e-3)
    return VideoGame(
        predictor,
        discriminators if adversarial else None,
        Adversary("hinge") if adversarial else None,
        past=P,
        weights={"lp": 1.0, "gdl": 1.0, "adversarial": 0.1},
        p=1,
        seen=3,
        shortest=shortest,
        longest=longest,
    )


def turn(step=99, batch=None):
    batch = torch.randint(256, (2, P + K, 1, 64, 64), dtype=torch.uint8) if batch is None else batch
    generator = torch.Generator().manual_seed(0)
    return Turn(step, 100, torch.device("cpu"), generator, iter([batch]))


def test_the_horizon_grows_in_the_third_quarter():
    game = film()
    assert [game.horizon(turn(step)) for step in (0, 49, 50, 57, 63, 69, 75, 99)] == [
        1,
        1,
        1,
        2,
        3,
        4,
        4,
        4,
    ]


def test_the_horizon_can_be_long_from_the_first_turn():
    game = film(shortest=K)
    assert [game.horizon(turn(step)) for step in (0, 50, 99)] == [K] * 3


@pytest.mark.parametrize(
    ("game", "names"),
    [
        ("warp", [""]),
        ("sprites", [""]),
        ("feedback", ["", "dreamt"]),
        ("mathieu", ["at 8", "at 16", "at 32", "at 64"]),
    ],
)
@pytest.mark.parametrize("step", [0, 99])
def test_discriminators_see_as_much_of_true_films_as_of_made_ones(game, names, step):
    played = film(game)
    found = list(played.contests(turn(step)))
    assert [name for name, *_ in found] == names
    for name, _, true, made in found:
        assert true.shape == made.shape
        if name != "dreamt":
            assert_close(true[:, :2], made[:, :2])  # what was known before


def test_it_learns_through_its_own_loop():
    played = film()
    now = turn()
    now.expect(frozenset(played.players))
    with now.moving("predictor"):
        made = played.fakes(now)[0][-1]
        early = played.predictor.module.begin.weight
        (gradient,) = torch.autograd.grad(made[:, -1].sum(), early)
    assert gradient.abs().sum() > 0
    assert made.shape == (2, K, 1, 64, 64)


def test_without_an_adversary_there_are_no_discriminators():
    played = film(adversarial=False)
    now = turn()
    now.expect(frozenset(played.players))
    with now.moving("predictor"):
        assert set(played.loss("predictor", now)) == {"lp", "gdl"}


def test_films_come_with_what_was_done():
    frames = torch.randint(256, (2, P + K, 1, 64, 64), dtype=torch.uint8)
    actions = torch.rand(2, P + K, 2)
    seen, given = film(actions=2).reals(turn(batch=(frames, actions)))
    assert_close(seen, frames / 127.5 - 1)
    assert_close(given, actions)


def test_the_first_predicted_frame_follows_what_is_done_after_the_last_known_one():
    class Doing(nn.Module):
        def forward(self, past, motion, action):
            return [action[:, :, None, None].expand(-1, 1, *past.shape[2:])], motion

    played = film(adversarial=False)
    played.predictor.module = Doing()
    now = turn(batch=(torch.zeros(2, P + K, 1, 16, 16), torch.arange(2.0 * (P + K)).view(2, -1, 1)))
    made = played.fakes(now)[0][-1]
    rows = torch.arange(P - 1, P - 1 + K)  # from frame t to t + 1
    assert_close(made[..., 0, 0, 0], torch.stack([rows, rows + P + K]).float())


def test_dreams_are_as_long_as_they_are_looked_at_however_short_the_rollout():
    frames = torch.randint(256, (2, P + 1, 1, 64, 64), dtype=torch.uint8)
    played = film("feedback", longest=1, actions=2)
    dreamt = played.dreamt(turn(batch=(frames, torch.rand(2, P + 1, 2))))
    assert dreamt.shape == (2, played.seen, 1, 64, 64)
