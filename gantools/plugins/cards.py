"""What is known of each plugin without importing it: a card, made by examining it once, apart.

``gantools plugins list`` and ``gantools --help`` read cards. A card is renewed when the plugin's
version or module, the environment, or gantools itself has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantools import __version__, cache
from gantools.files import aside

if TYPE_CHECKING:
    from gantools.plugins.plugin import Plugin

Card = dict[str, Any]


def _file() -> Path:
    """Where the cards of this environment are."""
    environment = hashlib.sha1(sys.prefix.encode(), usedforsecurity=False).hexdigest()[:12]
    return cache.folder() / f"plugins-{environment}.json"


def read() -> dict[str, Card]:
    """All cards by plugin key; none if the file is missing or torn."""
    try:
        cards = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return cards if isinstance(cards, dict) else {}


def keep(key: str, card: Card) -> None:
    """Put a card into the file; where that cannot be, the plugin is examined again next time."""
    path = _file()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside(path) as temporary:
            temporary.write_text(json.dumps({**read(), key: card}, indent=1), encoding="utf-8")


def stamp(plugin: Plugin) -> str:
    """What a card must have been made from to be still true."""
    seen = [_changed(Path(sysconfig.get_paths()["purelib"]))]
    top, *rest = plugin.module.split(".")
    try:
        spec = importlib.util.find_spec(top)  # of the top-level package: that imports nothing
    except (ImportError, ValueError):
        spec = None
    if spec is not None and spec.origin:
        file = Path(spec.origin)
        seen.append(_changed(file))
        if rest:
            module = file.parent.joinpath(*rest)
            seen += [_changed(module.with_suffix(".py")), _changed(module / "__init__.py")]
    return " ".join([__version__, plugin.version, *seen])


def _changed(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}:{found.st_size}"
