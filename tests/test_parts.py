"""Parts by name with their values, as options name them, and what ``gantools show`` says of them."""

from __future__ import annotations

import re

import pytest
import torch

from gantools import Setting
from gantools.cli.parts import about
from gantools.engine import Turn
from gantools.errors import UserError
from gantools.parts import parse, parse_several
from gantools.plugins import KINDS, Plugins

PARTS = Plugins(installed=False)
SETTING = Setting(parts=PARTS.part)
W = torch.tensor([3.0, -4.0], requires_grad=True)  # ‖w‖ = 5


def linear(x):
    return x @ W


def turn(step):
    return Turn(step, 100, torch.device("cpu"), torch.Generator().manual_seed(0))


def test_values_are_numbers_truths_or_text():
    asked = parse("some:0.5,3,k=1e-3,deep=true,inner=optimistic")
    assert asked.name == "some"
    assert asked.values == (0.5, 3)
    assert asked.options == {"k": 1e-3, "deep": True, "inner": "optimistic"}


def test_several_are_joined_by_plus_even_where_numbers_have_one():
    assert [a.text for a in parse_several("r1:1e+2+r2:0.1 + ct")] == ["r1:1e+2", "r2:0.1 ", " ct"]
    assert parse_several("none") == []
    assert [a.name for a in parse_several("none+r1")] == ["r1"]


def test_penalties_have_their_weights_and_intervals():
    penalties = SETTING.penalties("r1:0.2,every=3+r2:0.4")
    x = torch.randn(5, 2)
    due, not_due = (penalties(turn(step), linear, x, x) for step in (2, 3))  # the third turn, …
    assert due["r1"].item() == pytest.approx(3 * 0.1 * 25)
    assert due["r2"].item() == pytest.approx(0.2 * 25)
    assert list(not_due) == ["r2"]
    assert SETTING.penalties("none")(turn(0), linear, x, x) == {}


def test_solvers_and_objectives_take_values():
    assert PARTS.part("solvers", "consensus:0.3")().gamma == 0.3
    lookahead = PARTS.part("solvers", "lookahead:k=7,inner=extragradient")()
    assert (lookahead.k, type(lookahead.inner).__name__) == (7, "Extragradient")
    one = torch.ones(3)
    smoothed = PARTS.part("objectives", "label-smoothing:0.7").discriminator(one, one)
    plain = PARTS.part("objectives", "non-saturating").discriminator(one, one)
    assert smoothed.item() == pytest.approx(
        plain.item() + 0.3
    )  # (1 − α)(sp(r) − sp(−r)) = (1 − α) r


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("penalties", "r3", "no penalty 'r3'."),
        ("penalties", "r1:big", "weight must be a number, not 'big'"),
        (
            "penalties",
            "r1:1,2",
            "too many values: r1 takes weight=1.0, every=1; several are joined",
        ),
        ("penalties", "r1:1,evry=2", "sets evry, which it has not. Did you mean 'every'?"),
        ("penalties", "r1:-1", "the weight is a number from 0, not -1.0"),
        ("penalties", "r1:nan", "the weight is a number from 0, not nan"),
        ("penalties", "r1:1,weight=2", "sets weight, twice"),
        ("penalties", "r1:weight=1,weight=2", "sets weight twice"),
        ("penalties", "r1:wieght=2", "sets wieght, which it has not. Did you mean 'weight'?"),
        ("penalties", "r1:=2", "is not NAME, NAME:VALUE"),
        ("penalties", "r1:every=2,3", "is not NAME, NAME:VALUE"),
        ("penalties", "r1:every=0.5", "whole number of turns"),
        ("objectives", "hinge:2", "'hinge' takes no values"),
        ("objectives", "label-smoothing:3", "alpha"),
        ("solvers", "lookahead:k=1.5", "k must be a whole number, not 1.5"),
        ("solvers", "consensus:-1", "gamma must be at least 0"),
        ("solvers", "lookahead:inner=nothing", "inner is one of"),
    ],
)
def test_what_cannot_be_is_said(kind, text, said):
    make = {"penalties": SETTING.penalties, "solvers": lambda text: PARTS.part(kind, text)()}
    with pytest.raises(UserError, match=re.escape(said)):
        make.get(kind, lambda text: PARTS.part(kind, text))(text)


@pytest.mark.parametrize(
    "kind", ["objectives", "penalties", "constraints", "augmentations", "solvers"]
)
def test_every_part_says_its_formula_or_source(kind):
    names = PARTS.names(kind)
    assert names
    for name in names:
        found = about(PARTS, kind, name)
        text = " ".join(found.get(key, "") for key in ("formula", "source", "about"))
        assert len(text) > 60, name
        if kind == "objectives":
            assert found["formula"], name
            assert any(year in found["source"] for year in ("20", "19")), name
        elif kind in ("penalties", "constraints", "augmentations"):
            assert "20" in text, f"{name} names no source"


def test_kinds_are_known_by_one_and_many():
    assert about(PARTS, "penalty", "r1") == about(PARTS, "penalties", "r1")
    assert about(PARTS, "data", "ring")["kind"] == "data source"
    assert about(PARTS, "solver", "consensus:0.5")["values"] == {"gamma": 0.5}
    assert about(PARTS, "penalty", "r1:2,every=4")["values"] == {"weight": 2.0, "every": 4}
    with pytest.raises(UserError, match="weight must be a number, not 'abc'"):
        about(PARTS, "penalty", "r1:abc")
    with pytest.raises(UserError, match=r"no kind of part called 'objectiv'\. Did you mean"):
        about(PARTS, "objectiv", "hinge")
    assert len(KINDS) == 8
