"""The game: what its players want, and that a codec moves towards it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gantools_codec.codec import Codec
from gantools_codec.game import CodecGame
from gantools_codec.networks import Discriminator, Transform, rounded

from gantools import Adversary, Player, Trainer
from gantools.data import Batches

WEIGHTS = {"adversarial": 0.1, "distortion": 1.0, "rate": 1.0}


def pictures(n=64):
    """Bars, bright or dark, across or down, with a little noise: uint8 [n, 12, 12, 1]."""
    drawn = np.random.default_rng(0)
    x = drawn.integers(0, 8, (n, 12, 12, 1)) + 20
    for i in range(n):
        x[i, 3:6] += 100 * (1 + i % 2)
        if i % 4 > 1:
            x[i] = x[i].transpose(1, 0, 2)
    return torch.from_numpy(x.astype(np.uint8))


def game(numbers=2, adversary=True, **options):
    torch.manual_seed(0)
    codec = Codec(1, numbers, 8, width=16, mixtures=2, channels=8, sight=1)
    player = Player(codec, lr=5e-3)
    opponent = contest = None
    if numbers and adversary:
        opponent = Player(Discriminator(1, numbers, 8, 8), lr=1e-3)
        contest = Adversary("non-saturating", "r1:0.1")
    options = {"weights": WEIGHTS, "power": 2, "for_bits": True, "pixels": 32, **options}
    return CodecGame(player, opponent, contest, **options)


def train(game, turns=60):
    trainer = Trainer(turns, threads=1, accelerator="cpu")
    trainer.fit(game, Batches(pictures(), size=16))
    return trainer


def test_a_codec_learns_what_its_pictures_are_like():
    made = game()
    x, every = pictures(8).numpy(), np.arange(144)[None].repeat(8, 0)

    def bits():
        with torch.no_grad():
            z = made.codec.encode(torch.from_numpy(x).permute(0, 3, 1, 2) / 128 - 1)
            return made.codec.pixel_bits(x, every, made.codec.draw(z)).mean().item()

    before = bits()
    train(made)
    assert before > 5
    assert bits() < 4.5  # its noise has 3


def test_without_a_code_there_is_one_player_and_no_contest():
    made = game(numbers=0)
    assert list(made.players) == ["codec"]
    train(made, 2)


def test_codes_of_fakes_are_those_of_the_batch_mixed_number_by_number():
    made, seen = game(), []
    original = made.fakes

    def spy(turn):
        found = original(turn)
        seen.append((made.codes(turn).detach(), found[1].detach()))
        return found

    made.fakes = spy
    train(made, 1)
    real, fake = seen[0]
    assert real.shape == fake.shape == (16, 2, 2, 2)
    assert not torch.equal(real, fake)
    for number in range(2):
        expected = real[:, number].flatten().sort().values
        assert torch.equal(fake[:, number].flatten().sort().values, expected)


def test_a_lossy_code_is_not_bent_by_the_bits_of_pixels():
    weights = {"adversarial": 0.0, "distortion": 0.0, "rate": 0.0}
    made = game(adversary=False, for_bits=False, weights=weights)
    before = [p.detach().clone() for p in made.codec.module.refinement.parameters()]
    train(made, 2)
    after = made.codec.module.refinement.parameters()
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    bent = game(adversary=False, for_bits=True, weights=weights)
    train(bent, 2)
    after = bent.codec.module.refinement.parameters()
    assert not all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_code_begins_with_principal_components():
    x = torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    x += 3 * torch.linspace(-1, 1, 8) * torch.randn(50, 1, 1, 1)
    transform = Transform(1, 6, 8)
    transform.begin(x)
    z = transform(x)
    away = (transform.back(z) - x).square().sum()
    centred = (x - x.mean(0)).flatten(1)
    values = torch.linalg.svdvals(centred)
    torch.testing.assert_close(away, values[6:].square().sum(), rtol=1e-4, atol=1e-3)


def test_rounding_is_whole_bounded_and_straight_through():
    y = torch.tensor([-200.0, -1.4, 0.6, 300.0], requires_grad=True)
    z = rounded(y)
    assert z.tolist() == [-128, -1, 1, 127]
    z.sum().backward()
    assert y.grad.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("size", [(12, 12), (9, 5)])
def test_what_is_drawn_is_seen_where_it_is(size):
    codec = Codec(1, 1, 8, width=4, mixtures=1, channels=4, sight=1)
    width = size[1]
    drawn = torch.arange(16.0 * 16).view(1, 1, 16, 16)
    at = np.array([[0, width + 2]])
    seen = codec.look(drawn, size, at)
    corner = torch.tensor([[0, 0, 0], [0, 0, 1], [0, 16, 17]])
    assert torch.equal(seen[0].view(3, 3), corner)
    assert torch.equal(seen[1].view(3, 3), drawn[0, 0, :3, 1:4])
