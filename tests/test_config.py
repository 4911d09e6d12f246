"""Configurations: choices, bounds, and what is resolved."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import pytest
import typer
import yaml
from typer.testing import CliRunner

from gantools.cli.options import command
from gantools.config import Option, RunConfig, fields, make, plain, resolve
from gantools.errors import UserError
from gantools.runs.folder import Run


@dataclass(frozen=True, kw_only=True)
class Config(RunConfig):
    game: Annotated[Literal["chess", "go"], Option("What is played.")] = "chess"
    size: Annotated[Literal[32, 64, 128], Option("Width of a picture, in pixels.")] = 32
    half: Annotated[Literal[0.5, 1.0] | None, Option("A share.")] = None
    lr: Annotated[float | None, Option("Learning rate.", min=0)] = None
    cap: Annotated[float, Option("A limit; inf: none.", min=0, max=math.inf)] = 10.0
    free: Annotated[float, Option("Any number.")] = 0.0

    def resolved(self) -> Config:
        """What suits the game."""
        return replace(self, lr={"chess": 1.0, "go": 2.0}[self.game]) if self.lr is None else self


# -- choices that are numbers ---------------------------------------------------------------------


@pytest.fixture
def program() -> Callable[..., Any]:
    """Run a program with the configuration's options; what it got, or what it said."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    got: list[Config] = []
    app.command()(command(Config, lambda config, common: got.append(config)))

    def call(*arguments: str) -> Any:
        done = CliRunner().invoke(app, arguments, env={"COLUMNS": "200"})
        if isinstance(done.exception, UserError):
            raise done.exception
        return got.pop() if got else done.output

    return call


def test_choices_may_be_numbers(program, tmp_path):
    assert fields(Config)["size"].type is int
    assert fields(Config)["size"].choices == (32, 64, 128)
    assert make(Config, {"size": 64}).size == 64
    assert make(Config, {"half": 1}).half == 1.0
    (tmp_path / "options.yaml").write_text("size: 64\n")
    from_file = program("--config", str(tmp_path / "options.yaml"))
    assert type(from_file.size) is int
    assert from_file == program("--size", "64") == make(Config, {"size": 64})
    assert make(Config, yaml.safe_load(yaml.safe_dump(plain(from_file)))) == from_file
    assert "32|64|128" in program("--help")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 65}, "'size' is one of 32, 64, 128, not 65"),
        ({"size": "64"}, "'size' must be a whole number, not '64'"),
        ({"size": True}, "'size' must be a whole number, not True"),
        ({"half": 0.7}, "'half' is one of 0.5, 1.0, not 0.7"),
        ({"game": "ches"}, r"'game' is one of chess, go, not 'ches'. Did you mean 'chess'\?"),
    ],
)
def test_what_is_not_a_choice_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        make(Config, values)


def test_the_command_line_refuses_what_is_not_a_choice(program):
    assert "'65' is not one of '32', '64', '128'" in program("--size", "65")


@pytest.mark.parametrize("kind", [Literal["a", 1], Literal[True, False], Literal[1, 2.0]])
def test_choices_of_several_types_are_refused(kind):
    @dataclass(frozen=True, kw_only=True)
    class Mixed(RunConfig):
        which: Annotated[Any, Option("Which.")] = 1

    Mixed.__annotations__["which"] = Annotated[kind, Option("Which.")]
    with pytest.raises(TypeError, match=r"Mixed\.which: choices are all text or all numbers"):
        fields(Mixed)


# -- numbers that are not finite ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lr", math.inf),
        ("lr", "inf"),
        ("lr", math.nan),
        ("free", math.inf),
        ("free", -math.inf),
        ("free", "nan"),
        ("cap", math.nan),
        ("cap", -math.inf),
    ],
)
def test_what_is_not_finite_is_refused(name, value):
    with pytest.raises(UserError, match=f"'{name}' must be a finite number, not -?(inf|nan)"):
        make(Config, {name: value})


def test_infinity_is_a_value_where_it_is_the_most_that_may_be(program):
    assert make(Config, {"cap": math.inf}).cap == math.inf
    assert make(Config, yaml.safe_load(yaml.safe_dump({"cap": math.inf}))).cap == math.inf
    assert program("--cap", "inf").cap == math.inf
    with pytest.raises(UserError, match="'cap' must be at least 0, not -1"):
        make(Config, {"cap": -1.0})
    with pytest.raises(UserError, match="'lr' must be a finite number"):
        program("--lr", "inf")


# -- what is resolved -----------------------------------------------------------------------------


def test_what_is_resolved_is_checked():
    @dataclass(frozen=True, kw_only=True)
    class Wrong(Config):
        def resolved(self) -> Wrong:
            return replace(self, lr=-1.0)

    assert resolve(Config(game="go")).lr == 2.0
    with pytest.raises(UserError, match="'lr' must be at least 0, not -1"):
        resolve(Wrong())


def test_a_run_keeps_what_was_asked_and_what_was_resolved(tmp_path):
    asked = make(Config, {"game": "go", "cap": math.inf})
    run = Run.create(tmp_path / "run", asked, {"application": "board"})
    kept = yaml.safe_load(run.config_file.read_text())
    assert make(Config, kept) == asked
    assert yaml.safe_load(run.resolved_file.read_text()) == {**kept, "lr": 2.0}
    assert run.config(Config) == resolve(asked)
    # Given to --config with another game, what suits that game is chosen anew.
    assert resolve(make(Config, {**kept, "game": "chess"})).lr == 1.0


def test_a_run_from_before_there_was_a_resolved_file_is_read(tmp_path):
    run = Run.create(tmp_path / "run", Config(game="go", lr=5.0), {"application": "board"})
    run.resolved_file.unlink()
    assert run.config(Config) == Config(game="go", lr=5.0)
    run.config_file.write_text("game: go\n")
    assert run.config(Config).lr == 2.0


def test_a_field_may_have_another_default_than_its_base_and_nothing_else_changes():
    @dataclass(frozen=True, kw_only=True)
    class Longer(Config):
        steps: int = 20_000
        lr: float = 0.1

    base, found = fields(Config), fields(Longer)
    assert list(found) == list(base)
    assert replace(found["steps"], default=10_000) == base["steps"]
    assert replace(found["lr"], default=None) == base["lr"]
    assert make(Longer, {}).steps == 20_000
    with pytest.raises(UserError, match="'steps' must be at least 1"):
        make(Longer, {"steps": 0})


def test_a_field_that_no_base_has_says_what_it_is():
    @dataclass(frozen=True, kw_only=True)
    class Bare(RunConfig):
        width: int = 3

    with pytest.raises(TypeError, match=r"Bare\.width needs Annotated"):
        fields(Bare)


def test_what_is_left_out_is_filled():
    assert Config(half=1.0).filled(half=0.5, lr=0.1) == Config(half=1.0, lr=0.1)
