"""Parts by name, with their values: what ``--penalty r1:0.1,every=16`` says.

A part is written ``NAME``, ``NAME:VALUE`` or ``NAME:VALUE,KEY=VALUE,…``; where several may be given
(penalties) they are joined by ``+``, and ``none`` is none of them. This module imports the standard
library only.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gantools.errors import UserError, did_you_mean

GIVEN = {"penalties": 3, "constraints": 1, "metrics": 2, "data": 1, "bonuses": 2}
"""How many arguments of a kind's functions are given where they are used (critic, real and fake to
a penalty) and are not the user's to set; those of other kinds are made by their values alone."""


@dataclass(frozen=True)
class Named:
    """A part as it was asked for.

    Attributes:
        name: of the part.
        values: what was said without a key, in order.
        options: what was said with one.
        text: as it was written.
    """

    name: str
    values: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    def without(self, key: str) -> Named:
        """The same without one of its options."""
        options = {k: v for k, v in self.options.items() if k != key}
        return Named(self.name, self.values, options, self.text)


def parse(text: str) -> Named:
    """Take ``NAME:VALUE,KEY=VALUE`` apart; values are numbers, true, false, or else text.

    Raises:
        UserError: it has another form.
    """
    name, colon, rest = text.strip().partition(":")
    values: list[Any] = []
    options: dict[str, Any] = {}
    for item in rest.split(",") if colon else ():
        key, equals, value = (word.strip() for word in item.partition("="))
        if not key or (equals and not value) or (options and not equals):
            raise UserError(
                f"{text!r} is not NAME, NAME:VALUE or NAME:VALUE,KEY=VALUE, such as r1:0.1,every=4."
            )
        if equals and key in options:
            raise UserError(f"{text!r} sets {key} twice.")
        if equals:
            options[key] = _value(value)
        else:
            values.append(_value(key))
    return Named(name, tuple(values), options, text)


def parse_several(text: str) -> list[Named]:
    """Take apart what is joined by ``+``; ``none`` is none of them."""
    if text.strip() in ("none", ""):
        return []
    asked = [parse(one) for one in re.split(r"\+(?=\s*[A-Za-z])", text)]
    return [one for one in asked if one.name != "none"]


def _value(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def options_of(kind: str, part: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What a user may set of a part, in order: its parameters but those that it is given."""
    try:
        parameters = list(inspect.signature(part).parameters.values())
    except ValueError:  # a builtin without a signature
        return {}
    own = (p for p in parameters[GIVEN.get(kind, 0) :] if p.name != "generator")
    return {p.name: p for p in own if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}


def bind(kind: str, asked: Named, part: Any) -> Any:
    """The part with the values that were asked for, as ``functools.partial``; itself if none were.

    Raises:
        UserError: it takes no such value; says what it takes.
    """
    if not asked.values and not asked.options:
        return part
    known = options_of(kind, part) if callable(part) else {}
    if not known:
        raise UserError(f"{asked.name!r} takes no values: write {asked.name}, not {asked.text}.")
    takes = ", ".join(
        name if p.default is p.empty else f"{name}={p.default}" for name, p in known.items()
    )
    more = "; several are joined by +" if kind == "penalties" else ""
    takes += ", every=1" if kind == "penalties" else ""
    given = dict(zip(known, asked.values, strict=False))
    if len(asked.values) > len(known):
        raise UserError(f"{asked.text!r} has too many values: {asked.name} takes {takes}{more}.")
    for name, value in asked.options.items():
        if name not in known or name in given:
            hint = did_you_mean(name, [*known, *(["every"] if kind == "penalties" else [])])
            what = "twice" if name in given else "which it has not"
            raise UserError(f"{asked.text!r} sets {name}, {what}.{hint} It takes {takes}.")
        given[name] = value
    typed = {name: _as_type(value, known[name].default) for name, value in given.items()}
    for name, value in typed.items():
        if value is None:
            noun = _NOUNS[type(known[name].default)]
            raise UserError(f"{asked.text!r}: {name} must be {noun}, not {given[name]!r}.")
    return functools.partial(part, **typed)


_NOUNS = {bool: "true or false", int: "a whole number", float: "a number"}


def _as_type(value: Any, default: Any) -> Any:
    """The value as the default's type has it, None if it is of another; of no default, itself."""
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, (int, float)):
        fits = isinstance(value, (int, type(default))) and not isinstance(value, bool)
        return type(default)(value) if fits else None
    return value
