"""What a training writes down as it goes: the run folder's rows, checkpoints and status."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gantools.engine import Observer, Trainer
from gantools.runs.checkpoint import Checkpoints, save_state
from gantools.runs.folder import Run
from gantools.runs.metrics import Metrics
from gantools.runs.troubles import keep

if TYPE_CHECKING:
    from gantools.runs.session import Session


class Recorder(Observer):
    """Writes down what happens: metrics, short evaluations, checkpoints, the manifest's status."""

    def __init__(self, session: Session, run: Run) -> None:
        self.session, self.run = session, run
        self.config, self.plugins = session.config, session.plugins
        self.active = session.trainer.fabric.is_global_zero
        self.checkpoints = Checkpoints(run.checkpoints, session.config.keep)
        self.saved = -1
        self.troubles = -1
        self.score: float | None = None

    def training_began(self, trainer: Trainer) -> None:
        """Open the metrics; write the first checkpoint of a new training."""
        self.seconds, self.began = self.session.seconds, time.monotonic()
        if self.active:
            self.checkpoints.forget_after(trainer.turn)
            self.metrics = Metrics(self.run.metrics_file, self.run.events, trainer.turn)
            self.run.update(status="running", turns=self.session.application.turns)
            self.keep_troubles(trainer)
            self.plugins.notify("run_began", run=self.run)
        if trainer.turn == 0:
            self.save(trainer)
        self.saved = trainer.turn

    def turn_ended(self, trainer: Trainer, figures: Mapping[str, Any]) -> None:
        """Write what is due: a row, a short evaluation, a checkpoint."""
        turn, config = trainer.turn, self.config
        self.keep_troubles(trainer)
        row: dict[str, float] = {}
        if self.due(config.log_every, turn):
            row = {name: float(value) for name, value in figures.items()}
        if self.active:
            self.plugins.notify(
                "turn_ended", run=self.run, turn=turn, figures=MappingProxyType(dict(figures))
            )
        self.score = None
        evaluated = config.evaluate_every > 0 and self.due(config.evaluate_every, turn)
        if evaluated and (self.active or trainer.sharded):  # sharded players are asked by all
            with trainer.evaluating():
                validated = self.session.application.validate(self.session.game)
                with self.samples() as folder:
                    self.session.application.snapshot(self.session.game, folder, turn)
            self.score = validated.get("score")
            row |= {f"evaluation/{name}": float(value) for name, value in validated.items()}
        if row and self.active:
            self.metrics.add(turn, row)
            self.plugins.notify(
                "figures_recorded", run=self.run, turn=turn, figures=MappingProxyType(row)
            )
        best = self.active and self.score is not None and self.is_best(self.score)
        if evaluated:
            best = trainer.fabric.broadcast(best)
        if best or self.due(config.checkpoint_every, turn):
            self.save(trainer)

    @contextmanager
    def samples(self) -> Iterator[Path]:
        """Where this process puts snapshots: the run's samples, what others make is thrown away."""
        if self.active:
            yield self.run.samples
            return
        with TemporaryDirectory() as folder:
            yield Path(folder)

    def keep_troubles(self, trainer: Trainer) -> None:
        """Write down what the watcher has seen since the last time, or that it watches."""
        watcher = trainer.watcher
        if self.active and watcher is not None and len(watcher.troubles) != self.troubles:
            keep(self.run, watcher.troubles)
            self.troubles = len(watcher.troubles)

    def due(self, every: int, turn: int) -> bool:
        """Whether a multiple of ``every`` steps was reached in the turn just played, or the end."""
        steps = self.session.application.steps_per_turn
        return (
            turn * steps // every > (turn - 1) * steps // every
            or turn == self.session.trainer.turns
        )

    def is_best(self, score: float) -> bool:
        """Whether no checkpoint has a score as high."""
        best = self.checkpoints.best()
        return best is None or score > best[1]

    def training_ended(self, trainer: Trainer, error: BaseException | None) -> None:
        """Write the last checkpoint, and how it ended."""
        status = "finished" if trainer.turn == trainer.turns else "interrupted"
        if error is not None:
            status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        elif self.saved != trainer.turn:
            self.save(trainer)
        seconds = round(self.elapsed(), 3)
        ended = {"status": status, "turn": trainer.turn, "train_seconds": seconds}
        self.run.manifest |= ended
        if self.active:
            self.metrics.close()
            try:
                self.run.update(**ended)
            except OSError:
                if error is None:
                    raise
            self.plugins.notify("run_ended", run=self.run, status=status)

    def elapsed(self) -> float:
        """Seconds of training, all processes of this run's history together."""
        return self.seconds + time.monotonic() - self.began

    def save(self, trainer: Trainer) -> None:
        """Write a checkpoint: shared state by the first process, random states by each."""
        fabric, turn = trainer.fabric, trainer.turn
        begun = self.checkpoints.begin(turn) if self.active else None
        aside = fabric.broadcast(begun)
        assert aside is not None
        try:
            save_state(trainer.process_state_dict(), aside, f"process-{fabric.global_rank}")
            state = {"trainer": trainer.state_dict(), "seconds": self.elapsed()}
            if self.active:
                save_state(state, aside, "state")
            fabric.barrier()
            if self.active:
                self.metrics.sync()
                path = self.checkpoints.commit(turn, self.score)
                self.plugins.notify("checkpoint_saved", run=self.run, turn=turn, path=path)
        except OSError:
            self.checkpoints.discard(turn)
            raise
        self.saved = turn
