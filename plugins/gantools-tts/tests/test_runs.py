"""A voice from the beginning to its use: it is trained, goes on exactly, is loaded, speaks."""

import warnings

import numpy as np
import pytest
import soundfile
from gantools_tts.verbs import app
from program import assert_same_run
from typer.testing import CliRunner

import gantools
from gantools import Note, Observer, UserError
from gantools.api import run as train

pytest.importorskip("espeakng_loader")

SMALL = {
    "utterances": 50,
    "batch": 4,
    "seconds": 0.4,
    "width": 16,
    "discriminator_width": 4,
    "evaluate_every": 0,
    "checkpoint_every": 2,
    "threads": 1,
    "progress": False,
}


class Stop(Observer):
    """Ends a training after three turns, as Ctrl-C would."""

    def turn_ended(self, trainer, figures):
        trainer.should_stop = trainer.turn == 3


@pytest.fixture(scope="module", autouse=True)
def no_judges():
    """They take half a minute to load, and are tested by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gantools_tts.judged.figures", lambda *arguments: {})
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("tts") / "run"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        train("tts", out=out, steps=4, **SMALL)
    return out


def test_it_trains_and_says_what_was_measured(run):
    trained = gantools.load(run)
    found = trained.run.evaluation
    assert found["voice"].startswith("espeak-ng's voice, which is synthetic")
    assert found["utterances"] == 60
    assert found["rtf"] > 0
    assert (run / "report.html").is_file()
    assert {path.name for path in run.glob("samples/0-*.wav")} == {"0-recorded.wav", "0-said.wav"}


def test_a_resumed_run_is_the_one_that_was_not_stopped(run, tmp_path, monkeypatch):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Note)
        train("tts", out=tmp_path / "half", steps=4, observers=[Stop()], **SMALL)
        monkeypatch.setattr("gantools_tts.voices.load", None)  # what was kept is enough
        gantools.resume(tmp_path / "half", progress=False)
    assert_same_run(run, tmp_path / "half")


def test_the_same_text_sounds_the_same(run, tmp_path):
    paths = [tmp_path / name for name in ("a.wav", "b.wav")]
    for path in paths:
        done = CliRunner().invoke(
            app, ["say", "Please hold the line.", "-o", str(path), "--run", str(run)]
        )
        assert done.exit_code == 0, done.exception
    sounds = [soundfile.read(path)[0] for path in paths]
    assert np.array_equal(*sounds)
    assert len(sounds[0]) > 8_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["say"], "Give a text"),
        (["say", "a", "--file", "b"], "give one of them"),
        (["say", ""], "nothing to say"),
        (["say", "привет"], "CYRILLIC"),
        (["say", "--file", "missing.txt"], "Cannot read 'missing.txt'"),
    ],
)
def test_bad_input_is_one_sentence(run, tmp_path, arguments, said):
    out = tmp_path / "x.wav"
    done = CliRunner().invoke(app, [*arguments, "-o", str(out), "--run", str(run)])
    assert isinstance(done.exception, UserError), done.output
    assert said.lower() in str(done.exception).lower()
    assert not list(tmp_path.iterdir())


def test_without_judges_no_training_begins(tmp_path, monkeypatch):
    monkeypatch.setattr("gantools_tts.recognisers.JUDGES", ("no_such_judge",))
    with pytest.raises(UserError, match=r"pip install 'gantools-tts\[judges\]'"):
        train("tts", out=tmp_path / "run", steps=4, **SMALL)
    assert not (tmp_path / "run").exists()


def test_learned_watched_and_tested_are_of_different_families(run):
    voice = gantools.load(run).application.voice
    families = [
        {u.name.rpartition("-")[0] for u in part} for part in (voice.train, voice.valid, voice.test)
    ]
    assert all(families)
    assert not families[0] & families[1]
    assert not families[0] & families[2]
    assert not families[1] & families[2]
