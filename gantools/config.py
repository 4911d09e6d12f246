"""Typed configuration: a frozen dataclass of annotated fields.

The same fields become command-line options, YAML, defaults and the manifest. This module imports
the standard library only, for plugins import it when ``gantools --help`` runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from gantools.errors import UserError, did_you_mean

C = TypeVar("C", bound="RunConfig")


@dataclass(frozen=True)
class Option:
    """What a field says of itself beyond its type: ``Annotated[int, Option("help", min=1)]``.

    Attributes:
        help: one sentence, with the unit.
        min: least value of a number (for floats too).
        max: greatest value of a number; ``inf`` is a value only where this is ``math.inf``.
        part: the text names a part of this kind ("objectives", "penalties", "constraints",
            "augmentations", "solvers", "metrics", "data" or "bonuses"), or several penalties;
            one that is not there is refused before anything is made.
    """

    help: str
    min: float | None = None
    max: float | None = None
    part: str | None = None


@dataclass(frozen=True)
class Field:
    """A configuration field, taken apart.

    Attributes:
        type: bool, int, float, str or Path.
        choices: the values of a ``Literal``, all strings or all numbers of one type; else empty.
        optional: whether None is a value.
    """

    name: str
    type: type
    option: Option
    choices: tuple[Any, ...]
    optional: bool
    default: Any


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What every application's training can be told; applications inherit and add their own."""

    steps: Annotated[int, Option("How many turns of the game to play.", min=1)] = 10_000
    seed: Annotated[int, Option("Seed of every random state.", min=0, max=9_999)] = 0
    device: Annotated[
        Literal["auto", "cpu", "cuda", "mps"], Option("Where to train: auto takes a GPU if any.")
    ] = "auto"
    devices: Annotated[int, Option("How many processes, one a device.", min=1)] = 1
    strategy: Annotated[
        Literal["auto", "ddp", "fsdp"],
        Option("Of several processes: each holds all weights (ddp), or its share of them (fsdp)."),
    ] = "auto"
    accumulate: Annotated[
        int, Option("Batches that the gradient of one move is the mean of.", min=1)
    ] = 1
    precision: Annotated[
        Literal["32-true", "bf16-mixed"],
        Option("Arithmetic: bf16-mixed pays on recent GPUs, and on CPUs with avx512_bf16."),
    ] = "32-true"
    threads: Annotated[int, Option("torch's threads in a process.", min=1)] = 1
    solver: Annotated[
        str,
        Option("How moves are made: alternating, extragradient, …: gantools parts", part="solvers"),
    ] = "alternating"
    log_every: Annotated[int, Option("Steps between rows of the metrics table.", min=1)] = 50
    checkpoint_every: Annotated[int, Option("Steps between checkpoints.", min=1)] = 500
    keep: Annotated[int, Option("How many of the newest checkpoints to keep.", min=1)] = 3
    evaluate_every: Annotated[
        int, Option("Steps between short evaluations, and pictures; 0: none.", min=0)
    ] = 0
    on_non_finite: Annotated[
        Literal["stop", "rollback"],
        Option("A loss or gradient is not finite: stop, or go back to the last checkpoint."),
    ] = "stop"
    on_trouble: Annotated[
        Literal["say", "stop", "rollback", "off"],
        Option("A game goes wrong: say so, stop, or go back to a checkpoint; off: nobody watches."),
    ] = "say"

    def resolved(self: C) -> C:
        """The same with what was left out filled in by what suits the rest.

        A field that is None because its value depends on another (a learning rate on the game) gets
        it here, so that a run's ``resolved.yaml`` says all that it was made with. What is resolved
        already stays as it is. What is returned is checked as what was asked is
        (:func:`resolve`).
        """
        return self

    def filled(self: C, **values: Any) -> C:
        """The same with these values where a field is None."""
        missing = {name: value for name, value in values.items() if getattr(self, name) is None}
        return dataclasses.replace(self, **missing)


def fields(config: type[RunConfig]) -> dict[str, Field]:
    """Take a configuration class apart, field by field, in the order of declaration.

    A field that only has another default than its base's, ``steps: int = 2_000``, is what the base
    says of it.

    Raises:
        TypeError: a field has no :class:`Option`, or a type that cannot be an option.
    """
    hints: dict[str, Any] = {}
    for base in reversed(config.__mro__):
        own = typing.get_type_hints(base, include_extras=True)
        hints |= {name: own[name] for name in own if name not in hints or _option(own[name])}
    found = {}
    for field in dataclasses.fields(config):
        hint = hints[field.name]
        option = _option(hint)
        if option is None:
            raise TypeError(
                f"{config.__name__}.{field.name} needs Annotated[type, Option(help)], such as "
                'Annotated[float, Option("Learning rate.", min=0)]'
            )
        if not option.help.strip():
            raise TypeError(f"{config.__name__}.{field.name} says nothing of itself: Option(help)")
        kind, optional = hint.__origin__, False
        choices: tuple[Any, ...] = ()
        if typing.get_origin(kind) in (types.UnionType, typing.Union):
            kind, *rest = [part for part in typing.get_args(kind) if part is not type(None)]
            optional = True
            if rest:
                raise TypeError(f"{config.__name__}.{field.name}: only `X | None` unions work")
        if typing.get_origin(kind) is Literal:
            choices = typing.get_args(kind)
            kind = type(choices[0])
            if kind not in (int, float, str) or any(type(choice) is not kind for choice in choices):
                raise TypeError(
                    f"{config.__name__}.{field.name}: choices are all text or all numbers of one "
                    "type"
                )
        if kind not in (bool, int, float, str, Path):
            raise TypeError(f"{config.__name__}.{field.name}: {kind} cannot be an option")
        if field.default is dataclasses.MISSING:
            raise TypeError(f"{config.__name__}.{field.name} needs a default")
        found[field.name] = Field(field.name, kind, option, choices, optional, field.default)
    return found


def _option(hint: Any) -> Option | None:
    return next((o for o in getattr(hint, "__metadata__", ()) if isinstance(o, Option)), None)


def make(config: type[C], values: Mapping[str, Any], source: str = "option") -> C:
    """Build a configuration from plain values, checking names, types and ranges.

    Args:
        values: by field name; what is absent keeps its default.
        source: what the values are called in messages, such as "the key in run.yaml".

    Raises:
        UserError: an unknown name, a value of the wrong type or out of range.
    """
    known = fields(config)
    checked = {}
    for name, value in values.items():
        if name not in known:
            hint = did_you_mean(name, known) or " Known: " + ", ".join(known) + "."
            raise UserError(f"Unknown {source} {name!r}.{hint}")
        checked[name] = _check(known[name], value, source)
    return config(**checked)


def resolve(config: C) -> C:
    """Return ``config.resolved()``, checked.

    Raises:
        UserError: it has a value of the wrong type or out of range.
    """
    return make(type(config), vars(config.resolved()), "resolved option")


def _check(field: Field, value: Any, source: str) -> Any:
    said = f"The {source} {field.name!r}"
    if value is None:
        if field.optional:
            return None
        raise UserError(f"{said} cannot be empty: give it a value or leave it out.")
    if field.type is float and isinstance(value, (int, str)) and not isinstance(value, bool):
        with contextlib.suppress(ValueError):
            value = float(value)  # YAML reads 1e-4 as a string
    if field.type is Path and isinstance(value, str):
        value = Path(value)
    if not isinstance(value, field.type) or (isinstance(value, bool) and field.type is not bool):
        raise UserError(f"{said} must be {_noun(field.type)}, not {value!r}.")
    if field.choices and value not in field.choices:
        known = [str(choice) for choice in field.choices]
        hint = did_you_mean(value, known) if isinstance(value, str) else ""
        raise UserError(f"{said} is one of {', '.join(known)}, not {value!r}.{hint}")
    low, high = field.option.min, field.option.max
    if isinstance(value, float) and not math.isfinite(value) and value not in (low, high):
        raise UserError(f"{said} must be a finite number, not {value!r}.")
    number: Any = value
    if (low is not None and not number >= low) or (high is not None and not number <= high):
        bounds = " and ".join(
            f"{word} {bound:g}"
            for word, bound in (("at least", low), ("at most", high))
            if bound is not None and math.isfinite(bound)
        )
        raise UserError(f"{said} must be {bounds}, not {value!r}.")
    return value


def _noun(kind: type) -> str:
    nouns = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path"}
    return nouns.get(kind, "text")


def plain(config: RunConfig) -> dict[str, Any]:
    """Return the configuration as plain values, as YAML and JSON hold them."""
    values = dataclasses.asdict(config)
    return {k: str(v) if isinstance(v, Path) else v for k, v in values.items()}


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file of one mapping.

    Raises:
        UserError: no such file, not YAML, or not a mapping.
    """
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"Cannot read the configuration file {path}: {error.strerror}.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" (line {line + 1})"
        raise UserError(f"The configuration file {path} is not valid YAML{where}.") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UserError(f"The configuration file {path} must hold one `option: value` a line.")
    return values
