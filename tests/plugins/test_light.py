"""Plugins cost nothing until they are used."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys

import pytest
from program import PROGRAM, environment
from third_party import REGISTER, install

HEAVY = ("torch", "numpy", "gymnasium", "rich.console")


@pytest.fixture(scope="module")
def fifty(tmp_path_factory):
    """An environment with fifty more plugins, all of them examined."""
    folder = tmp_path_factory.mktemp("fifty")
    for i in range(50):
        install(folder / "site", f"dummy{i}", REGISTER.format(name=f"dummy{i}"))
    env = environment(GANTOOLS_CACHE=str(folder / "cache"))
    env["PYTHONPATH"] = os.pathsep.join([str(folder / "site"), env["PYTHONPATH"]])
    listed = subprocess.run(
        [*PROGRAM, "plugins", "list", "--json"], env=env, capture_output=True, check=True
    )
    assert sum(p["status"] == "ok" for p in json.loads(listed.stdout)) >= 50
    return env


def cpu_ms(env: dict[str, str], *arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*PROGRAM, *arguments], env=env, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def test_fifty_plugins_add_less_than_50_ms_to_help(fifty):
    """Processor time of the process, in turn with the same command without them."""
    alone = environment(GANTOOLS_CACHE=fifty["GANTOOLS_CACHE"] + "-alone")
    pairs = [(cpu_ms(fifty, "--help"), cpu_ms(alone, "--help")) for _ in range(7)]
    assert statistics.median(more - less for more, less in pairs) < 50


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["plugins", "list"], ["plugins", "show", "dummy3"]]
)
def test_help_and_listing_import_nothing_heavy_and_no_plugin(fifty, arguments):
    code = (
        "import sys\n"
        f"sys.argv = ['gantools', *{arguments!r}]\n"
        "from gantools.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "found = [m for m in sys.modules if m in "
        f"{HEAVY!r} or m.startswith('plugin_') or m == 'gantools_gail']\n"
        "print('heavy:', *found)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=fifty, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_all_fifty_are_offered(fifty):
    done = subprocess.run(
        [*PROGRAM, "run", "--help"], env=fifty, capture_output=True, text=True, check=True
    )
    assert all(f"dummy{i}" in done.stdout for i in range(50))
