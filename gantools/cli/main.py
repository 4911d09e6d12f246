"""The ``gantools`` program."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gantools.errors import Note, UserError
from gantools.plugins import Plugin, Plugins

if TYPE_CHECKING:
    from gantools.cli.options import Common
    from gantools.config import RunConfig
    from gantools.runs.folder import Run

INTERRUPTED = 130
PLUGIN_FAILED = 3


def _plugins(ctx: Any) -> Plugins:
    """The plugins of this process, found once."""
    root = ctx.find_root()
    if root.obj is None:
        root.obj = Plugins()
    return root.obj


def _stub(plugin: Plugin) -> TyperCommand:
    """A command that says why its plugin cannot be used."""

    def fail() -> None:
        said = f"The plugin {plugin.name!r} cannot be used ({_unusable(plugin)})."
        print(f"Error: {said}", file=sys.stderr)
        raise typer.Exit(PLUGIN_FAILED)

    return TyperCommand(
        plugin.name,
        callback=fail,
        help=_unusable(plugin),
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )


def _unusable(plugin: Plugin) -> str:
    """Why a plugin cannot be used, as far as is known; empty if it can."""
    return "" if plugin.status == "ok" else f"{plugin.status}: {plugin.reason}"


class _Applications(TyperGroup):
    """``gantools run APP``: the applications, each imported only when it is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [p.name for p in _plugins(ctx).found if p.status != "shadowed"]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        plugins = _plugins(ctx)
        plugin = plugins.get(cmd_name)
        if plugin is not None and (ctx.resilient_parsing or not plugins.load(plugin)):
            return _stub(plugin)
        spec = plugins.application(cmd_name)
        from gantools.cli.options import command

        made = typer.Typer(add_completion=False, rich_markup_mode=None)
        made.command(cmd_name, help=spec.summary)(command(spec.config, _train(spec.name)))
        return get_command(made)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        shown = [p for p in _plugins(ctx).found if p.status != "shadowed"]
        with formatter.section("Applications"):
            formatter.write_dl([(p.name, _unusable(p) or p.summary) for p in shown])


class _Root(TyperGroup):
    """``gantools``: its own commands, and ``gantools APP VERB`` for what applications add."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if own := super().get_command(ctx, cmd_name):
            return own
        plugin = _plugins(ctx).get(cmd_name)
        if plugin is not None and not _plugins(ctx).load(plugin):
            return _stub(plugin)
        try:
            spec = _plugins(ctx).application(cmd_name)
        except UserError:
            return None  # neither a command nor an application
        if spec.verbs is None:
            raise UserError(f"{cmd_name!r} has no verbs of its own: try gantools run {cmd_name}.")
        from gantools.application import locate

        return get_command(locate(spec.verbs))


app = typer.Typer(
    cls=_Root,
    help="Adversarial training: one engine, games as plugins.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
run_app = typer.Typer(
    cls=_Applications,
    help="Train an application.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
plugins_app = typer.Typer(
    help="See the installed plugins.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(run_app, name="run")
app.add_typer(plugins_app, name="plugins")

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Checkpoint = Annotated[str, typer.Option(help="Which checkpoint: last or best.")]


def _version(wanted: bool) -> None:
    if wanted:
        from gantools import __version__

        print(f"gantools {__version__}")
        raise typer.Exit()


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@run_app.callback()
def _run() -> None:
    pass


def _train(application: str) -> Callable[[RunConfig, Common], None]:
    def act(config: RunConfig, common: Common) -> None:
        from gantools import api
        from gantools.config import plain

        run = api.run(application, out=common.out, progress=not common.quiet, **plain(config))
        _say(run, common.json)

    return act


def _say(run: Run, as_json: bool) -> None:
    """Tell how a training ended, and with which command it goes on."""
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return  # the first process speaks for all
    if run.manifest["status"] != "finished":
        print(f"Stopped at turn {run.manifest['turn']}, saved. Go on with:", file=sys.stderr)
        print(f"  {run.resume_command}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    results = json.loads(run.evaluation_file.read_text(encoding="utf-8"))
    if as_json:
        print(json.dumps(results))
        return
    _show(results)
    print(f"Run: {run.path}")
    print(f"Report: {run.report_file}")


def _show(results: dict[str, Any]) -> None:
    width = max(len(name) for name in results)
    for name, value in results.items():
        if not isinstance(value, (dict, list)):
            shown = f"{value:.5g}" if isinstance(value, float) else value
            print(f"{name:<{width}}  {shown}")


@app.command()
def resume(run: RunFolder, quiet: Quiet = False, json: Json = False) -> None:
    """Go on with an interrupted run, exactly where it was."""
    from gantools import api

    _say(api.resume(run, progress=not quiet), json)


@app.command()
def evaluate(run: RunFolder, checkpoint: Checkpoint = "last", json: Json = False) -> None:
    """Judge a run on data that it has not seen."""
    from gantools import api

    results = api.evaluate(run, checkpoint=checkpoint)
    _dump(results) if json else _show(results)


def _dump(value: Any) -> None:
    print(json.dumps(value))


@app.command()
def report(run: RunFolder) -> None:
    """Write a run's report: one HTML file that needs no network."""
    from gantools import api

    print(api.report(run))


@app.command()
def apps(ctx: typer.Context, as_json: Json = False) -> None:
    """List the applications."""
    plugins = _plugins(ctx)
    plugins.load_all()
    found = [(spec, plugin) for plugin in plugins.found for spec in plugin.specs or ()]
    if as_json:
        _dump([{"name": s.name, "summary": s.summary, "plugin": p.distribution} for s, p in found])
        return
    for spec, _ in found:
        print(f"{spec.name:<14} {spec.summary}")


@plugins_app.callback()
def _plugins_group() -> None:
    pass


@plugins_app.command("list")
def plugins_list(ctx: typer.Context, as_json: Json = False) -> None:
    """List the installed plugins and whether they can be used."""
    found = _plugins(ctx).found
    for plugin in found:
        _plugins(ctx).load(plugin)  # its light module only; what fails says so in the list
    if as_json:
        names = ("name", "distribution", "version", "summary", "status", "reason")
        _dump([{name: getattr(p, name) for name in names} for p in found])
        return
    for p in found:
        status = p.status + (f" ({p.reason})" if p.reason else "")
        print(f"{p.name:<14} {p.distribution} {p.version}  {status}  {p.summary}")


def main() -> None:
    """Entry point: bad input ends in one sentence and exit code 2, never in a traceback."""
    warnings.simplefilter("always", Note)
    warnings.showwarning = lambda message, *_: print(f"Note: {message}", file=sys.stderr)
    try:
        app()
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
