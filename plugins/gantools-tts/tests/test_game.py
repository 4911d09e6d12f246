"""The game: windows at the same place in what is made, and critics that come to count."""

import pytest
import torch
from gantools_tts.data import Batch
from gantools_tts.discriminators import FOLDS, ensemble
from gantools_tts.features import FRAME_FEATURES, FRAME_RATE, PHONE_FEATURES
from gantools_tts.game import LEAD, TTSGame
from torch import nn
from torch.testing import assert_close

from gantools import Adversary, Player
from gantools.engine import Turn

RATE = 16_000
HOP = RATE // FRAME_RATE
FRAMES = 3 * max(FOLDS) + 5


class Saying(nn.Module):
    """Says what it is told to, as loud as its weight."""

    def __init__(self):
        super().__init__()
        self.loud = nn.Parameter(torch.tensor(0.5))

    def draw(self, count, frames, generator):
        return torch.zeros(count, 1, frames)

    def forward(self, told, pulses, z):
        return self.loud * pulses


class Mute(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))


@pytest.fixture
def played():
    torch.manual_seed(0)
    return TTSGame(
        Player(Saying(), lr=1e-3),
        Player(Mute(), lr=1e-3),
        Player(ensemble("windows", RATE, 4), lr=1e-3),
        Adversary("relativistic"),
        weights={"spectral": 1.0, "adversarial": 2.0, "features": 3.0},
        hop=HOP,
    )


def turn(step):
    random = torch.Generator().manual_seed(0)
    told = torch.rand(2, FRAME_FEATURES, FRAMES, generator=random)
    audio, phones = torch.rand(2, FRAMES * HOP, generator=random), torch.rand(2, PHONE_FEATURES, 7)
    batch = Batch(told, audio, audio, phones, torch.ones(2, 7))
    return Turn(step, 100, torch.device("cpu"), random, iter([batch]))


def test_made_windows_are_from_where_the_real_ones_are(played):
    heard = {}
    for name, critic, real, made in played.contests(turn(0)):
        assert_close(made[0], 0.5 * real[0])
        assert len(real) == (1 if critic.told is None else 2)
        heard[name] = len(real[0]) // 2 * critic.frames
    assert max(heard.values()) <= 2 * min(heard.values())  # all hear about as much


def test_critics_come_to_count(played):
    full = played.generator_loss(turn(round(100 * LEAD)))
    for step, part in ((0, 0.0), (round(50 * LEAD), 0.5), (99, 1.0)):
        found = played.generator_loss(turn(step))
        assert_close(found["spectral"], full["spectral"])
        for name in ("adversarial", "features"):
            assert full[name] > 0
            assert_close(found[name], part * full[name])
