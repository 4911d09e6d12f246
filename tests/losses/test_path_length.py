"""Path length against a linear generator G(c) = A c, whose Jacobian is A everywhere."""

from __future__ import annotations

import math

import pytest
import torch
from torch.testing import assert_close

from gantools.losses import PathLength


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_value_and_gradient_for_given_noise():
    a = torch.randn(5, 3, generator=seeded(0)).double().requires_grad_(True)
    codes = torch.randn(8, 3, generator=seeded(1)).double().requires_grad_(True)
    path_length = PathLength(weight=2.0, decay=0.1).double()
    path_length.mean.fill_(0.7)
    penalty = path_length(codes @ a.T, codes, seeded(2))

    y = torch.randn(8, 5, generator=seeded(2), dtype=torch.double)
    lengths = (y @ a).norm(dim=1)  # ‖Aᵀ y‖
    mean = 0.9 * 0.7 + 0.1 * lengths.mean()
    expected = 2 * (lengths - mean).square().mean()
    assert penalty.item() == pytest.approx(expected.item(), rel=1e-12)
    assert path_length.mean.item() == pytest.approx(mean.item(), rel=1e-12)
    assert_close(torch.autograd.grad(penalty, a)[0], torch.autograd.grad(expected, a)[0])


def test_the_running_mean_finds_the_expected_length():
    # A has orthogonal columns of length 3, so ‖Aᵀ y‖ is 3 times a chi variable of 4 degrees.
    a = 3 * torch.linalg.qr(torch.randn(6, 4, generator=seeded(0)))[0]
    codes = torch.zeros(2000, 4, requires_grad=True)
    path_length, generator = PathLength(decay=0.1), seeded(1)
    for _ in range(100):
        penalty = path_length(codes @ a.T, codes, generator)
    mean = 3 * math.sqrt(2) * math.gamma(2.5) / math.gamma(2)
    assert path_length.mean.item() == pytest.approx(mean, rel=0.01)
    assert penalty.item() == pytest.approx(2 * (9 * 4 - mean**2), rel=0.1)  # 2 · variance


def test_images_count_their_pixels_and_codes_their_layers():
    # One code of a pixel's brightness for each of two layers: J = (1, 2) at every pixel.
    codes = torch.ones(4, 2, 1, requires_grad=True)
    images = (codes * torch.tensor([[1.0], [2.0]])).sum(1)[:, :, None, None].expand(4, 1, 3, 5)
    path_length = PathLength(decay=1.0)
    path_length(images, codes, seeded(0))
    y = torch.randn(4, 1, 3, 5, generator=seeded(0)) / math.sqrt(3 * 5)
    lengths = y.sum((1, 2, 3)).abs() * math.sqrt((1 + 4) / 2)
    assert path_length.mean.item() == pytest.approx(lengths.mean().item(), rel=1e-5)


def test_the_running_mean_is_in_the_state():
    codes = torch.ones(4, 3, requires_grad=True)
    path_length = PathLength()
    path_length(codes * 2, codes, seeded(0))
    other = PathLength()
    other.load_state_dict(path_length.state_dict())
    assert other.mean == path_length.mean > 0
    again = [p(codes * 2, codes, seeded(1)) for p in (path_length, other)]
    assert torch.equal(*again)


def test_a_generator_that_does_not_move_gives_no_nan():
    codes = torch.ones(4, 3, requires_grad=True)
    slope = torch.zeros(3, requires_grad=True)
    penalty = PathLength()(codes * slope, codes, seeded(0))
    assert torch.autograd.grad(penalty, slope)[0].tolist() == [0, 0, 0]
