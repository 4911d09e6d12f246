"""One training from configuration to run folder, and back: start, resume, load, evaluate."""

from __future__ import annotations

import errno
import json
import math
import shutil
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock, Timeout

from gantools.application import Application, Setting, Spec, Trained, locate
from gantools.config import RunConfig, fields, resolve
from gantools.engine import Observer, Trainer
from gantools.engine.trainer import seed_everything, seeded
from gantools.engine.watcher import Trouble, TroubleError, Watcher
from gantools.errors import NonFiniteError, Note, UserError
from gantools.plugins import Plugins
from gantools.runs.checkpoint import BrokenCheckpoint, Checkpoints, load_state
from gantools.runs.folder import Run, refuse_existing, write_aside
from gantools.runs.progress import ProgressBar
from gantools.runs.recorder import Recorder
from gantools.runs.troubles import keep_undone

ROLLBACKS = 3
"""How often one training may go back to its last checkpoint before it gives up."""


def start(
    spec: Spec,
    config: RunConfig,
    plugins: Plugins,
    *,
    out: Path | None = None,
    command: str = "",
    progress: bool = True,
    observers: Sequence[Observer] = (),
) -> Run:
    """Train an application into a new run folder.

    The data and the game are made before the folder, and a folder whose first turn cannot be played
    is taken away, so that bad input leaves nothing behind.

    Raises:
        UserError: bad input, a full disk, or a loss that stopped being finite.
    """
    if out is not None:
        refuse_existing(out)
    session = Session(spec, config, plugins)
    fabric = session.trainer.fabric
    with full_disk_is_said(out or Path("runs")):
        if fabric.is_global_zero:
            plugin = plugins.provider(spec)
            about = {
                "application": spec.name,
                "plugin": plugin and {"name": plugin.distribution, "version": plugin.version},
                "command": command,
            }
            run = Run.create(out, config, about)
            out = run.path
        path = fabric.broadcast(out)
        assert path is not None
        run = run if fabric.is_global_zero else Run.open(path)
        if fabric.is_global_zero:
            run.inputs.mkdir()
            session.application.keep_inputs(run.inputs)
        fabric.barrier()
        try:
            return session.play(run, session.watched(progress, observers))
        except _Unplayable:
            if fabric.is_global_zero:
                shutil.rmtree(run.path)  # nothing was learned
            raise


def resume(
    path: Path, plugins: Plugins, *, progress: bool = True, observers: Sequence[Observer] = ()
) -> Run:
    """Go on with an interrupted run from its newest whole checkpoint.

    Raises:
        UserError: not a run, its application is gone, or it is being trained right now.
    """
    run = Run.open(path)
    spec = _application_of(run, plugins)
    session = Session(spec, run.config(spec.config), plugins, inputs=run.inputs)
    with full_disk_is_said(path):
        return session.play(run, session.watched(progress, observers))


def load(
    path: Path, plugins: Plugins, *, which: str = "last", device: str | None = None
) -> Trained:
    """Load a run's trained game.

    Its weights are drawn before the checkpoint's take their place, and that is seeded; the
    process's random states and torch's threads are put back afterwards.

    Args:
        device: where to; None is where the run's configuration says that it be trained.
        which: the ``last`` checkpoint, or the ``best``.

    Raises:
        UserError: not a run, one without a whole checkpoint or, if the best is asked for, without
            one that was scored; or ``which`` is something else.
    """
    if which not in ("last", "best"):
        raise UserError(f"There is no checkpoint called {which!r}: it is last or best.")
    run = Run.open(path)
    spec = _application_of(run, plugins)
    config = run.config(spec.config)
    device = device or config.device
    with seeded(config.seed, config.threads):
        session = Session(spec, config, plugins, device=device, inputs=run.inputs, training=False)
        if which == "best" and Checkpoints(run.checkpoints).best() is None:
            raise UserError(
                f"No checkpoint of {path} was scored (--evaluate-every): take the last."
            )
        turn = session.take_up(run, which=which)
    if turn is None:
        raise UserError(f"{path} has no whole checkpoint: train it first, `{run.resume_command}`.")
    for module in session.game.modules():
        module.training = False
    return Trained(run, session.application, session.game, which, turn, session.seconds)


def _application_of(run: Run, plugins: Plugins) -> Spec:
    """The application that a run is of.

    Raises:
        UserError: it is not installed; says whose it was.
    """
    try:
        return plugins.application(run.manifest["application"])
    except UserError as error:
        made = run.manifest.get("plugin") or {}
        if plugins.get(run.manifest["application"]) is None and made.get("name"):
            raise UserError(
                f"{run.path} was made by {made['name']} {made['version']}, which is not installed: "
                f"gantools plugins install {made['name']}"
            ) from error
        raise


def evaluate(trained: Trained, plugins: Plugins) -> dict[str, Any]:
    """Judge a trained run on held-out data; of the last checkpoint write ``evaluation.json``.

    The evaluation is seeded and has the configuration's threads; the process's random states and
    torch's threads are put back afterwards.

    Returns:
        What the application found, with the seed, the checkpoint and turn that were judged and the
        seconds of training until then. Figures that are not finite are None.
    """
    application = trained.application
    config = application.config
    with full_disk_is_said(trained.run.path):
        with seeded(config.seed, config.threads):
            found = application.evaluate(trained)
        results = {
            **found,
            "seed": config.seed,
            "checkpoint": trained.checkpoint,
            "turn": trained.turn,
            "train_seconds": trained.seconds,
        }
        results = {name: _plain(name, value) for name, value in results.items()}
        text = json.dumps(results, indent=2, allow_nan=False) + "\n"
        if trained.checkpoint == "last":
            write_aside(trained.run.evaluation_file, text)
        turns = trained.run.manifest.get("turns", trained.turn)
        if trained.turn < turns and trained.checkpoint == "last":
            said = f"{trained.run.path} was trained for {trained.turn:,} of its {turns:,} turns"
            warnings.warn(said, Note, stacklevel=2)
    plugins.notify("evaluated", run=trained.run, results=results)
    return results


def _plain(name: str, value: Any) -> Any:
    """The same as JSON holds it: numbers of NumPy and torch too, None for what is not finite.

    Raises:
        TypeError: it is something else; names the figure.
    """
    if isinstance(value, Mapping):
        return {str(key): _plain(f"{name}.{key}", item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(name, item) for item in value]
    if isinstance(value, np.generic) or (isinstance(value, torch.Tensor) and value.numel() == 1):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise TypeError(
        f"evaluate() returned a {type(value).__name__} as {name!r}: figures are numbers and text"
    )


class Session:
    """An application, its game and its trainer, set up and ready to play or to be loaded."""

    def __init__(
        self,
        spec: Spec,
        config: RunConfig,
        plugins: Plugins,
        *,
        device: str | None = None,
        inputs: Path | None = None,
        training: bool = True,
    ) -> None:
        self.plugins = plugins
        self.config = config = resolve(config)
        for field in fields(type(config)).values():
            named = getattr(config, field.name)
            if field.option.part is not None and named is not None:
                setting = Setting(parts=plugins.part)  # raises if there is none
                if field.option.part == "penalties":
                    setting.penalties(named)
                else:
                    setting.part(field.option.part, named)
        torch.set_num_threads(config.threads)  # before weights are drawn: QR rounds by threads
        seed_everything(config.seed)
        self.application: Application[Any] = locate(spec.implementation)(config, inputs)
        self.trainer = Trainer(
            self.application.turns,
            solver=plugins.part("solvers", config.solver)(),
            seed=config.seed,
            accelerator=_accelerator(device or config.device),
            devices=1 if device else config.devices,
            strategy="auto" if device else config.strategy,
            accumulate=config.accumulate,
            precision="32-true" if device else config.precision,
            threads=config.threads,
        )
        if training and config.on_trouble != "off":
            self.trainer.watcher = Watcher(config.on_trouble, plugins.names("penalties"))
        fabric = self.trainer.fabric
        fabric.launch()
        rank, size, device = fabric.global_rank, fabric.world_size, str(fabric.device)
        setting = Setting(rank, size, device, plugins.part, training)
        with _bad_values_are_said(spec.name):
            self.game, data = self.application.build(setting)
        if data is not None and not hasattr(data, "state_dict"):
            said = "its data has no state_dict: a resumed run may see other batches"
            warnings.warn(f"{spec.name}: {said}", Note, stacklevel=2)
        with _bad_values_are_said(spec.name):
            self.trainer.setup(self.game, data)
        self.seconds = 0.0
        """Of training until the state that was taken up."""

    def take_up(self, run: Run, which: str = "last", below: int | None = None) -> int | None:
        """Load the newest whole checkpoint (or the best); return its turn, None if there is none.

        A torn or foreign one is reported and the one before it used. With ``below`` it is the
        newest from before that turn, or the oldest if there is none.
        """
        checkpoints = Checkpoints(run.checkpoints)
        turns = checkpoints.turns()[::-1]
        if below is not None:
            turns = [turn for turn in turns if turn < below] or turns[-1:]
        if which == "best" and (best := checkpoints.best()):
            turns = [best[0], *turns]
        rank = self.trainer.fabric.global_rank
        for turn in turns:
            path = checkpoints.path(turn)
            try:
                state = load_state(path, "state")
                process = load_state(path, f"process-{rank}")
            except BrokenCheckpoint as error:
                warnings.warn(f"{error}; using the checkpoint before it", Note, stacklevel=2)
                continue
            try:
                self.trainer.load_state_dict(state["trainer"], process)
            except (KeyError, RuntimeError, ValueError) as error:
                raise UserError(
                    f"{path} does not fit its run's configuration, or was written by another "
                    f"version of the plugin ({str(error).splitlines()[0]})."
                ) from error
            self.seconds = state["seconds"]
            return turn
        return None

    def watched(self, progress: bool, observers: Sequence[Observer]) -> list[Observer]:
        """The observers, and a progress bar before them if it is wanted."""
        application = self.application
        bar = ProgressBar(application.steps_per_turn, application.key_figures)
        return [bar, *observers] if progress else list(observers)

    def play(self, run: Run, observers: Sequence[Observer]) -> Run:
        """Train until the end, an interruption or a failure."""
        trainer, rank_zero = self.trainer, self.trainer.fabric.is_global_zero
        lock = FileLock(run.path / ".lock")
        busy = False
        if rank_zero:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                busy = True
        if trainer.fabric.broadcast(busy):
            raise UserError(f"{run.path} is being trained by another process: let it end.")
        try:
            trouble: Trouble | None = None
            for rollback in range(ROLLBACKS + 1):
                self.seconds = 0.0
                turn = self.take_up(run, below=None if trouble is None else trouble.since)
                if trouble is not None and rank_zero:
                    keep_undone(run, trouble, turn or 0)
                trouble = None
                if turn is None:
                    self.application.warm_start(self.game)
                    for player in self.game.players.values():
                        player.start()
                if rollback:  # the same random numbers would lead to the same failure
                    trainer.reseed(self.config.seed + 7919 * rollback)
                recorder = Recorder(self, run)
                trainer.observers = [recorder, *observers]
                try:
                    with _stop_on_signal(trainer), _impossible_starts_are_said(trainer):
                        trainer.fit(self.game)
                    self.say_why_stopped(run)
                    return run
                except TroubleError as error:
                    trouble = error.trouble
                    recorder.keep_troubles(trainer)
                    if rollback == ROLLBACKS:
                        raise UserError(
                            f"{error} Going back {ROLLBACKS} times has not helped "
                            f"(--on-trouble rollback). The run is in {run.path}."
                        ) from None
                    warnings.warn(f"{error} Going back to before it.", Note, stacklevel=2)
                except NonFiniteError as error:
                    cure = "try a smaller learning rate or --on-non-finite rollback"
                    if self.config.on_non_finite == "stop" or rollback == ROLLBACKS:
                        raise UserError(f"{error}; {cure}. The run is in {run.path}.") from None
                    warnings.warn(f"{error}; going back to the last checkpoint", Note, stacklevel=2)
            raise AssertionError("unreachable")
        finally:
            lock.release()

    def say_why_stopped(self, run: Run) -> None:
        """If the watcher has stopped the run before its end, say why and how to go on.

        Raises:
            UserError: it has.
        """
        trainer = self.trainer
        trouble = trainer.watcher and trainer.watcher.stopped_by
        if trouble and trainer.turn < trainer.turns:
            raise UserError(
                f"{trouble} The run has stopped there (--on-trouble stop); to go on all the same: "
                f"{run.resume_command}"
            )


@contextmanager
def _stop_on_signal(trainer: Trainer) -> Iterator[None]:
    """On the first Ctrl-C (or SIGTERM) end after the present turn; a second one ends at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> None:
        if trainer.should_stop:
            raise KeyboardInterrupt
        trainer.should_stop = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _bad_values_are_said(name: str) -> Iterator[None]:
    """Turn a ValueError (a batch larger than the data, a noise below zero, …) into a UserError."""
    try:
        yield
    except ValueError as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"{name}: {said}.") from error


class _Unplayable(UserError):
    """The first turn cannot be played."""


@contextmanager
def _impossible_starts_are_said(trainer: Trainer) -> Iterator[None]:
    """Turn what ends the first turn of a process, for parts do not go together or the memory is too
    small, into a UserError."""
    began = trainer.turn
    try:
        yield
    except torch.OutOfMemoryError as error:
        said = (
            "The device's memory is too small for this batch: take a smaller one, or --accumulate."
        )
        raise (UserError if trainer.turn > began else _Unplayable)(said) from error
    except ValueError as error:
        if trainer.turn > began:
            raise
        said = " ".join(str(error).split()).rstrip(".")
        raise _Unplayable(f"The first turn cannot be played: {said}.") from error


@contextmanager
def full_disk_is_said(path: Path) -> Iterator[None]:
    """Turn the disk's being full into a UserError that names ``path``."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise UserError(
            f"No space left for {path}: free some, then go on from the last whole checkpoint "
            f"with `gantools resume`."
        ) from None


def _accelerator(device: str) -> str:
    """Fabric's name for ``device``, checked.

    Raises:
        UserError: this machine has no such device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(device, True):
        raise UserError(f"This machine has no {device} device that torch can use: --device cpu.")
    if device == "auto" and available["mps"] and not available["cuda"]:
        return "cpu"  # not all that plugins need runs there: it is taken only when asked for
    return device
