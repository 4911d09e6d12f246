"""Installing and removing plugins with the environment's own installer: pip, or uv."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from gantools.errors import UserError
from gantools.plugins.host import Plugins


def installer() -> list[str]:
    """The command that installs into this interpreter's environment.

    uv where uv made the environment, or where there is no pip; else the interpreter's own pip.

    Raises:
        UserError: there is neither.
    """
    uv = shutil.which("uv") or shutil.which("uv", path=Path(sys.executable).parent)
    made_by_uv = _made_by_uv(Path(sys.prefix) / "pyvenv.cfg")
    has_pip = importlib.util.find_spec("pip") is not None
    if uv and (made_by_uv or not has_pip):
        return [uv, "pip"]
    if has_pip:
        return [sys.executable, "-m", "pip"]
    raise UserError(
        f"{sys.executable} has neither pip nor uv: run `{sys.executable} -m ensurepip` first."
    )


def _made_by_uv(file: Path) -> bool:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return any(line.split("=")[0].strip() == "uv" for line in lines)


KEPT = ("gantools", "torch")
"""Distributions that installing a plugin may not replace."""


@contextmanager
def constraints() -> Iterator[Path]:
    """A constraints file that holds what must be left as it is at its present version."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text("".join(f"{name}=={metadata.version(name)}\n" for name in KEPT))
        yield file


def install_command(
    specs: Sequence[str], *, upgrade: bool, editable: bool, constraints: Path
) -> list[str]:
    """What installs requirements, files or folders, as ``gantools plugins install`` takes them."""
    command = [*installer(), "install", "--quiet"]
    if command[1] == "pip":  # uv's
        command += ["--python", sys.executable]
    command += ["--constraint", str(constraints)]
    if upgrade:
        command.append("--upgrade")
    for spec in specs:
        command += ["--editable", spec] if editable else [spec]
    return command


def uninstall_command(plugins: Plugins, name: str) -> list[str]:
    """What removes the distribution of a plugin, named by either's name.

    Raises:
        UserError: no plugin has this name.
    """
    named = [p for p in plugins.found if name in (p.name, p.distribution)]
    owners = sorted({plugin.distribution for plugin in named})
    if not owners:
        known = ", ".join(sorted({p.distribution for p in plugins.found})) or "none"
        raise UserError(f"No plugin is called {name!r}. Installed: {known}.")
    if len(owners) > 1:
        raise UserError(f"{' and '.join(owners)} both have a plugin {name!r}: name one of them.")
    command = [*installer(), "uninstall"]
    return [*command, *(["--yes"] if command[1] == "-m" else ["--python", sys.executable]), *owners]


def run(command: Sequence[str]) -> None:
    """Run an installer's command, its output shown.

    Raises:
        UserError: it failed.
    """
    code = subprocess.run(command, check=False).returncode
    if code:
        raise UserError(f"{Path(command[0]).name} failed (exit code {code}): see above.")
