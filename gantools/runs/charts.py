"""Curves of a run's figures as inline SVG, readable without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from gantools.runs.html import Html, join, label, note, number, shorten, tag
from gantools.runs.metrics import series

POINTS = 500
"""A curve has at most this many points; longer ones are thinned."""


def curves(rows: list[dict[str, float]]) -> Html:
    """A chart of every figure in the metrics table, player by player, evaluations first."""
    names = list(dict.fromkeys(name for row in rows for name in row if name != "turn"))
    if not names:
        return note("No figures have been recorded yet.")
    values = {name: [row.get(name) for row in rows] for name in names}
    score = values.pop("evaluation/score", None)
    if score in values.values():
        names.remove("evaluation/score")  # one of the others, under the name that chooses the best
    groups: dict[str, list[str]] = {}
    for name in sorted(names, key=lambda name: not name.startswith("evaluation/")):
        groups.setdefault(name.rpartition("/")[0].partition("/")[0], []).append(name)
    last = max(1.0, *(row["turn"] for row in rows))
    said = f"Over {last:,.0f} turns; the bold number is the last value."
    if len(rows) > POINTS:
        said += f" Curves are thinned to {POINTS} points; peaks and dips are kept."
    parts: list[Html] = [tag("p", said)]
    for group, members in groups.items():
        wide = group == "evaluation"
        charts = (figure(rows, name, last, 440 if wide else 340) for name in members)
        parts.append(tag("h3", label(group or "Game")))
        parts.append(tag("div", *charts, class_="charts wide" if wide else "charts"))
    return join(parts)


def figure(rows: list[dict[str, float]], name: str, turns: float, width: int) -> Html:
    """One figure's chart with its name, its last value, and its extremes."""
    x, y = series(rows, name)
    lost = sum(name in row for row in rows) - len(x)
    title = tag("span", label(name.partition("/")[2] or name))
    left_out = f"{lost} not finite, left out" if lost else ""
    if not x:
        return tag("figure", tag("figcaption", title), note(left_out), class_="chart")
    low, high = min(range(len(y)), key=y.__getitem__), max(range(len(y)), key=y.__getitem__)
    said = f"min {number(y[low])} at {x[low]:,} · max {number(y[high])} at {x[high]:,}"
    if y[low] == y[high]:
        said = "one value" if len(y) == 1 else "constant"
    said = " · ".join(filter(None, (said, left_out)))
    return tag(
        "figure",
        tag("figcaption", title, " ", tag("strong", number(y[-1]))),
        line_chart(*thin(x, y), turns, width, f"{name}: {said}, last {number(y[-1])}"),
        tag("p", said),
        class_="chart",
    )


def thin(
    x: Sequence[float], y: Sequence[float], most: int = POINTS
) -> tuple[list[float], list[float]]:
    """At most ``most`` points: the ends, and each bucket's least and greatest, in their order."""
    if len(x) <= most:
        return list(x), list(y)
    buckets = most // 2 - 1
    edges = [1 + i * (len(x) - 2) // buckets for i in range(buckets + 1)]
    kept = {0, len(x) - 1}
    for start, stop in pairwise(edges):
        kept |= {f(range(start, stop), key=y.__getitem__) for f in (min, max)}
    return [x[i] for i in sorted(kept)], [y[i] for i in sorted(kept)]


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) from low to high."""
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= 0.75 * raw)
    inside = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return [i * step for i in inside]


def tick_labels(values: Sequence[float]) -> list[str]:
    """The shortest labels that tell neighbouring ticks apart: 0, 50k, 100k."""
    top = max(map(abs, values))
    step = min((b - a for a, b in pairwise(values)), default=top) or 1.0
    units = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
    scale, unit = next(((s, u) for s, u in units if top >= max(s, 1e4)), (1.0, ""))
    places = max(0, -math.floor(math.log10(step / scale) + 1e-9))
    if places > 4 or top >= 1e12:
        digits = max(1, math.ceil(math.log10(top / step) - 1e-9) + 1)
        return [shorten(f"{v:.{digits}g}") for v in values]
    return [f"{v / scale:,.{places}f}" + (unit if v else "") for v in values]


def line_chart(
    x: Sequence[float], y: Sequence[float], turns: float, width: int, about: str
) -> Html:
    """An SVG line chart; its points are in ``data-points`` for the script that reads them out."""
    y = [min(max(v, -1e300), 1e300) for v in y]
    low, high = min(y), max(y)
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-290):  # a constant
        y_ticks, y_labels = [low], [number(low)]
        low, high = low - (abs(low) or 1.0), high + (abs(high) or 1.0)
    else:
        pad = 0.06 * (high - low)
        low, high = (0.0 if 0 <= low < 0.3 * high else low - pad), high + pad
        y_ticks = ticks(low, high, 5)
        y_labels = tick_labels(y_ticks)
    x_ticks = ticks(0, turns, 4)
    x_labels = tick_labels(x_ticks)
    height = 200
    left, right = 12 + 6.2 * max(map(len, y_labels)), width - 16.0
    top, bottom = 8.0, height - 22.0

    def across(turn: float) -> str:
        return f"{left + turn / turns * (right - left):.1f}"

    def up(value: float) -> str:
        return f"{bottom - (value - low) / (high - low) * (bottom - top):.1f}"

    grid = []
    for v, text in zip(y_ticks, y_labels, strict=True):
        grid.append(tag("line", x1=left, x2=right, y1=up(v), y2=up(v)))
        grid.append(tag("text", text, x=left - 6, y=up(v), dy=3.5, text_anchor="end"))
    for v, text in zip(x_ticks, x_labels, strict=True):
        grid.append(tag("line", x1=across(v), x2=across(v), y1=bottom, y2=bottom + 4))
        grid.append(tag("text", text, x=across(v), y=bottom + 16, text_anchor="middle"))
    points = [(across(t), up(v)) for t, v in zip(x, y, strict=True)]
    return tag(
        "svg",
        tag("g", *grid, class_="grid"),
        tag("polyline", points=" ".join(map(",".join, points))),
        tag("circle", cx=points[-1][0], cy=points[-1][1], r=3),
        tag("g", tag("line", y1=top, y2=bottom), tag("circle", r=3.5), class_="mark"),
        viewBox=f"0 0 {width} {height}",
        role="img",
        aria_label=about,
        data_points=" ".join(f"{t:.0f}:{v:.6g}" for t, v in zip(x, y, strict=True)),
    )
