"""Writing a new plugin: a distribution with a small real game, from the files in ``template/``."""

from __future__ import annotations

import keyword
import re
import shutil
from importlib.resources import files
from pathlib import Path
from string import Template

from gantools import __version__
from gantools.errors import UserError
from gantools.plugins.plugin import RESERVED

FILES = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "gitignore.in": ".gitignore",
    "workflow.yml.in": ".github/workflows/test.yml",
    "init.py.in": "$module/__init__.py",
    "game.py.in": "$module/game.py",
    "application.py.in": "$module/application.py",
    "test.py.in": "tests/test_$identifier.py",
}
"""Where each file of the template goes."""


def write(name: str, folder: Path | None = None) -> Path:
    """Write the distribution ``gantools-NAME`` into a new folder and return it.

    Raises:
        UserError: the name cannot be an application's, or the folder exists.
    """
    identifier = name.replace("-", "_")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name) or keyword.iskeyword(identifier):
        raise UserError(
            f"{name!r} cannot be an application's name: take small letters, digits and single "
            "hyphens, beginning with a letter, such as my-game."
        )
    if name in RESERVED:
        raise UserError(f"{name!r} is a command of gantools itself: take another name.")
    folder = folder or Path(f"gantools-{name}")
    if folder.exists():
        raise UserError(f"{folder} exists already and is left as it is: choose another --folder.")
    words = {
        "name": name,
        "identifier": identifier,
        "module": f"gantools_{identifier}",
        "distribution": f"gantools-{name}",
        "version": __version__,
    }
    try:
        for source, target in FILES.items():
            text = files(__package__).joinpath("template", source).read_text(encoding="utf-8")
            path = folder / Template(target).substitute(words)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(text).substitute(words), encoding="utf-8")
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UserError(f"Cannot write {folder}: {error.strerror}.") from None
    return folder
