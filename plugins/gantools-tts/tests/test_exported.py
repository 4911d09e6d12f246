"""What is exported says the same as torch."""

import numpy as np
import pytest
import torch
from gantools_tts import exported
from gantools_tts.features import FRAME_FEATURES, PHONE_FEATURES
from gantools_tts.generators import ISTFT, generator
from gantools_tts.model import Model
from gantools_tts.prosody import Prosody
from numpy.testing import assert_allclose

from gantools import UserError

pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")


@pytest.fixture(scope="module", params=["istft", pytest.param("gan-tts", marks=pytest.mark.slow)])
def both(request, tmp_path_factory):
    torch.manual_seed(0)
    made = generator(request.param, 16_000, 8)
    model = Model({"generator": request.param, "width": 8, "rate": 16_000}, made, Prosody())
    folder = tmp_path_factory.mktemp(request.param)
    exported.export(model, folder)
    return model, exported.Exported(folder)


def test_it_tells_the_same_lengths_and_pitch(both):
    model, other = both
    drawn = np.random.default_rng(0)
    phones = drawn.standard_normal((PHONE_FEATURES, 23)).astype(np.float32)
    frames = drawn.standard_normal((FRAME_FEATURES - 2, 137)).astype(np.float32)
    assert_allclose(other.log_lengths(phones), model.networks.log_lengths(phones), atol=1e-5)
    for ours, theirs in zip(model.networks.octaves(frames), other.octaves(frames), strict=True):
        assert_allclose(theirs, ours, atol=1e-5)


def test_it_sounds_the_same(both):
    model, other = both
    drawn = np.random.default_rng(0)
    told = drawn.standard_normal((FRAME_FEATURES, 61)).astype(np.float32)
    pulses = drawn.standard_normal(61 * 80).astype(np.float32)
    made = model.modules["generator"]
    z = np.random.default_rng(5).standard_normal(made.draw(1, 61).shape[1], dtype=np.float32)
    with torch.no_grad():
        ours = made(*(torch.from_numpy(x)[None] for x in (told, pulses, z)))[0].numpy()
    assert_allclose(other.sound(told, pulses, z), ours, atol=1e-4)


@pytest.mark.parametrize("frames", [1, 3, 20])
def test_numpys_transform_is_torchs(frames):
    net, x = ISTFT(16_000, 8), np.random.default_rng(0).standard_normal(frames * 80)
    ours = net.spectrum(torch.from_numpy(x).float()[None])[0]
    theirs = exported.spectrum(x, 80)
    assert_allclose(theirs, ours.numpy(), atol=1e-4)
    assert_allclose(exported.overlapped(theirs, 80), x, atol=1e-4)


def test_a_folder_that_is_no_voice(tmp_path):
    with pytest.raises(UserError, match="is no exported voice"):
        exported.load(tmp_path)
    (tmp_path / "voice.json").write_text('{"format": "another"}')
    with pytest.raises(UserError, match="is no exported voice"):
        exported.load(tmp_path)
