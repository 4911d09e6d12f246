"""The ``gantools`` program."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gantools.cli.parts import parts, show
from gantools.cli.plugins import app as plugins_app
from gantools.cli.plugins import plugins_of
from gantools.errors import Note, UserError, did_you_mean
from gantools.plugins import RESERVED, Plugin

if TYPE_CHECKING:
    from gantools.cli.options import Common
    from gantools.config import RunConfig
    from gantools.runs.folder import Run

INTERRUPTED = 130
PLUGIN_FAILED = 3


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
        return list(_known_applications(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        plugins = plugins_of(ctx)
        plugin = plugins.get(cmd_name)
        if plugin is not None and (ctx.resilient_parsing or not plugins.load(plugin)):
            return _stub(plugin)
        spec = plugins.application(cmd_name)
        from gantools.cli.options import command

        made = typer.Typer(add_completion=False, rich_markup_mode=None)
        made.command(cmd_name, help=spec.summary)(command(spec.config, _train(spec.name)))
        return get_command(made)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Applications"):
            formatter.write_dl(list(_known_applications(ctx).items()))


def _known_applications(ctx: Any) -> dict[str, str]:
    """Applications and their summaries as the plugins' cards tell, importing none; a plugin that
    was never examined is taken to have one application, of its own name."""
    from gantools.plugins import cards

    kept, found = cards.read(), {}
    for plugin in plugins_of(ctx).found:
        card = kept.get(plugin.key, {})
        status = plugin.status if plugin.status != "ok" else card.get("status", "ok")
        if status in ("failed", "incompatible", "disabled"):
            found[plugin.name] = f"{status}: {plugin.reason or card.get('reason', '')}"
        elif status == "ok" and "applications" in card:
            found |= {name: about["summary"] for name, about in card["applications"].items()}
        elif status == "ok":
            found[plugin.name] = plugin.summary
    return dict(sorted(found.items()))


class _Root(TyperGroup):
    """``gantools``: its own commands, those that plugins add, and ``gantools APP VERB``."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*RESERVED, *_known_commands(ctx)]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        own = {name: super(_Root, self).get_command(ctx, name) for name in RESERVED}
        with formatter.section("Commands"):
            formatter.write_dl([(n, c.get_short_help_str(60)) for n, c in own.items() if c])
        if known := _known_commands(ctx):
            with formatter.section("From plugins"):
                formatter.write_dl(list(known.items()))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if own := super().get_command(ctx, cmd_name):
            return own
        from gantools.application import locate

        known = _known_commands(ctx)
        if ctx.resilient_parsing:
            return TyperCommand(cmd_name, help=known.get(cmd_name))
        plugin = plugins_of(ctx).get(cmd_name)
        if plugin is not None and not plugins_of(ctx).load(plugin):
            return _stub(plugin)
        if plugin is None:
            if (command := plugins_of(ctx).command(cmd_name)) is not None:
                return get_command(locate(command.implementation))
            known_words = [*RESERVED, *known, *_known_applications(ctx)]
            if cmd_name not in known_words:
                hint = did_you_mean(cmd_name, known_words) or " See gantools --help."
                raise UserError(f"There is no command {cmd_name!r}.{hint}")
        spec = plugins_of(ctx).application(cmd_name)
        if spec.verbs is None:
            raise UserError(f"{cmd_name!r} has no verbs of its own: try gantools run {cmd_name}.")
        return get_command(locate(spec.verbs))


def _known_commands(ctx: Any) -> dict[str, str]:
    """What plugins add, as their cards tell: commands, and applications that have verbs."""
    from gantools.plugins import cards

    kept, found = cards.read(), {}
    for card in (kept.get(p.key, {}) for p in plugins_of(ctx).found if p.status == "ok"):
        for name, about in card.get("applications", {}).items():
            if about.get("verbs"):
                found[name] = f"What can be done with a run of {name}."
        found |= card.get("commands", {})
    return found


app = typer.Typer(
    cls=_Root,
    help="Adversarial training: one engine, games as plugins.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
run_app = typer.Typer(
    cls=_Applications,
    help="Train an application.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(run_app, name="run")
app.add_typer(plugins_app, name="plugins")

RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Checkpoint = Annotated[
    str, typer.Option(help="Which checkpoint: last, or best in the short evaluations of training.")
]


Device = Annotated[
    Literal["auto", "cpu", "cuda", "mps"] | None,
    typer.Option(help="Where to; left out: what the run was configured for."),
]


def _version(wanted: bool) -> None:
    if wanted:
        from gantools import __version__

        print(f"gantools {__version__}")
        raise typer.Exit()


def _without_plugins(wanted: bool) -> None:
    if wanted:
        os.environ["GANTOOLS_DISABLE_PLUGINS"] = "all"


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    no_plugins: Annotated[
        bool,
        typer.Option(
            "--no-plugins",
            callback=_without_plugins,
            is_eager=True,
            help="Leave all plugins out, before anything of theirs is imported.",
        ),
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
    results = run.evaluation or {}
    if as_json:
        print(json.dumps(results))
        return
    _show(results)
    print(f"Run: {run.path}")
    print(f"Report: {run.report_file}")


def _show(results: dict[str, Any]) -> None:
    flat: dict[str, Any] = {}
    for name, value in results.items():
        inner = value if isinstance(value, dict) else {"": value}
        flat |= {f"{name}.{key}".rstrip("."): each for key, each in inner.items()}
    width = max(len(name) for name in flat)
    for name, value in flat.items():
        if not isinstance(value, (dict, list)):
            shown = f"{value:.5g}" if isinstance(value, float) else value
            print(f"{name:<{width}}  {shown}")


@app.command()
def resume(run: RunFolder, quiet: Quiet = False, json: Json = False) -> None:
    """Go on with an interrupted run, exactly where it was."""
    from gantools import api

    _say(api.resume(run, progress=not quiet), json)


@app.command()
def evaluate(
    run: RunFolder, checkpoint: Checkpoint = "last", device: Device = None, json: Json = False
) -> None:
    """Judge a run on data that it has not seen."""
    from gantools import api

    results = api.evaluate(run, checkpoint=checkpoint, device=device)
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
    plugins = plugins_of(ctx)
    plugins.load_all()
    found = [(spec, plugin) for plugin in plugins.found for spec in plugin.specs]
    if as_json:
        _dump([{"name": s.name, "summary": s.summary, "plugin": p.distribution} for s, p in found])
        return
    for spec, _ in found:
        print(f"{spec.name:<14} {spec.summary}")


app.command()(parts)
app.command()(show)


def main() -> None:
    """Entry point: bad input ends in one sentence and exit code 2, never in a traceback.

    Who is told to end (SIGTERM) ends as if by an exception, so half-written files go.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
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
