"""The report: one HTML file that needs no network, whatever the run holds."""

from __future__ import annotations

import json
import math
import random
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from PIL import Image

from gantools.application import Section, Trained
from gantools.config import Option, RunConfig
from gantools.errors import UserError
from gantools.runs import report
from gantools.runs.charts import line_chart, thin, tick_labels, ticks
from gantools.runs.folder import Run
from gantools.runs.html import nested
from gantools.runs.metrics import Metrics
from gantools.runs.report import headline, write_report

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    motto: Annotated[str, Option("What it says.")] = "<b>none</b>"


@dataclass
class FakeApplication:
    sections: list[Section] = field(default_factory=list)
    config: Config = field(default_factory=Config)

    def report(self, trained: Any) -> list[Section]:
        return self.sections


@dataclass
class FakePlugins:
    sections: list[Any] = field(default_factory=list)

    def notify(self, hook: str, **arguments: Any) -> list[Any]:
        assert hook == "report_sections"
        assert isinstance(arguments["run"], Run)
        return self.sections

    def application(self, name: str) -> Any:
        return SimpleNamespace(summary="Two players & a coin")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.create(tmp_path / "a <run>", Config(seed=7), {"application": "coin", "command": "x"})
    made.update(status="finished", turns=3, turn=3, train_seconds=3905.0)
    metrics = Metrics(made.metrics_file, None)
    metrics.add(1, {"liar/loss": 0.7, "liar/rate": 1e-4, "judge/loss": math.nan, "once": 5.0})
    metrics.add(2, {"liar/loss": 0.5, "liar/rate": 1e-4, "judge/loss": math.inf})
    metrics.add(
        3, {"liar/loss": 0.6, "liar/rate": 1e-4, "judge/loss": math.nan, "evaluation/score": 1}
    )
    return made


def written(run: Run, sections: list[Section] | None = None, more: list[Any] | None = None) -> str:
    loaded: Any = Trained(run, FakeApplication(sections or []), None, "last", 3, 1.0)  # type: ignore[arg-type]
    path = write_report(loaded, FakePlugins(more or []))  # type: ignore[arg-type]
    assert path == run.report_file
    return path.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Checks that tags are balanced and remembers every element's attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


def test_the_page_loads_nothing_from_anywhere(run: Run) -> None:
    (run.samples / "a.png").write_bytes(PIXEL)
    text = written(run, [Section("Samples", media={run.samples / "a.png": "one"})])
    assert "http://" not in text
    assert "https://" not in text
    assert "@import" not in text
    page = Elements(text)
    for _, attributes in page.seen:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("data:", "#"))
    policy = next(m for m in page.named("meta") if "http-equiv" in m)["content"] or ""
    assert policy.startswith("default-src 'none'")


def test_header_says_what_was_run(run: Run) -> None:
    text = written(run)
    assert "coin" in text
    assert "Two players &amp; a coin" in text
    assert "finished" in text
    assert "1 h 5 min" in text
    assert "a &lt;run&gt;" in text


def test_without_an_evaluation_it_says_how_to_get_one(run: Run) -> None:
    text = written(run)
    assert "gantools evaluate &#x27;" in text
    assert 'class="tiles"' not in text


def test_evaluation_is_shown_nested_and_with_its_main_result(run: Run) -> None:
    results = {
        "episodes": 20,
        "return_mean": 3545.21,
        "return_std": 10.4,
        "returns": [3540.0, 3550.5],
        "baselines": {"expert": {"mean": 3553.0}, "<random>": {"mean": 18.2, "std": 3}},
        "deep": {"a": {"b": [{"c": 1}, {"c": None}]}, "d": True},
        "empty": {},
    }
    run.evaluation_file.write_text(json.dumps(results), encoding="utf-8")
    text = written(run)
    Elements(text)
    assert "<strong>3,545.2 ± 10.4</strong>" in text
    assert "Episodes: 20" in text
    assert "3,550.5" in text
    assert "&lt;random&gt;" in text


def test_headline_takes_the_first_figures_and_no_circumstances() -> None:
    results = {
        "seed": 3,
        "episodes": 4,
        "on": "x",
        "fair": True,
        "codec": {"mean": 2.0, "std": 0.5},
    }
    assert headline(results) == [("Codec", "2 ± 0.5")]
    assert len(headline({f"a{i}": i for i in range(9)})) == 4


def test_everything_is_escaped(run: Run) -> None:
    evil = "<script>alert(1)</script>"
    (run.samples / "a.png").write_bytes(PIXEL)
    media = {run.samples / "a.png": f'"{evil}'}
    text = written(run, [Section(evil, f"{evil}\n\nsecond", [[evil, "n"], [evil, 2]], media)])
    assert evil not in text
    assert "&lt;script&gt;" in text
    assert "<b>none</b>" not in text
    assert len(Elements(text).named("script")) == 1


def test_media_of_each_kind_is_embedded_and_what_is_missing_is_noted(run: Run) -> None:
    names = ("a.png", "b.JPG", "c.gif", "d.mp4", "e.wav", "f.xyz")
    for name in names:
        (run.samples / name).write_bytes(PIXEL)
    media = {run.samples / name: name for name in names}
    media |= {run.samples / "gone.png": "a lost one", Path("samples/a.png"): "relative to the run"}
    text = written(run, [Section("Samples", media=media)])
    page = Elements(text)
    assert len(page.named("img")) == 4
    assert {"controls", "loop", "muted"} <= page.named("video")[0].keys()
    assert "controls" in page.named("audio")[0]
    assert "gone.png cannot be shown: No such file" in text
    assert "f.xyz cannot be shown" in text


def test_curves_are_grouped_by_player_evaluation_first(run: Run) -> None:
    text = written(run)
    assert text.index("<h3>Evaluation</h3>") < text.index("<h3>Liar</h3>") < text.index(">Judge<")
    assert "<h3>Game</h3>" in text  # a figure without a player
    assert len(re.findall("<svg", text)) == 4  # judge/loss was never finite
    assert "3 not finite, left out" in text
    assert "min 0.5 at 2 · max 0.7 at 1" in text
    assert "constant" in text
    assert "one value" in text


def test_a_run_without_figures_has_a_report(run: Run) -> None:
    run.metrics_file.unlink()
    assert "No figures have been recorded yet" in written(run)


def test_configuration_marks_what_is_not_default(run: Run) -> None:
    assert "<mark><code>7</code></mark> <small>default 0</small>" in written(run)


def test_snapshots_are_shown_unless_the_application_shows_them_itself(run: Run) -> None:
    assert "<h2>The training</h2>" not in written(run)
    for turn in (200, 1000):
        Image.new("RGB", (3, 2), "red").save(run.samples / f"turn-{turn:07d}.png")
    text = written(run)
    assert text.count("<h2>The training</h2>") == 1
    assert "From turn 200 to turn 1000." in text
    with Image.open(run.samples / "training.png") as sheet:
        assert sheet.size == (3, 4)
    own = written(run, [Section("The training", "by hand")])
    assert own.count("<h2>The training</h2>") == 1
    assert "From turn" not in own


def test_a_broken_snapshot_does_not_break_the_report(run: Run) -> None:
    (run.samples / "turn-0000001.png").write_bytes(b"torn")
    assert "The snapshots cannot be shown" in written(run)


def test_plugins_add_sections_and_cannot_break_the_report(run: Run) -> None:
    text = written(run, more=[[Section("Carbon", "2 g")], [None], 5])
    assert "<h2>Carbon</h2>" in text
    assert "AttributeError" in text
    assert "TypeError" in text


def test_what_the_application_cannot_show_is_said(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Any, trained: Any) -> list[Section]:
        raise UserError("no camera here")

    monkeypatch.setattr(FakeApplication, "report", fail)
    assert "no camera here" in written(run)


def test_a_full_disk_is_a_user_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "write_aside", full)
    with pytest.raises(UserError, match="No space left"):
        written(run)


def test_thin_keeps_spikes_and_ends() -> None:
    y = [random.Random(0).random() for _ in range(100_000)]
    y[31_234], y[77_777] = 1e3, -1e3
    x = [float(i) for i in range(len(y))]
    kept_x, kept_y = thin(x, y)
    assert len(kept_x) <= 500
    assert kept_x == sorted(kept_x)
    assert (kept_x[0], kept_x[-1]) == (0, 99_999)
    assert {1e3, -1e3} <= set(kept_y)
    assert all(y[int(t)] == v for t, v in zip(kept_x, kept_y, strict=True))
    assert thin(x[:500], y[:500]) == (x[:500], y[:500])


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 1200, ["0", "200", "400", "600", "800", "1,000", "1,200"]),
        (0, 1e6, ["0.0", "0.2M", "0.4M", "0.6M", "0.8M", "1.0M"]),
        (-0.05, 0.051, ["-0.04", "-0.02", "0.00", "0.02", "0.04"]),
        (0, 1e-5, ["0", "2e-6", "4e-6", "6e-6", "8e-6", "1e-5"]),
        (0, 1e13, ["0", "2e12", "4e12", "6e12", "8e12", "1e13"]),
    ],
)
def test_ticks_are_round_numbers(low: float, high: float, labels: list[str]) -> None:
    assert tick_labels(ticks(low, high, 5)) == labels


@pytest.mark.parametrize(
    "y",
    [
        [0.0, 0.0],
        [1.0, 1.0 + 1e-16],
        [12345.0001, 12345.0004],
        [-1.7e308, 1.7e308],
        [5e-324, 1e-320],
        [1e-280, 3e-280],
        [-3.0, -3.0],
    ],
)
def test_any_finite_values_can_be_drawn(y: list[float]) -> None:
    svg = line_chart([1, 2], y, 2, 340, "")
    coordinates = re.search('polyline points="([^"]*)"', svg)
    assert coordinates is not None
    for pair in coordinates[1].split():
        assert all(0 <= float(v) <= 340 for v in pair.split(","))
    labels = re.findall('text-anchor="end">([^<]*)<', svg)
    assert labels
    assert len(labels) == len(set(labels))


def test_nested_shows_any_json() -> None:
    for value in (None, [], {}, [[]], [{}], {"a": [1, {"b": "<"}]}, math.nan, "x", [1, "y", None]):
        assert "<b" not in nested(value)
        Elements(nested(value))
