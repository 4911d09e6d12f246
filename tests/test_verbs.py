"""What verbs share: files that are whole or not there, and whose error is whose."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

import gantools
from gantools import UserError
from gantools.verbs import load_run, unused, writing


def test_what_was_written_takes_its_place(tmp_path):
    with writing(tmp_path / "o.npz", (".npz",)) as temporary:
        assert temporary.suffix == ".npz"
        temporary.write_text("all of it")
        assert not (tmp_path / "o.npz").exists()
    assert (tmp_path / "o.npz").read_text() == "all of it"
    assert os.listdir(tmp_path) == ["o.npz"]


def half_of_it(file, error):
    file.write_text("half of")
    raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError, UserError])
def test_an_interrupted_verb_leaves_nothing(tmp_path, error):
    with pytest.raises(error), writing(tmp_path / "o.npz", (".npz",)) as temporary:
        half_of_it(temporary, error)
    assert not list(tmp_path.iterdir())


def refused(out: Path) -> str:
    with pytest.raises(UserError) as error, writing(out, (".npz", ".gtc")):
        pytest.fail("work was done")
    return str(error.value)


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path):
    out = tmp_path / "o.txt"
    assert refused(out) == f"Cannot write '{out}': its name must end in .npz or .gtc."
    out = tmp_path / "no" / "o.npz"
    assert refused(out) == f"Cannot write {out}: there is no folder {out.parent}."
    out = tmp_path / f"{'o' * 250}.npz"
    assert refused(out) == f"Cannot write {out}: File name too long."
    out = tmp_path / "o.npz"
    out.touch()
    assert "exists already and is left as it is" in refused(out)
    assert os.listdir(tmp_path) == ["o.npz"]


def said_of(error: OSError, out: Path) -> str:
    with pytest.raises(UserError) as said, writing(out, (".npz",)) as temporary:  # noqa: PT012
        if error.filename == "temporary":
            error.filename = str(temporary)
        half_of_it(temporary, error)
    assert not list(out.parent.iterdir())
    return str(said.value)


def test_errors_of_the_file_are_said(tmp_path):
    out = tmp_path / "o.npz"
    full = OSError(errno.ENOSPC, "No space left on device")  # write() knows no name
    assert said_of(full, out) == f"Cannot write {out}: No space left on device."
    of_it = OSError(errno.EIO, "Input/output error", "temporary")
    assert said_of(of_it, out) == f"Cannot write {out}: Input/output error."


def test_errors_of_other_files_are_not_renamed(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    Image = pytest.importorskip("PIL.Image")
    other = OSError(errno.ENOSPC, "No space left on device", "elsewhere")
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

    for work, error in (
        (lambda: Image.open(bad), Image.UnidentifiedImageError),
        (lambda: (tmp_path / "gone").open(), FileNotFoundError),
        (lambda: half_of_it(bad, other), OSError),
        (lambda: half_of_it(bad, refused), ConnectionRefusedError),
    ):
        with pytest.raises(error), writing(tmp_path / "o.npz", (".npz",)):
            work()
    assert os.listdir(tmp_path) == ["bad.png"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("verbs") / "run"
    return gantools.run("toy", steps=2, out=out, progress=False)


def test_a_run_of_another_application_is_not_built(run, monkeypatch):
    asked = {}

    def load(path, **options):
        asked.update(options)

    monkeypatch.setattr("gantools.api.load", load)
    with pytest.raises(UserError, match="is a run of 'toy', not of 'gail'"):
        load_run(run.path, "gail")
    assert not asked
    load_run(run.path, "toy", "best")
    assert asked == {"checkpoint": "best", "device": "cpu"}  # wherever it was trained
    load_run(run.path, "toy", device=None)
    assert asked["device"] is None


def test_a_run_that_was_trained_on_a_gpu_loads_without_one(run):
    text = run.config_file.read_text()
    assert "device: " in text
    lines = ["device: cuda" if line.startswith("device:") else line for line in text.splitlines()]
    run.config_file.write_text("\n".join(lines) + "\n")
    trained = load_run(run.path, "toy")
    assert trained.turn > 0
    assert {p.device.type for m in trained.game.modules() for p in m.parameters()} == {"cpu"}


def test_a_name_that_is_taken_gets_a_number(tmp_path):
    film = tmp_path / "film.mp4"
    assert unused(film) == film
    film.touch()
    (tmp_path / "film-2.mp4").touch()
    assert unused(film) == tmp_path / "film-3.mp4"
