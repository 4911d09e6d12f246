"""GAN as Python programs make it: parts by name, or as objects."""

import pytest
import torch
from torch import nn

from gantools import GAN, Adversary, Player, Trainer, Turn, UserError
from gantools.data import Batches
from gantools.engine import Consensus
from gantools.losses import hinge, relativistic
from gantools.nn import InstanceNoise, mlp
from gantools.plugins import Plugins


def made(**parts) -> GAN:
    torch.manual_seed(0)
    return GAN(Player(mlp(2, 2, 8, 1)), Player(mlp(2, 1, 8, 1)), codes=2, **parts)


def test_parts_are_named_or_objects():
    named = made(objective="hinge", penalties="r1:0.1,every=2", augment="instance-noise:0.1")
    assert named.adversary.objective is hinge
    assert [term.every for term in named.adversary.penalties.terms] == [2]
    assert isinstance(named.adversary.augment, InstanceNoise)
    weights = []
    for game in (
        named,
        made(objective=hinge, penalties=named.adversary.penalties, augment=named.adversary.augment),
    ):
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


# -- Adversary -------------------------------------------------------------------------------------


def line(x: torch.Tensor, e: torch.Tensor | None = None) -> torch.Tensor:
    return x.sum(1) if e is None else x.sum(1) * e


X, Y, E = torch.randn(3, 8, 2, generator=torch.Generator().manual_seed(4))
E = E[:, 0]


def now() -> Turn:
    return Turn(0, 10, torch.device("cpu"), torch.Generator().manual_seed(0))


def test_an_adversary_of_pairs_and_of_a_member():
    adversary = Adversary("hinge", "r1:2")
    found = adversary.discriminator(now(), line, (X, E), (Y, E), member="w64")
    assert list(found) == ["w64/adversarial", "w64/r1"]
    assert torch.equal(found["w64/adversarial"], hinge.discriminator(line(X, E), line(Y, E)))
    # ∇ₓ = e in both places, ∇ₑ = Σx
    slope = 2 * E**2 + X.sum(1) ** 2
    assert found["w64/r1"].item() == pytest.approx(slope.mean().item(), rel=1e-5)
    taken = adversary.generator(now(), line, (Y, E), (X, E))
    assert torch.equal(taken, -line(Y, E).mean())


def test_only_what_needs_real_scores_looks_at_real_samples():
    seen = []

    def critic(x):
        seen.append(x)
        return x.sum(1)

    Adversary("hinge").generator(now(), critic, Y, X)
    assert len(seen) == 1
    found = Adversary("relativistic").generator(now(), critic, Y, X)
    assert torch.equal(found, relativistic.generator(Y.sum(1), X.sum(1)))


@pytest.mark.parametrize("name", Plugins(installed=False).names("objectives"))
def test_who_makes_both_sides_wants_the_opposite_of_the_discriminator(name):
    r, f = torch.tensor([[0.3, 0.2], [0.6, 0.4]]).requires_grad_().unbind()
    objective = Adversary(name).objective
    found = Adversary(name).joint(now(), lambda x: x, r, f)
    ours = torch.autograd.grad(found, (r, f))
    theirs = torch.autograd.grad(objective.discriminator(r, f), (r, f))
    for mine, its in zip(ours, theirs, strict=True):
        assert (mine.sign() == -its.sign()).all()


def test_joint_losses_by_hand():
    r, f = torch.tensor([0.3]), torch.tensor([-0.4])
    sp = nn.functional.softplus
    expected = {
        "hinge": 0.7,
        "wasserstein": 0.7,
        "least-squares": (f - 1) ** 2 + r**2,
        "non-saturating": sp(-f) + sp(r),
        "minimax": -(sp(-r) + sp(f)),
        "relativistic": sp(r - f),
    }
    for name, value in expected.items():
        assert Adversary(name).objective.joint(r, f).item() == pytest.approx(float(value)), name


def test_what_an_augmentation_learns_is_kept_with_the_game():
    game = GAN(
        Player(nn.Linear(2, 48)), Player(nn.Linear(48, 1)), codes=2, objective="hinge",
        augment="ada",
    )  # fmt: skip
    assert any("p" in name for name in game.state_dict()["adversary"])
    assert game.adversary.augment in list(game.modules())
