"""GAN as Python programs make it: parts by name, or as objects."""

import pytest
import torch
from torch import nn

from gantools import GAN, Player, Trainer, UserError
from gantools.data import Batches
from gantools.engine import Consensus
from gantools.losses import hinge
from gantools.nn import InstanceNoise, mlp


def made(**parts) -> GAN:
    torch.manual_seed(0)
    return GAN(Player(mlp(2, 2, 8, 1)), Player(mlp(2, 1, 8, 1)), codes=2, **parts)


def test_parts_are_named_or_objects():
    named = made(objective="hinge", penalties="r1:0.1,every=2", augment="instance-noise:0.1")
    assert named.objective is hinge
    assert [term.every for term in named.penalties.terms] == [2]
    assert isinstance(named.augment, InstanceNoise)
    weights = []
    for game in (named, made(objective=hinge, penalties=named.penalties, augment=named.augment)):
        torch.manual_seed(1)
        Trainer(4, solver=Consensus(0.1)).fit(game, Batches(torch.randn(64, 2), size=16))
        weights.append(nn.utils.parameters_to_vector(game.generator.parameters()))
    assert torch.equal(*weights)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"objective": "hinj"}, "no objective 'hinj'. Did you mean 'hinge'"),
        ({"objective": "hinge", "penalties": "r3"}, "no penalty 'r3'"),
        ({"objective": "hinge", "augment": "instance-noise:-1"}, "noise needs std"),
    ],
)
def test_a_name_that_is_not_there_is_refused_at_once(parts, said):
    with pytest.raises(UserError, match=said):
        made(**parts)


def test_a_solver_is_an_object():
    with pytest.raises(TypeError, match="solver is an object, such as Extragradient"):
        Trainer(1, solver="consensus")
