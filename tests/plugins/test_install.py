"""A plugin from `plugins new` to `plugins uninstall`, in an environment of its own."""

from __future__ import annotations

import json
import re
import sys
import time

import pytest

from gantools import UserError
from gantools.plugins import installer, scaffold


def test_new_install_test_train_and_leave_in_under_two_minutes(fresh):
    began = time.monotonic()
    assert "gantools run my-swirl" in fresh("plugins", "new", "my-swirl")

    said = fresh("plugins", "install", "./gantools-my-swirl")
    assert "-m pip install" in said
    assert "A plugin is code that runs with all your rights" in said
    assert "my-swirl (gantools-my-swirl 0.1.0) ok" in said

    assert re.search(r"my-swirl +A generator learns points in the plane", fresh("run", "--help"))
    options = fresh("run", "my-swirl", "--help")
    assert "--samples <int range>" in options
    assert "2<=x<=2048" in options

    fresh("gantools-my-swirl", "-q", "-p", "no:cacheprovider", module="pytest")

    fresh("run", "my-swirl", "--steps", 500, "--out", "run", "--quiet")
    results = json.loads((fresh.folder / "run" / "evaluation.json").read_text())
    assert results["energy_distance"] < results["baselines"]["normal"]
    assert "<h2>Points</h2>" in (fresh.folder / "run" / "report.html").read_text()
    assert (fresh.folder / "run" / "samples" / "points.png").stat().st_size > 10_000

    assert "gantools-my-swirl" in fresh("plugins", "uninstall", "my-swirl")
    assert "my-swirl" not in fresh("plugins", "list")
    assert "There is no application 'my-swirl'" in fresh("run", "my-swirl", fails=2)
    assert time.monotonic() - began < 120


def test_what_cannot_be_installed_is_said(fresh):
    said = fresh("plugins", "install", "./nowhere", fails=2)
    assert "failed (exit code 1): see above" in said
    assert "Traceback" not in said


def test_a_distribution_without_a_plugin_is_said(fresh, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "plain-thing"\nversion = "1"\n[tool.setuptools]\npackages = []\n'
    )
    assert "No new plugin is among it" in fresh("plugins", "install", tmp_path)


def test_uninstalling_what_is_no_plugin_is_refused(fresh):
    assert "No plugin is called 'torch'" in fresh("plugins", "uninstall", "torch", fails=2)


# -- the installer ------------------------------------------------------------------------------


def test_uv_is_used_where_uv_made_the_environment(tmp_path, monkeypatch):
    (tmp_path / "pyvenv.cfg").write_text("home = /usr\nuv = 0.9.1\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda name, path=None: "/bin/uv")
    file = tmp_path / "constraints.txt"
    command = installer.install_command(["x"], upgrade=True, editable=False, constraints=file)
    assert command[:4] == ["/bin/uv", "pip", "install", "--quiet"]
    assert command[4:6] == ["--python", sys.executable]
    assert command[6:] == ["--constraint", str(file), "--upgrade", "x"]


def test_without_pip_and_uv_the_cure_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"neither pip nor uv: run .* -m ensurepip"):
        installer.installer()


def test_gantools_and_torch_stay_as_they_are():
    import torch

    import gantools

    with installer.constraints() as file:
        assert (
            file.read_text().splitlines()
            == [
                f"gantools=={gantools.__version__}",
                f"torch=={torch.__version__.split('+')[0]}",
            ]
            or f"torch=={torch.__version__}" in file.read_text()
        )


# -- new ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["My", "a_b", "1st", "-a", "a-", "a--b", "", "a b", "class", "run"]
)
def test_names_that_cannot_be_are_refused(name, tmp_path):
    with pytest.raises(UserError, match="name"):
        scaffold.write(name, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match="exists already"):
        scaffold.write("mine", tmp_path / "mine")
    assert list((tmp_path / "mine").iterdir()) == []


def test_nothing_in_a_new_plugin_is_left_to_fill_in(tmp_path):
    made = scaffold.write("a-game", tmp_path / "made")
    for file in made.rglob("*"):
        if file.is_file():
            assert "$" not in file.read_text().replace("${{ matrix.python }}", ""), file
