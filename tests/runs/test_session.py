"""What a session does with snapshots where players are sharded."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantools.runs.recorder import Recorder


class Application:
    steps_per_turn = 1

    def __init__(self) -> None:
        self.folders: list[Path] = []

    def validate(self, game: Any) -> dict[str, float]:
        return {"score": 1.0}

    def snapshot(self, game: Any, folder: Path, turn: int) -> None:
        (folder / f"turn-{turn:07d}.png").write_bytes(b"a picture")
        self.folders.append(folder)


@contextmanager
def evaluating():
    yield


def snapshot(rank: int, sharded: bool, folder: Path) -> list[Path]:
    """Play one turn's evaluation as process ``rank``; the folders that snapshots were put in."""
    application = Application()
    fabric = SimpleNamespace(is_global_zero=rank == 0, broadcast=lambda value: value)
    trainer: Any = SimpleNamespace(
        fabric=fabric, turn=1, turns=9, sharded=sharded, watcher=None, evaluating=evaluating
    )
    config = SimpleNamespace(evaluate_every=1, log_every=100, checkpoint_every=100, keep=1)
    notify = SimpleNamespace(notify=lambda *_, **__: None)
    session: Any = SimpleNamespace(
        trainer=trainer, application=application, config=config, plugins=notify, game=None
    )
    run: Any = SimpleNamespace(samples=folder, checkpoints=folder / "checkpoints")
    recorder = Recorder(session, run)
    recorder.is_best = lambda score: False  # type: ignore[method-assign]
    recorder.metrics = SimpleNamespace(add=lambda *_: None)  # type: ignore[assignment]
    recorder.turn_ended(trainer, {})
    return application.folders


@pytest.mark.parametrize(("rank", "sharded"), [(0, False), (0, True)])
def test_the_first_process_keeps_its_snapshots(rank, sharded, tmp_path):
    assert snapshot(rank, sharded, tmp_path) == [tmp_path]
    assert (tmp_path / "turn-0000001.png").is_file()


def test_the_others_make_them_where_players_are_sharded_and_they_are_thrown_away(tmp_path):
    (folder,) = snapshot(1, True, tmp_path)
    assert folder != tmp_path
    assert not folder.exists()
    assert list(tmp_path.iterdir()) == []
    assert snapshot(1, False, tmp_path) == []
