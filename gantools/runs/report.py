"""A run's report: one HTML file, with all that it shows inside it, that needs no network."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from gantools.application import Section, Trained
from gantools.config import RunConfig, fields, plain
from gantools.engine.trainer import seeded
from gantools.errors import UserError
from gantools.plugins import Plugins
from gantools.runs.charts import curves
from gantools.runs.folder import Run, write_aside
from gantools.runs.html import (
    Html,
    is_number,
    join,
    label,
    nested,
    note,
    number,
    pairs,
    table,
    tag,
)
from gantools.runs.metrics import read
from gantools.runs.troubles import read as read_troubles

CIRCUMSTANCES = ("count", "episodes", "n", "samples", "seed", "steps", "turn", "turns")
"""What an evaluation says of how it measured, rather than what it found."""
FEW = 16
"""Figures of an evaluation that are shown at once; the others unfold."""

_MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".mp4": "video/mp4",
    ".wav": "audio/wav",
}


def write_report(trained: Trained, plugins: Plugins) -> Path:
    """Write ``report.html`` into the run's folder and return its path.

    Raises:
        UserError: the folder cannot be written to.
    """
    path, config = trained.run.report_file, trained.application.config
    with seeded(config.seed, config.threads):
        text = page(trained, plugins)
    try:
        write_aside(path, text)
    except OSError as error:
        raise UserError(f"Cannot write the report {path}: {error.strerror}.") from None
    return path


def page(trained: Trained, plugins: Plugins) -> Html:
    """The whole document."""
    run, config = trained.run, trained.application.config
    results = _results(run)
    parts = [("Evaluation", evaluation(run, results))]
    try:
        parts += [(str(s.title), section(s, run)) for s in trained.application.report(trained)]
    except UserError as error:
        parts.append(("Samples", note(str(error))))
    snapshots = sorted(run.samples.glob("turn-*.png"))
    if snapshots and "The training" not in dict(parts):
        parts.append(("The training", training(run, snapshots)))
    for sections in plugins.notify("report_sections", run=run):
        try:
            parts += [(str(s.title), section(s, run)) for s in sections]
        except Exception as error:  # whatever a third party made of it, the report is written
            parts.append(("From a plugin", note(f"{type(error).__name__}: {error}")))
    parts.append(("What the watcher saw", troubles(run)))
    parts.append(("Curves", curves(read(run.metrics_file))))
    parts.append(("Configuration", configuration(run.config(type(config)))))
    parts.append(("Environment", environment(run)))

    name = str(run.manifest.get("application", ""))
    subject = getattr(config, "env", None) or _summary(plugins, name)
    links = (tag("a", title, href=f"#part-{i}") for i, (title, _) in enumerate(parts))
    style, script = (
        files(__package__).joinpath(f"report.{x}").read_text("utf-8") for x in ("css", "js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (  # nothing is loaded from anywhere, and no script runs but ours
        "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", " · ".join(filter(None, (name, subject, run.path.resolve().name)))),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html(style)),
    )
    main = (
        tag("section", tag("h2", title), content, id=f"part-{i}")
        for i, (title, content) in enumerate(parts)
    )
    top = header(trained, name, subject, results)
    nav = tag("nav", *links, aria_label="Contents")
    body = tag("body", top, nav, tag("main", *main), tag("script", Html(script)))
    return Html("<!doctype html>\n" + tag("html", head, "\n", body, lang="en") + "\n")


def header(trained: Trained, name: str, subject: str, results: Mapping[str, Any] | None) -> Html:
    """What was trained, how it went, and the main result."""
    about = trained.run.manifest
    status, turns = str(about.get("status", "unknown")), about.get("turns", trained.turn)
    facts: dict[str, object] = {"Status": tag("span", status, class_=f"status {status}")}
    if "started" in about:
        when = datetime.fromisoformat(about["started"])
        facts["Started"] = f"{when.day} {when:%B %Y, %H:%M} {when.tzname() or ''}"
    facts["Seed"] = str(about.get("seed", "–"))
    facts["Turns"] = number(turns) if trained.turn == turns else f"{trained.turn:,} of {turns:,}"
    if "train_seconds" in about:
        facts["Trained for"] = duration(about["train_seconds"])
    facts["Run"] = trained.run.path.resolve().name
    terms = (tag("div", tag("dt", term), tag("dd", fact)) for term, fact in facts.items())
    found = headline(results or {})
    tiles = (tag("div", tag("span", what), tag("strong", value)) for what, value in found)
    how = " · ".join(f"{label(k)}: {number(v)}" for k, v in circumstances(results or {}).items())
    return tag(
        "header",
        tag("p", "gantools run report", class_="kicker"),
        tag("h1", name, " ", tag("span", subject)),
        tag("div", *tiles, class_="tiles") if found else "",
        tag("p", how, class_="how") if found and how else "",
        tag("dl", *terms),
    )


def headline(results: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The first few figures of an evaluation, labelled, with their spread; the main one first."""
    found = []
    for name, result in results.items():
        stem = name.removesuffix("_mean")
        value, spread = result, results.get(f"{stem}_std")
        if isinstance(result, Mapping):
            value, spread = result.get("mean"), result.get("std")
        aside = name in CIRCUMSTANCES or name.endswith(("_std", "_min", "_max"))
        if is_number(value) and not aside:
            found.append((label(stem), number(value) + (f" ± {number(spread)}" if spread else "")))
    return found[:4]


def circumstances(results: Mapping[str, Any]) -> dict[str, Any]:
    """What an evaluation says of how and on what it measured."""
    return {
        name: value
        for name, value in results.items()
        if (isinstance(value, str) and len(value) <= 80)
        or (name in CIRCUMSTANCES and is_number(value))
    }


def evaluation(run: Run, results: Mapping[str, Any] | None) -> Html:
    """``evaluation.json``: plain values as one table, nested ones as tables of their own."""
    if results is None:
        command = tag("code", f"gantools evaluate {shlex.quote(str(run.path))}")
        return tag("p", "This run has not been evaluated yet: ", command, class_="note")
    deep = {k: v for k, v in results.items() if isinstance(v, (list, Mapping))}
    flat = [(label(k), v) for k, v in results.items() if k not in deep]
    small = (tag("div", tag("h3", label(k)), nested(v)) for k, v in deep.items())
    first, rest = (flat, []) if len(flat) <= FEW else (flat[:FEW], flat[FEW:])
    tables = tag("div", tag("div", pairs(first)), *small, class_="tables" if deep else None)
    if not rest:
        return tables
    said = tag("summary", f"{len(rest)} more figures")
    return join([tables, tag("details", said, pairs(rest))])


def troubles(run: Run) -> Html:
    """What went wrong during training, and what could be done about it."""
    seen = read_troubles(run)
    if seen is None:
        return note("Nobody watched this run.")
    if not seen:
        return tag("p", "Nothing went wrong that it knows of.")
    rows: list[list[object]] = [["Turn", "Trouble", "What was seen", "What could be done"]]
    for trouble in seen:
        then = f" The run {trouble['then']}." if "then" in trouble else ""
        rows.append([trouble["turn"], trouble["name"], trouble["seen"] + then, trouble["advice"]])
    return tag("div", table(rows), class_="troubles")


def training(run: Run, snapshots: Sequence[Path]) -> Html:
    """The snapshots of a training, below each other; the strip is kept among the samples."""
    turns = [file.stem.removeprefix("turn-").lstrip("0") or "0" for file in snapshots]
    path = run.samples / "training.png"
    try:
        from gantools.media import strip

        strip(snapshots).save(path)
    except (ImportError, OSError) as error:
        return note(f"The snapshots cannot be shown: {error}.")
    return section(
        Section("The training", media={path: f"From turn {turns[0]} to turn {turns[-1]}."}), run
    )


def section(shown: Section, run: Run) -> Html:
    """The text, table and media of an application's or plugin's section."""
    text = (tag("p", part.strip()) for part in shown.text.split("\n\n") if part.strip())
    media = [medium(path, caption, run) for path, caption in shown.media.items()]
    rows = table(shown.rows) if shown.rows else ""
    return join([*text, rows, tag("div", *media, class_="media") if media else ""])


def medium(path: Path, caption: str, run: Run) -> Html:
    """A picture, film or sound inside the page, or a note if there is none to show."""
    path = Path(path)
    kind = _MEDIA.get(path.suffix.lower())
    said = tag("figcaption", caption)
    if kind is None:
        return tag("figure", note(f"{path.name} cannot be shown: not {', '.join(_MEDIA)}."), said)
    try:
        content = (path if path.exists() else run.path / path).read_bytes()
    except OSError as error:
        return tag("figure", note(f"{path} cannot be shown: {error.strerror}."), said)
    src = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    if kind.startswith("image"):
        shown = tag("img", src=src, alt=caption)
    elif kind.startswith("video"):
        shown = tag("video", src=src, controls=True, loop=True, muted=True, playsinline=True)
    else:
        shown = tag("audio", src=src, controls=True)
    return tag("figure", shown, said)


def configuration(config: RunConfig) -> Html:
    """The resolved options, and what each is for; those not at their default stand out."""
    known = fields(type(config))
    rows = []
    for name, value in plain(config).items():
        field = known[name]
        shown = tag("code", "–" if value is None else str(value))
        if value != field.default and str(value) != str(field.default):
            was = tag("small", f"default {'–' if field.default is None else field.default}")
            shown = join([tag("mark", shown), " ", was])
        rows.append([tag("code", name), shown, field.option.help])
    return tag("div", table([["Option", "Value", "What it is"], *rows]), class_="options")


def environment(run: Run) -> Html:
    """What the run ran on and how it was started, from the manifest."""
    about = run.manifest
    hardware, plugin = about.get("hardware") or {}, about.get("plugin") or {}
    rows: dict[str, object] = {label(k): v or None for k, v in hardware.items()}
    rows |= {
        "Platform": about.get("platform"),
        "Plugin": " ".join(str(x) for x in plugin.values()) or None,
        "Commit": tag("code", about["commit"]) if about.get("commit") else None,
        "Folder": tag("code", run.path.resolve()),
    }
    versions = pairs((tag("code", k), str(v)) for k, v in (about.get("versions") or {}).items())
    command = tag("pre", tag("code", about["command"])) if about.get("command") else ""
    left = tag("div", tag("h3", "Machine and code"), pairs(rows.items()))
    right = tag("div", tag("h3", "Versions"), versions)
    return join([command, tag("div", left, right, class_="tables")])


def duration(seconds: float) -> str:
    """Seconds as people say them: "1 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _results(run: Run) -> dict[str, Any] | None:
    """What ``evaluation.json`` says, None if there is none."""
    try:
        results = json.loads(run.evaluation_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return results if isinstance(results, dict) else {"results": results}


def _summary(plugins: Plugins, application: str) -> str:
    """The application's one line, if it can still be had."""
    try:
        return plugins.application(application).summary
    except UserError:
        return ""
