"""Installing third parties' plugins into a folder that is put on the path."""

from __future__ import annotations

import textwrap
from pathlib import Path

REGISTER = """
from gantools import RunConfig, Spec, hookimpl

@hookimpl
def register_applications():
    return [Spec({name!r}, "one of many", RunConfig, "nowhere:Nothing")]
"""


def install(
    folder: Path, name: str, code: str, *, distribution: str = "", requires: tuple[str, ...] = ()
) -> Path:
    """Install a plugin of one module, ``plugin_<name>``, and return the module's file."""
    distribution = distribution or f"acme-{name}"
    about = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    lines = ["Metadata-Version: 2.1", f"Name: {distribution}", "Version: 1.0"]
    lines += ["Summary: A third party's", *(f"Requires-Dist: {text}" for text in requires)]
    (about / "METADATA").write_text("\n".join(lines) + "\n")
    module = f"plugin_{name.replace('-', '_')}"
    (about / "entry_points.txt").write_text(f"[gantools]\n{name} = {module}\n")
    file = folder / f"{module}.py"
    file.write_text(textwrap.dedent(code))
    return file


FAULTS = {
    # name: (code, requires, status, what the reason says)
    "absent": ("import no_such_module", (), "failed", "No module named 'no_such_module'"),
    "syntax": ("def oops(:", (), "failed", "SyntaxError: invalid syntax"),
    "quits": ("raise SystemExit(9)", (), "failed", "SystemExit: 9"),
    "kills": ("import os; os._exit(7)", (), "failed", "ended the process with code 7"),
    "misspelt": (
        """
        from gantools import hookimpl

        @hookimpl
        def turn_endde(run):
            pass
        """,
        (),
        "failed",
        "there is no hook 'turn_endde'. Did you mean 'turn_ended'?",
    ),
    "signature": (
        """
        from gantools import hookimpl

        @hookimpl
        def turn_ended(run, weather):
            pass
        """,
        (),
        "failed",
        "turn_ended has no 'weather'. It has run, turn, figures.",
    ),
    "slow": ("import time; time.sleep(0.5)", (), "ok", "slow to import: "),
    "heavy": ("import numpy", (), "ok", "imports numpy"),
    "torchy": ("import torch", (), "ok", "imports numpy, torch"),
    "twin": (REGISTER.format(name="toy"), (), "shadowed", "gantools-toy has 'toy'"),
    "old": ("raise SystemExit", ("gantools>=99",), "incompatible", "it needs gantools>=99"),
    "future": (
        "raise SystemExit",
        ("gantools[hooks99]",),
        "incompatible",
        "it needs version 99 of the hooks",
    ),
    "raises": (
        """
        from gantools import hookimpl

        @hookimpl
        def turn_ended(turn):
            if turn == 100:
                raise ValueError("a hundred is too many")
        """,
        (),
        "ok",
        "failed in turn_ended: ValueError: a hundred is too many",
    ),
    "hangs": (
        """
        import time
        from gantools import hookimpl

        @hookimpl
        def run_began(run):
            time.sleep(1)
        """,
        (),
        "ok",
        "is slow: run_began took 1.0 s",
    ),
    "exits": (
        """
        from gantools import hookimpl

        @hookimpl
        def checkpoint_saved(run):
            raise SystemExit("enough")
        """,
        (),
        "ok",
        "failed in checkpoint_saved: SystemExit: enough",
    ),
    "undocumented": (
        """
        from dataclasses import dataclass
        from gantools import RunConfig, Spec, hookimpl

        @dataclass(frozen=True, kw_only=True)
        class Config(RunConfig):
            rate: float = 1.0

        @hookimpl
        def register_applications():
            return [Spec("undocumented", "no", Config, "nowhere:Nothing")]
        """,
        (),
        "failed",
        "Config.rate needs Annotated",
    ),
    "nonsense": (
        """
        from gantools import hookimpl

        @hookimpl
        def register_applications():
            return "toy"
        """,
        (),
        "failed",
        "register_applications returned a str, not a list: [Spec(…), …]",
    ),
    "thief": (
        """
        from gantools import hookimpl

        @hookimpl
        def register_objectives():
            return {"hinge": "plugin_thief:mine"}
        """,
        (),
        "shadowed",
        "gantools has 'hinge' among the objectives too",
    ),
}
"""Plugins that are wrong in as many ways as we could think of."""


def install_faults(folder: Path) -> None:
    """Install all of them at once."""
    for name, (code, requires, _, _) in FAULTS.items():
        install(folder, name, code, requires=requires)
