"""A fresh environment, to install plugins into and remove them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv

import pytest
from program import environment


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A fresh environment that sees this one's libraries; pip may look nowhere else."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(folder / "env"), "platbase": ""})
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    with open(os.path.join(paths["purelib"], "host.pth"), "w") as file:
        for path in libraries:
            file.write(f"import site; site.addsitedir({path!r})\n")
    env = environment(
        GANTOOLS_CACHE=str(folder / "cache"),
        PIP_CONFIG_FILE=os.devnull,
        PIP_FIND_LINKS="",
        PIP_NO_INDEX="1",
        PIP_NO_BUILD_ISOLATION="0",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        VIRTUAL_ENV=str(folder / "env"),
    )
    env.pop("PYTHONPATH")
    python = folder / "env" / "bin" / "python"

    def call(*arguments: object, module: str = "gantools.cli.main", fails: int = 0) -> str:
        done = subprocess.run(
            [python, "-m", module, *map(str, arguments)],
            capture_output=True,
            text=True,
            env=env,
            cwd=folder,
            timeout=200,
            check=False,
        )
        assert done.returncode == fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    call.folder = folder
    return call
