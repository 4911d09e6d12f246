"""``gantools parts`` and ``gantools show``: what can be named by options, and what it is."""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any, Literal

import typer

from gantools.cli.plugins import plugins_of
from gantools.errors import UserError, did_you_mean
from gantools.parts import bind, options_of, parse
from gantools.plugins import KINDS, SINGULAR, Plugins

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def parts(
    ctx: typer.Context,
    kind: Annotated[
        Literal[KINDS] | None,  # type: ignore[valid-type]
        typer.Argument(help="Which kind; all if left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List objectives, penalties, solvers, … and whose they are."""
    plugins = plugins_of(ctx)
    found = {
        k: {name: p.distribution for name, p in plugins.names(k).items()}
        for k in KINDS
        if kind in (None, k)
    }
    if as_json:
        print(json.dumps(found))
        return
    for k, names in found.items():
        for name, owner in names.items():
            print(f"{k:<13} {name:<20} {owner}")


def show(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="objective, penalty, solver, metric, …")],
    name: Annotated[str, typer.Argument(help="As gantools parts lists it.")],
    as_json: Json = False,
) -> None:
    """Say what a part is: its formula, its source, the values that it takes."""
    found = about(plugins_of(ctx), kind, name)
    if as_json:
        print(json.dumps(found))
        return
    print(f"{found['name']} ({found['kind']}, {found['plugin']})\n")
    for key in ("formula", "source"):
        if key in found:
            print(f"{key}: {found[key]}")
    if found["about"]:
        print(found["about"])
    if found["values"]:
        said = ",".join(f"{k}={'…' if v is None else v}" for k, v in found["values"].items())
        print(f"\nvalues: {found['name']}:{said}")


def about(plugins: Plugins, kind: str, name: str) -> dict[str, Any]:
    """What is known of a part: kind, name, plugin, about, values with their defaults; formula and
    source where these are not in what is written about it.

    Raises:
        UserError: there is no such kind, or no part of that name.
    """
    kinds = {word: k for k in KINDS for word in (k, SINGULAR[k], k.removesuffix("s"))}
    if kind not in kinds:
        hint = did_you_mean(kind, kinds) or f" Known: {', '.join(SINGULAR.values())}."
        raise UserError(f"There is no kind of part called {kind!r}.{hint}")
    kind = kinds[kind]
    asked = parse(name)
    name = asked.name
    part = plugins.registered(kind, name)
    given = getattr(bind(kind, asked.without("every"), part), "keywords", {})
    owner = plugins.names(kind)[name].distribution
    options = options_of(kind, part) if callable(part) else {}
    made = plugins.part(kind, name) if kind == "objectives" else part
    written = inspect.getdoc(part) if callable(part) else None
    own = {key: said for key in ("formula", "source") if (said := getattr(made, key, ""))}
    return {
        "kind": SINGULAR[kind],
        "name": name,
        "plugin": owner,
        **own,
        "about": written or "",
        "values": {
            key: given.get(key, None if option.default is option.empty else option.default)
            for key, option in options.items()
        }
        | ({"every": asked.options.get("every", 1)} if kind == "penalties" else {}),
    }
