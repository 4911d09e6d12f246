"""Progress of a training: a bar on a terminal, plain lines where the output is piped."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from gantools.engine import Observer, Trainer


class ProgressBar(Observer):
    """Shows steps, steps a second, the time left, and the application's key figures.

    Args:
        steps_per_turn: how many steps the user counts in one turn.
        figures: which of the logged figures to show; missing ones are left out.
        every: seconds between plain lines.
    """

    def __init__(
        self, steps_per_turn: int = 1, figures: tuple[str, ...] = (), every: float = 10.0
    ) -> None:
        self.steps_per_turn, self.figures, self.every = steps_per_turn, figures, every
        self.shown: dict[str, float] = {}

    def training_began(self, trainer: Trainer) -> None:
        """Start the clock, and the bar where there is a terminal."""
        self.began, self.first = time.monotonic(), trainer.turn
        self.drawn = self.began
        self.bar: Progress | None = None
        if not trainer.fabric.is_global_zero:
            self.every = float("inf")
            return
        console = Console(stderr=True)
        if console.is_terminal:
            self.bar = Progress(
                BarColumn(),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
                TextColumn("{task.fields[rate]} steps/s"),
                TimeRemainingColumn(),
                TextColumn("{task.fields[shown]}"),
                console=console,
            )
            total = trainer.turns * self.steps_per_turn
            self.task = self.bar.add_task("", total=total, rate="…", shown="")
            self.bar.start()

    def turn_ended(self, trainer: Trainer, figures: Mapping[str, Any]) -> None:
        """Show where the training is, if the last time is long enough ago."""
        now = time.monotonic()
        last = trainer.turn == trainer.turns
        if not last and now - self.drawn < (0.2 if self.bar else self.every):
            return
        if self.every == float("inf"):
            return
        self.drawn = now
        short = [name.split("/")[-1] for name in self.figures]
        names = short if len(set(short)) == len(short) else self.figures
        pairs = zip(names, self.figures, strict=True)
        self.shown |= {name: float(figures[figure]) for name, figure in pairs if figure in figures}
        shown = "  ".join(f"{name} {value:.4g}" for name, value in self.shown.items())
        rate = (trainer.turn - self.first) * self.steps_per_turn / max(now - self.began, 1e-9)
        done = trainer.turn * self.steps_per_turn
        total = trainer.turns * self.steps_per_turn
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"
        if self.bar is not None:
            self.bar.update(self.task, completed=done, rate=speed, shown=shown)
        else:
            left = timedelta(seconds=round((total - done) / max(rate, 1e-9)))
            line = f"{done:,}/{total:,} steps  {speed} steps/s  {left} left  {shown}"
            print(line, file=sys.stderr, flush=True)

    def training_ended(self, trainer: Trainer, error: BaseException | None) -> None:
        """Take the bar down."""
        if self.bar is not None:
            self.bar.stop()


def say(stage: str) -> None:
    """Say what is being done where no bar can, such as before the first turn."""
    Console(stderr=True, highlight=False).print(f"{stage} …", style="dim")
