"""Whole small trainings: the contract, what they leave, exact resuming, what they say of bad input."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from gantools_codec.model import coder_of
from program import assert_same_run

import gantools
from gantools import Observer
from gantools.testing import assert_plugin_ok


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> dict[str, object]:
    """Options of a training of a few small turns on pictures in colour."""
    dark = np.random.default_rng(0).integers(0, 100, (40, 1, 1, 3))
    x = (dark + np.arange(99).reshape(9, 11, 1)).astype(np.uint8)
    path = tmp_path_factory.mktemp("data") / "pictures.npz"
    np.savez(path, train=x[:30], test=x[30:])
    return {
        "data": str(path),
        "steps": 6,
        "stride": 8,
        "batch": 8,
        "pixels": 16,
        "width": 8,
        "channels": 4,
        "checkpoint_every": 2,
        "evaluate_every": 3,
    }


def test_the_contract(gantools_cache, small):
    options = {k: v for k, v in small.items() if k != "steps"}
    assert_plugin_ok("codec", {"codec": options})


@pytest.mark.parametrize("aim", ["lossless", "lossy"])
def test_a_run_leaves_a_model_that_codes(small, tmp_path, aim):
    gantools.run("codec", out=tmp_path / "run", aim=aim, code=12, progress=False, **small)
    found = gantools.evaluate(tmp_path / "run")
    shares = sum(found[f"bits_{share}"] for share in ("code", "pixels", "header"))
    assert shares == pytest.approx(found["bits_per_subpixel"])
    assert found["images"] == 10
    assert found["bits_code"] > 0
    assert found["weights_bytes"] > 1000
    assert 2 < found["bits_per_subpixel"] < 8.5
    assert {"dataset", "png", "webp", "jxl", "seed"} <= set(found)
    if aim == "lossy":
        psnr = [row["psnr"] for row in found["lossy"]]
        assert psnr[-1] > psnr[1]
        assert psnr[-1] > 45
    tile = np.zeros((1, 9, 11, 3), np.uint8)
    coder = coder_of(tmp_path / "run")
    assert (coder.decode(coder.encode([tile], 0), [tile.shape], 0)[0] == tile).all()
    assert (tmp_path / "run" / "samples" / "drawn.png").exists()
    text = (tmp_path / "run" / "report.html").read_text()
    assert "Bits a sub-pixel" in text


class Stop(Observer):
    """Ends a training after three turns, as Ctrl-C would."""

    def turn_ended(self, trainer, figures):
        trainer.should_stop = trainer.turn == 3


def test_a_run_goes_on_exactly_though_its_pictures_have_gone(small, tmp_path):
    data = tmp_path / "pictures.npz"
    shutil.copyfile(small["data"], data)
    options = {**small, "data": str(data), "evaluate_every": 0, "progress": False}
    whole = gantools.run("codec", out=tmp_path / "one", **options)
    gantools.run("codec", out=tmp_path / "two", observers=[Stop()], **options)
    with pytest.raises(gantools.UserError, match="is not finished, and with its next step nothing"):
        coder_of(tmp_path / "two")  # what it wrote could not be read after the resume
    data.unlink()
    gantools.resume(tmp_path / "two", progress=False)
    assert_same_run(whole.path, tmp_path / "two")


def test_too_few_pictures_are_said(small, tmp_path):
    with pytest.raises(gantools.UserError, match="a batch of 64 cannot be taken of 30 samples"):
        gantools.run("codec", out=tmp_path / "run", **{**small, "batch": 64})
