"""``gantools plugins``: see, examine, install, remove and write plugins."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gantools.errors import UserError, did_you_mean
from gantools.plugins import Plugin, Plugins

TRUST = "A plugin is code that runs with all your rights: install those that you trust."
UNUSABLE = 3

app = typer.Typer(
    help="See, examine, install, remove and write plugins.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A plugin, or its distribution.")]


def plugins_of(ctx: Any) -> Plugins:
    """The plugins of this process, found once."""
    root = ctx.find_root()
    if root.obj is None:
        root.obj = Plugins()
    return root.obj


@app.callback()
def _group() -> None:
    pass


@app.command("list")
def list_plugins(
    ctx: typer.Context,
    hook: Annotated[
        str | None, typer.Option("--hook", help="Only those that implement this hook.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the installed plugins, what they add, and what is wrong with them.

    Imports none of them: each is examined once, in a process of its own, when it or the environment
    has changed.
    """
    from gantools import hookspecs
    from gantools.plugins.survey import known_plugins

    if hook is not None and not hasattr(getattr(hookspecs, hook, None), "gantools_spec"):
        known = [n for n, v in vars(hookspecs).items() if hasattr(v, "gantools_spec")]
        hint = did_you_mean(hook, known) or f" Hooks: {', '.join(known)}."
        raise UserError(f"There is no hook {hook!r}.{hint}")
    rows = [
        describe(plugin, card)
        for plugin, card in known_plugins(plugins_of(ctx).found)
        if hook is None or hook in card.get("hooks", ())
    ]
    if as_json:
        print(json.dumps(rows))
        return
    if not rows:
        print("No plugins are installed." if hook is None else f"No plugin implements {hook}.")
        return
    table = [("PLUGIN", "DISTRIBUTION", "APPLICATIONS", "STATUS")]
    table += [
        (
            row["name"],
            f"{row['distribution']} {row['version']}".strip(),
            ", ".join(row["applications"]) or "-",
            row["status"] + (f": {row['reason']}" if row["reason"] else ""),
        )
        for row in rows
    ]
    _print(table)


def describe(plugin: Plugin, card: dict[str, Any]) -> dict[str, Any]:
    """What is known of a plugin, as JSON holds it."""
    said = [card["reason"], card.get("remark", "")]
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "summary": plugin.summary,
        "module": plugin.module,
        "status": card["status"],
        "reason": "; ".join(filter(None, said)),
        "applications": list(card.get("applications", ())),
        "commands": list(card.get("commands", ())),
        "parts": {kind: list(parts) for kind, parts in card.get("parts", {}).items()},
        "hooks": card.get("hooks", []),
        "import_ms": card.get("import_ms"),
    }


def _print(table: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]) - 1)]
    for *cells, last in table:
        padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        print("  ".join([*padded, last]).rstrip())


def _named(plugins: Plugins, name: str) -> list[Plugin]:
    named = [p for p in plugins.found if name in (p.name, p.distribution)]
    if not named:
        known = {word for p in plugins.found for word in (p.name, p.distribution)}
        hint = did_you_mean(name, known) or f" Installed: {', '.join(sorted(known)) or 'none'}."
        raise UserError(f"No plugin is called {name!r}.{hint}")
    return named


@app.command()
def show(ctx: typer.Context, name: Name, as_json: Json = False) -> None:
    """Show all that is known of a plugin."""
    from gantools.plugins.survey import known_plugins

    plugins = plugins_of(ctx)
    named = _named(plugins, name)
    found = [(p, card) for p, card in known_plugins(plugins.found) if p in named]
    if as_json:
        print(json.dumps([{**describe(p, card), "requires": p.requires} for p, card in found]))
        return
    for plugin, card in found:
        about = describe(plugin, card)
        about["requires"] = plugin.requires
        about["applications"] = [
            f"{n}: {a['summary']} ({a['options']} options)"
            for n, a in card.get("applications", {}).items()
        ]
        about["parts"] = [
            f"{kind}: {part}" for kind, parts in about["parts"].items() for part in parts
        ]
        for key, value in about.items():
            shown = value if isinstance(value, list) else [value]
            for i, line in enumerate(shown or ["-"]):
                print(f"{key if i == 0 else '':<13} {'-' if line in (None, '') else line}")


@app.command()
def check(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="All if left out.")] = None,
) -> None:
    """Examine a plugin, or all, anew: import time, heavy imports, hooks, configurations, code.

    Exits with code 3 if one of them cannot be used.
    """
    from gantools.plugins.survey import check as checked

    plugins = plugins_of(ctx)
    chosen = plugins.found if name is None else _named(plugins, name)
    failed = False
    for plugin, card in checked(plugins.found, chosen):
        verdict = {"ok": "ok" if not card["reason"] else "warning"}.get(
            card["status"], card["status"]
        )
        missing = card.get("missing", [])
        if missing:
            verdict = "failed"
        failed |= verdict in ("failed", "incompatible")
        cost = f"imports in {card['import_ms']} ms" if "import_ms" in card else ""
        print(f"{plugin.name}: {verdict}" + (f" ({cost})" if cost else ""))
        for line in filter(None, (card["reason"], card.get("remark"), *missing)):
            print(f"  {line}")
    if failed:
        raise typer.Exit(UNUSABLE)


@app.command()
def install(
    ctx: typer.Context,
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC…", help="A name, a URL, a wheel or a folder.")
    ],
    upgrade: Annotated[bool, typer.Option("--upgrade", "-U", help="Take newer versions.")] = False,
    editable: Annotated[
        bool, typer.Option("--editable", "-e", help="Folders that you are working on.")
    ] = False,
) -> None:
    """Install plugins into this environment, with its own pip or uv.

    The gantools and the torch that are there stay as they are: a plugin that needs others of them
    is not installed.
    """
    from gantools.plugins.installer import constraints, install_command, run
    from gantools.plugins.survey import known_plugins

    before = {(p.key, p.distribution, p.version) for p in plugins_of(ctx).found}
    print(TRUST, file=sys.stderr)
    with constraints() as kept:
        command = install_command(specs, upgrade=upgrade, editable=editable, constraints=kept)
        print(f"$ {shlex.join(command)}", file=sys.stderr)
        run(command)
    import importlib

    importlib.invalidate_caches()
    after = Plugins()
    new = [p for p in after.found if (p.key, p.distribution, p.version) not in before]
    if not new:
        print("Installed. No new plugin is among it (an entry point in the group 'gantools').")
        return
    unusable = False
    for plugin, card in known_plugins(after.found):
        if plugin in new:
            about = describe(plugin, card)
            unusable |= about["status"] != "ok"
            runs = ", ".join(f"gantools run {a}" for a in about["applications"])
            said = f": {about['reason']}" if about["reason"] else ""
            print(f"{plugin.name} ({plugin.distribution} {plugin.version}) {about['status']}{said}")
            if runs:
                print(f"Try: {runs}")
    if unusable:
        raise typer.Exit(UNUSABLE)


@app.command()
def uninstall(ctx: typer.Context, name: Name) -> None:
    """Remove a plugin's distribution from this environment."""
    from gantools.plugins.installer import run, uninstall_command

    command = uninstall_command(plugins_of(ctx), name)
    print(f"$ {shlex.join(command)}", file=sys.stderr)
    run(command)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The application's name, such as `swirl`.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where. [default: gantools-NAME]")
    ] = None,
) -> None:
    """Write a plugin to start from: a distribution with a small real game that trains at once."""
    from gantools.plugins.scaffold import write

    made = write(name, folder)
    print(f"Written: {made}. Next:")
    print(f"  gantools plugins install --editable {shlex.quote(str(made))}")
    print(f"  gantools run {name}")
    print(f"  python -m pytest {shlex.quote(str(made))}")
