"""Coding and decoding give back what was coded, the same bytes however it is done."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from gantools_codec import model
from gantools_codec.codec import Codec
from gantools_codec.coder import STEPS, ModelCoder

OPTIONS = {"width": 8, "mixtures": 2, "channels": 4, "sight": 2}


def codec(planes, numbers, stride=8):
    torch.manual_seed(planes)
    made = Codec(planes, numbers, stride, **OPTIONS)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return made


@pytest.fixture(scope="module")
def parts():
    """Of colours with a code for all, and of lossless greys."""
    return {**model.parts_of(codec(3, 2), False), **model.parts_of(codec(3, 3), True)}


@pytest.fixture(scope="module")
def coder(parts):
    return ModelCoder(b"12345678", parts)


def tiles(*shapes):
    drawn = np.random.default_rng(0)
    return [drawn.integers(0, 256, shape).astype(np.uint8) for shape in shapes]


SHAPES = [(1, 1, 1, 1), (2, 9, 17, 3), (1, 5, 8, 4), (3, 8, 8, 2), (1, 40, 3, 3), (1, 1, 50, 1)]
SHAPES += [(1, 4, 30, 3), (1, 6, 2, 3)]  # the second is far narrower than what lies before it


def test_lossless_is_lossless_whatever_is_coded(coder):
    given = tiles(*SHAPES)
    found = coder.decode(coder.encode(given, 0), [tile.shape for tile in given], 0)
    for tile, again in zip(given, found, strict=True):
        np.testing.assert_array_equal(tile, again)


@pytest.mark.parametrize("quality", range(1, len(STEPS)))
def test_lossy_is_within_its_step_and_transparency_is_exact(coder, quality):
    given = tiles(*SHAPES)
    found = coder.decode(coder.encode(given, quality), [tile.shape for tile in given], quality)
    for tile, again in zip(given, found, strict=True):
        opaque = tile.shape[3] - (tile.shape[3] in (2, 4))
        np.testing.assert_array_equal(tile[..., opaque:], again[..., opaque:])
        if STEPS[quality]:
            away = np.abs(tile[..., :opaque].astype(int) - again[..., :opaque])
            assert away.max() <= STEPS[quality] // 2


@pytest.mark.parametrize("quality", [0, 1, 3])
def test_tiles_have_the_same_bytes_alone_and_beside_others(coder, quality):
    given = tiles(*SHAPES)
    together = coder.encode(given, quality)
    assert [coder.encode([tile], quality)[0] for tile in given] == together
    alone = coder.decode([together[2]], [SHAPES[2]], quality)[0]
    among = coder.decode(together, SHAPES, quality)[2]
    np.testing.assert_array_equal(alone, among)


@pytest.mark.parametrize("size", [(16, 24), (9, 17)])
def test_codes_are_those_of_the_real_networks(size):
    net = codec(3, 5)
    with torch.no_grad():
        net.transform.gain *= 8
    code = model.parts_of(net, False)[3, False].code
    (tile,) = tiles((4, *size, 3))
    x = torch.from_numpy(tile).permute(0, 3, 1, 2) / 128 - 1
    with torch.no_grad():
        z = net.encode(x)
        drawn = net.draw(z)[:, :, : size[0], : size[1]].permute(0, 2, 3, 1).numpy()
    found = code.find(tile)
    assert (found == z.numpy() + 128).mean() > 0.98  # some are halfway between two
    assert len(np.unique(found)) > 4
    again = code.draw(z.numpy() + 128.0, tile.shape) / 1024
    np.testing.assert_allclose(again, drawn, atol=0.02)


def test_a_model_of_greys_codes_colours_plane_by_plane():
    greys = ModelCoder(bytes(8), model.parts_of(codec(1, 0), False))
    given = tiles((1, 6, 7, 3), (1, 4, 4, 4))
    found = greys.decode(greys.encode(given, 0), [tile.shape for tile in given], 0)
    assert all(map(np.array_equal, given, found))


def test_a_model_is_the_same_when_it_is_read_again_and_needs_no_torch(coder, parts, tmp_path):
    model.save(tmp_path, parts, {})
    given = tiles((2, 9, 17, 3))
    np.save(tmp_path / "tile.npy", given[0])
    script = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from gantools_codec.model import load\n"
        "folder = Path(sys.argv[1])\n"
        "coder = load(folder)\n"
        "sys.stdout.write(coder.encode([np.load(folder / 'tile.npy')], 0)[0].hex())\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert bytes.fromhex(done.stdout) == coder.encode(given, 0)[0]


def test_what_is_no_payload_is_refused_or_other_pixels(coder):
    (payload,), drawn = coder.encode(tiles((1, 6, 6, 3)), 0), np.random.default_rng(1)
    for _ in range(30):
        torn = bytearray(payload)
        torn[drawn.integers(len(torn))] ^= 1 << drawn.integers(8)
        try:
            (found,) = coder.decode([bytes(torn)], [(1, 6, 6, 3)], 0)
        except ValueError:
            continue
        assert found.shape == (1, 6, 6, 3)
    with pytest.raises(ValueError, match="the length of its code"):
        coder.decode([b"\xff"], [(1, 6, 6, 3)], 0)


def test_bytes_are_as_many_as_training_counts(parts):
    net = codec(3, 2)
    (tile,) = tiles((4, 16, 16, 3))
    tile = (tile // 8 + np.arange(16)[:, None, None] * 8).astype(np.uint8)  # something to predict
    alone = ModelCoder(bytes(8), model.parts_of(net, False))
    payload = alone.encode([tile], 0)[0]
    x = torch.from_numpy(tile).permute(0, 3, 1, 2) / 128 - 1
    every = np.arange(256)[None].repeat(4, 0)
    with torch.no_grad():
        z = net.encode(x)
        code = net.law(z).sum().item()
        pixels = net.pixel_bits(tile, every, net.draw(z)).sum().item()
    assert abs(8 * alone.code_bytes(payload) - code) < 40
    assert abs(8 * len(payload) - code - pixels) < 0.01 * pixels + 80
