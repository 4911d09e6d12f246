"""The voice that comes with the plugin."""

import json

import numpy as np
import pytest
import soundfile
from gantools_tts.model import COPYRIGHT, SHIPPED
from gantools_tts.verbs import app
from typer.testing import CliRunner


def test_it_is_small_and_says_whose_it_is():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 8e6
    about = json.loads((SHIPPED / "model.json").read_text("utf-8"))["about"]
    assert about["command"].startswith("gantools run tts")
    assert {"commit", "data_licence", "figures", "seed", "voice"} <= set(about)
    assert COPYRIGHT.is_file()


def test_it_speaks_without_a_run(tmp_path):
    out = tmp_path / "hello.wav"
    done = CliRunner().invoke(app, ["say", "Please hold the line.", "-o", str(out)])
    assert done.exit_code == 0, done.exception
    sound, rate = soundfile.read(out)
    assert 0.7 < len(sound) / rate < 4
    assert np.abs(sound).max() > 0.05


def test_whose_it_is_goes_with_it_when_it_is_exported(tmp_path):
    pytest.importorskip("onnxscript")
    out = tmp_path / "voice"
    done = CliRunner().invoke(app, ["export", str(out)])
    assert done.exit_code == 0, done.exception
    assert (out / COPYRIGHT.name).read_bytes() == COPYRIGHT.read_bytes()
    assert f"--exported {out}" in done.stdout
