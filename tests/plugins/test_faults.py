"""Every fault that a plugin can have, all installed at once: gantools works and names each."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from program import PROGRAM, TOY, environment
from third_party import FAULTS, install_faults

from gantools.testing.contract import _numbers

TRAIN = ["--steps", 120, "--evaluate-every", 0]


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> SimpleNamespace:
    """A run of the toy with every faulty plugin installed, and one without them."""
    folder = tmp_path_factory.mktemp("faults")
    install_faults(folder / "site")

    def gantools(*arguments: object, site: bool = True) -> subprocess.CompletedProcess[str]:
        path = [str(TOY), *([str(folder / "site")] if site else [])]
        env = environment(GANTOOLS_CACHE=str(folder / f"cache-{site}"))
        env["PYTHONPATH"] = os.pathsep.join([*path, env["PYTHONPATH"]])
        command = [*PROGRAM, *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=env, timeout=200, check=False
        )

    trained = gantools("run", "toy", *TRAIN, "--out", folder / "run")
    alone = gantools("run", "toy", *TRAIN, "--out", folder / "alone", site=False)
    return SimpleNamespace(call=gantools, trained=trained, alone=alone, folder=folder)


def test_a_training_goes_through(world):
    assert world.trained.returncode == 0, world.trained.stderr
    assert "Traceback" not in world.trained.stderr
    assert (world.folder / "run" / "report.html").is_file()


def test_no_fault_changes_a_number(world):
    from gantools.runs.folder import Run
    from gantools.testing import differences

    assert world.alone.returncode == 0, world.alone.stderr
    runs = [_numbers(Run.open(world.folder / name)) for name in ("run", "alone")]
    assert differences(*runs) == []


def test_no_fault_is_silent_while_training(world):
    for name, (_, _, status, reason) in FAULTS.items():
        if status != "ok" or "took" in reason or "failed" in reason:
            (line, *more) = [x for x in world.trained.stderr.splitlines() if f"'{name}'" in x]
            assert reason in line
            assert not more, f"{name} is named more than once"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["run", "toy", "--help"],
        ["run", "gail", "--help"],
        ["apps"],
        ["parts"],
        ["plugins", "list"],
        ["plugins", "show", "kills"],
        ["evaluate", "RUN", "--json"],
        ["resume", "RUN"],
        ["report", "RUN"],
    ],
    ids=" ".join,
)
def test_every_command_works(world, arguments):
    done = world.call(*(world.folder / "run" if word == "RUN" else word for word in arguments))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_every_fault_is_named_by_the_list(world):
    done = world.call("run", "toy", *TRAIN, "--out", world.folder / "again")
    assert done.returncode == 0
    listed = {p["name"]: p for p in json.loads(world.call("plugins", "list", "--json").stdout)}
    for name, (_, _, status, reason) in FAULTS.items():
        assert listed[name]["status"] == status, listed[name]
        assert reason in listed[name]["reason"], listed[name]
    assert listed["toy"]["status"] == "ok"
    assert listed["gail"]["status"] == "ok"
    assert listed["gail"]["reason"] == ""


def test_the_list_names_what_a_first_look_can_tell_before_anything_ran(world, tmp_path):
    env = {**environment(GANTOOLS_CACHE=str(tmp_path))}
    env["PYTHONPATH"] = os.pathsep.join([str(world.folder / "site"), env["PYTHONPATH"]])
    command = [*PROGRAM, "plugins", "list", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    listed = {p["name"]: p for p in json.loads(done.stdout)}
    for name in FAULTS.keys() - {"raises", "hangs", "exits"}:
        assert listed[name]["status"] == FAULTS[name][2], listed[name]
        assert FAULTS[name][3] in listed[name]["reason"]


def test_check_fails_where_one_cannot_be_used(world):
    done = world.call("plugins", "check", "slow")
    assert done.returncode == 0
    assert "slow: warning (imports in" in done.stdout
    done = world.call("plugins", "check", "quits")
    assert done.returncode == 3
    assert "quits: failed" in done.stdout
    assert "SystemExit: 9" in done.stdout


def test_without_plugins_nothing_of_theirs_is_imported(world, tmp_path):
    done = world.call("--no-plugins", "plugins", "list", "--json")
    assert {p["status"] for p in json.loads(done.stdout)} == {"disabled"}
    assert world.call("--no-plugins", "run", "toy").returncode == 3


def test_a_mended_plugin_is_looked_at_again(world, tmp_path):
    file = Path(world.folder / "site" / "plugin_quits.py")
    broken = file.read_text()
    file.write_text("pass  # mended")
    try:
        listed = json.loads(world.call("plugins", "list", "--json").stdout)
        assert {p["name"]: p["status"] for p in listed}["quits"] == "ok"
    finally:
        file.write_text(broken)
