"""The metrics table: columns as they appear, torn rows dropped, a resume repeats no row."""

from __future__ import annotations

from gantools.runs.metrics import Metrics, read, series


def test_new_figures_get_a_column(tmp_path):
    table = tmp_path / "metrics.csv"
    metrics = Metrics(table, None)
    metrics.add(1, {"a": 1})
    metrics.add(2, {"a": 2.5, "b": float("nan")})
    assert table.read_text() == "turn,a,b\n1,1.0,\n2,2.5,nan\n"
    assert series(read(table), "b") == ([], [])
    assert series(read(table), "a") == ([1, 2], [1.0, 2.5])


def test_a_resume_leaves_the_table_as_if_nothing_had_happened(tmp_path):
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    for table, upto in ((whole, 6), (cut, 5)):
        metrics = Metrics(table, None)
        for turn in range(1, upto):
            metrics.add(turn, {"a": turn / 3, **({"late": 0.1} if turn > 2 else {})})
    cut.write_text(cut.read_text()[:-4])  # killed while it wrote
    metrics = Metrics(cut, None, turn=2)
    for turn in range(3, 6):
        metrics.add(turn, {"a": turn / 3, "late": 0.1})
    assert cut.read_bytes() == whole.read_bytes()


def test_events_are_written(tmp_path):
    metrics = Metrics(tmp_path / "metrics.csv", tmp_path / "events")
    metrics.add(1, {"a": 1.0})
    metrics.close()
    assert list((tmp_path / "events").glob("events.out.tfevents.*"))
