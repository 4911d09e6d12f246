"""The plugins in examples/ install, keep the contract, and pass their own tests."""

from __future__ import annotations

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["gantools-webhook", "gantools-triangle"])
def test_an_example_installs_and_passes_its_tests(fresh, tmp_path, name):
    said = fresh("plugins", "install", EXAMPLES / name)
    assert f"{name.removeprefix('gantools-')} ({name} 0.1.0) ok" in said
    tests = EXAMPLES / name / "tests"
    arguments = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "--rootdir", tmp_path]
    assert " passed" in fresh(tests, *arguments, module="pytest")
    fresh("plugins", "uninstall", name)
