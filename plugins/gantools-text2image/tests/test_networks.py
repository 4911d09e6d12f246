"""The networks: shapes, and what they are at their beginning."""

from __future__ import annotations

import pytest
import torch
from gantools_text2image.networks import (
    CAPTION,
    Affine,
    Discriminator,
    DownBlock,
    FusionBlock,
    Generator,
    Refiner,
    Sketch,
    Stack,
    sides,
    widths,
)
from torch.nn.functional import avg_pool2d
from torch.testing import assert_close


@pytest.mark.parametrize("size", [8, 32, 64, 256])
def test_pictures_have_the_size_that_was_asked_for(size):
    z, e = torch.randn(2, 5), torch.randn(2, 7)
    for fusion in (True, False):
        pictures = Generator(size, 7, 5, 8, fusion=fusion)(z, e)
        assert pictures.shape == (2, 3, size, size)
        assert pictures.abs().max() <= 1
    assert Discriminator(size, 7, 8)(pictures, e).shape == (2,)


def test_channels_halve_as_sides_double():
    assert sides(64) == [4, 8, 16, 32, 64]
    assert widths(64, 32, 128) == [128, 128, 64, 32, 16]
    assert widths(256, 32, 128) == [128, 128, 64, 32, 16, 16, 16]


def test_captions_change_nothing_before_anything_is_learned():
    affine, x = Affine(3, 5), torch.randn(2, 3, 4, 4)
    assert torch.equal(affine(x, torch.randn(2, 5)), x)
    torch.nn.init.ones_(affine.layer.weight)
    c = torch.randn(2, 5)
    scale = c.sum(1)[:, None, None, None]
    assert_close(affine(x, c), (1 + scale) * x + scale)


def test_blocks_add_to_their_shortcuts():
    x = torch.randn(2, 6, 8, 8)
    up, down = FusionBlock(6, 6, 5), DownBlock(6, 6)
    for parameter in (*up.convs.parameters(), *down.layers.parameters()):
        torch.nn.init.zeros_(parameter)
    assert_close(up(x, torch.randn(2, 5)), x / 2**0.5)
    assert_close(down(x), avg_pool2d(x, 2) / 2**0.5)


def test_one_look_serves_several_captions():
    critic, x = Discriminator(16, 7, 8), torch.rand(2, 3, 16, 16)
    seen = critic.look(x)
    for e in torch.randn(3, 2, 7):
        assert_close(critic.compare(seen, e), critic(x, e))
    picture, caption = critic.codes(seen, torch.randn(2, 7))
    assert_close(picture.norm(dim=1), torch.ones(2))
    assert_close(caption.norm(dim=1), torch.ones(2))


def test_a_stack_is_its_stages_and_a_function_of_the_code():
    codes = 5 + CAPTION
    both = Stack(Sketch(8, 7, codes, 8), Refiner(7, 8)).eval()
    z, e = torch.randn(2, codes), torch.randn(2, 7)
    small = both.sketch(z, e)
    assert small.shape == (2, 3, 8, 8)
    assert both(z, e).shape == (2, 3, 16, 16)
    assert torch.equal(both(z, e), both.refiner(small, e))
    blurred = both.sketch.blur(e)
    alike = both.sketch.draw(z[:, :5], blurred.mean + blurred.std * z[:, 5:])
    assert torch.equal(small, alike)
