"""Command-line options made from the fields of an application's configuration."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import typer

from gantools.config import Field, RunConfig, fields, make, read_yaml

Action = Callable[[dict[str, Any], "Common"], None]


class Common:
    """The options of ``gantools run`` that say where and how to show, not what to train."""

    def __init__(self, out: Path | None, quiet: bool, json: bool) -> None:
        self.out, self.quiet, self.json = out, quiet, json


def command(
    config: type[RunConfig], act: Callable[[RunConfig, Common], None]
) -> Callable[..., None]:
    """Make the function that Typer turns into ``gantools run APP``.

    Values are taken in this order: default < ``--config FILE`` < command line; all are checked in
    one place, :func:`gantools.config.make`.
    """
    known = fields(config)

    def run(ctx: typer.Context, **given: Any) -> None:
        file = given.pop("config")
        common = Common(given.pop("out"), given.pop("quiet"), given.pop("json"))
        values = {} if file is None else read_yaml(file)
        make(config, values, f"key in {file}")
        for name in known:
            source = ctx.get_parameter_source(name)
            if source is not None and source.name in ("COMMANDLINE", "ENVIRONMENT"):
                values[name] = given[name]
        act(make(config, values), common)

    parameters = [_parameter("ctx", typer.Context)]
    general = fields(RunConfig)  # shown after the application's own
    shown = sorted(known.values(), key=lambda field: field.name in general)
    parameters += [_parameter(f.name, _type(f), _option(f)) for f in shown]
    common = {
        "config": (Path | None, typer.Option(None, help="YAML file of options.")),
        "out": (Path | None, typer.Option(None, help="Run folder to make. [default: runs/…]")),
        "quiet": (bool, typer.Option(False, "--quiet", help="Show no progress.")),
        "json": (bool, typer.Option(False, "--json", help="Print the evaluation as JSON.")),
    }
    parameters += [_parameter(name, *about) for name, about in common.items()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return run


def _parameter(name: str, kind: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    where = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter(name, where, annotation=kind, default=default)


def _type(field: Field) -> Any:
    kind: Any = Literal[field.choices] if field.choices else field.type
    return kind | None if field.optional else kind


def _option(field: Field) -> Any:
    flag = "--" + field.name.replace("_", "-")
    if field.type is bool:
        flag += f"/--no-{flag[2:]}"
    bounds: dict[str, Any] = {}
    if field.type in (int, float):
        bounds = {"min": field.option.min, "max": field.option.max}
        if field.option.max == math.inf:
            bounds["max"] = None
    return typer.Option(field.default, flag, help=field.option.help, **bounds)
