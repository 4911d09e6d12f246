"""HTML in which everything is escaped but what was made here: elements, tables, plain values."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Any

_VOID = ("circle", "img", "line", "link", "meta", "polyline")


class Html(str):
    """Markup. Every other string is text and is escaped where it is put into a :func:`tag`."""


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """One element; ``class_`` is the attribute class, ``data_x`` is data-x, None leaves it out."""
    said = ""
    for key, value in attributes.items():
        if value is not None:
            said += f" {key.rstrip('_').replace('_', '-')}"
            said += "" if value is True else f'="{escape(str(value))}"'
    if name in _VOID:
        return Html(f"<{name}{said}/>")
    return Html(f"<{name}{said}>{join(children)}</{name}>")


def join(children: Iterable[object]) -> Html:
    """Pieces one after the other, escaped unless they are markup."""
    return Html("".join(c if isinstance(c, Html) else escape(str(c)) for c in children))


def label(name: object) -> str:
    """A name as people write it: ``return_mean`` is "Return mean"."""
    text = str(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def number(value: object) -> str:
    """A plain value, shortened to what is read at a glance."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.1f}".removesuffix(".0")
    return shorten(f"{value:.4g}")


def shorten(text: str) -> str:
    """An exponent without its padding: 1e-05 is 1e-5."""
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def is_number(value: object) -> bool:
    """Whether it is an int or a float (a bool is neither here)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def table(rows: Sequence[Sequence[object]]) -> Html:
    """A table of a header row and data rows; numbers stand to the right."""
    numeric = {i for row in rows[1:] for i, cell in enumerate(row) if is_number(cell)}

    def line(row: Sequence[object], kind: str) -> Html:
        cells = (
            tag(kind, c if isinstance(c, Html) else number(c), class_="n" if i in numeric else None)
            for i, c in enumerate(row)
        )
        return tag("tr", *cells)

    body = tag("tbody", *(line(row, "td") for row in rows[1:]))
    whole = tag("table", tag("thead", line(rows[0], "th")), body) if rows else Html()
    return _scrolling(whole)


def pairs(items: Iterable[tuple[object, object]]) -> Html:
    """A table of names and values; values may be nested."""
    rows = (tag("tr", tag("th", name, scope="row"), tag("td", nested(v))) for name, v in items)
    return _scrolling(tag("table", tag("tbody", *rows), class_="pairs"))


def _scrolling(wide: Html) -> Html:
    return tag("div", wide, class_="scroll", tabindex=0)


def nested(value: object) -> Html:
    """Any JSON value: a number, a list of them, or a small table."""
    if isinstance(value, Html):
        return value
    if isinstance(value, Mapping):
        if _are_records(value.values()):
            return table(_grid({"": label(k), **record} for k, record in value.items()))
        return pairs((label(k), v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        if _are_records(value):
            return table(_grid(value))
        if not any(isinstance(v, (list, tuple, Mapping)) for v in value):
            return tag("span", *(join([tag("span", number(v)), " "]) for v in value), class_="list")
        return pairs((i, v) for i, v in enumerate(value, 1))
    return join([number(value)])


def _are_records(values: Collection[Any]) -> bool:
    """Whether these are dicts of plain values, so that together they are one table."""
    return bool(values) and all(
        isinstance(v, Mapping) and v and not any(isinstance(x, (list, Mapping)) for x in v.values())
        for v in values
    )


def _grid(records: Iterable[Mapping[str, Any]]) -> list[list[object]]:
    records = list(records)
    columns = list(dict.fromkeys(key for record in records for key in record))
    return [list(map(label, columns)), *([r.get(c, "") for c in columns] for r in records)]


def note(text: str) -> Html:
    """Something that could not be shown, and why."""
    return tag("p", text, class_="note")
