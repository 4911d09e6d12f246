"""Schedules at the points where they are known."""

import pytest

from gantools.schedules import cosine


def test_cosine():
    assert cosine(0) == 0.02
    assert cosine(0.5) == pytest.approx(0.5)
    assert cosine(1) == pytest.approx(0)
    rates = [cosine(p / 100) for p in range(4, 101)]
    assert rates == sorted(rates, reverse=True)
