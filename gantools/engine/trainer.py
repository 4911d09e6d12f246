"""The trainer: plays a game on hardware, turn by turn. The one place where time goes by."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.utilities import move_data_to_device

from gantools.engine.game import Game
from gantools.engine.player import Player
from gantools.engine.solver import Alternating, Solver
from gantools.engine.turn import Turn
from gantools.engine.watcher import Watcher
from gantools.errors import UserError

PRECISIONS = ("32-true", "bf16-mixed")
"""16-mixed is left out: loss scaling and penalties on gradients do not go together."""


class Observer:
    """Hears what happens in a training. Every method may be left out; none may change the game."""

    def training_began(self, trainer: Trainer) -> None:
        """Before the first turn of this process, players set up and any state taken up."""

    def turn_ended(self, trainer: Trainer, figures: Mapping[str, Any]) -> None:
        """After every turn. ``figures`` are what was logged: floats, or tensors on the device."""

    def training_ended(self, trainer: Trainer, error: BaseException | None) -> None:
        """After the last turn, or when an exception (KeyboardInterrupt too) ends the training."""


class Trainer:
    """Plays a game for some turns.

    It may be used again: for another game, or with other data, a new training begins.

    Args:
        turns: how many turns to play in all; a resumed training plays what is left of them.
        solver: in which order moves are worked out and made: an object, such as
            :class:`gantools.engine.Extragradient`; None alternates.
        seed: of Python's, NumPy's and torch's random states, and of ``turn.generator``.
        accelerator: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``: Fabric's accelerator.
        devices: how many processes, one a device.
        strategy: ``"ddp"`` keeps every player whole in each process, ``"fsdp"`` spreads its
            parameters over them; ``"auto"`` is one process or ddp. Any other is Fabric's.
        precision: ``"32-true"``, or ``"bf16-mixed"`` on hardware that has it.
        accumulate: how many batches the gradient of one move is the mean of.
        channels_last: keep convolutions in the channels-last memory format, which is faster.
        check_finite: look at every loss and gradient, and stop at the first that is not finite.
        threads: torch's threads within a process; None leaves torch's own choice. Small networks
            want one.
        observers: told of every turn, in this order.
        watcher: says what goes wrong in the game; None lets nobody watch.

    Raises:
        TypeError: the solver is no object.
        ValueError: a precision that is not supported.

    Example:
        >>> Trainer(turns=1000).fit(game, data)
    """

    def __init__(
        self,
        turns: int,
        *,
        solver: Solver | None = None,
        seed: int = 0,
        accelerator: str = "auto",
        devices: int = 1,
        strategy: str = "auto",
        precision: str = "32-true",
        accumulate: int = 1,
        channels_last: bool = True,
        check_finite: bool = True,
        threads: int | None = None,
        observers: Sequence[Observer] = (),
        watcher: Watcher | None = None,
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"precision is one of {', '.join(PRECISIONS)}, not {precision!r}")
        if isinstance(solver, (str, type)):
            raise TypeError(f"solver is an object, such as Extragradient(), not {solver!r}")
        self.turns = turns
        self.solver = solver or Alternating()
        self.seed = seed
        self.accumulate = accumulate
        self.channels_last = channels_last
        self.check_finite = check_finite
        self.threads = threads
        self.observers = list(observers)
        self.watcher = watcher
        self.sharded = strategy == "fsdp"
        self.fabric = Fabric(
            accelerator=accelerator,
            devices=devices,
            strategy="ddp" if self.sharded else strategy,
            precision=precision,  # type: ignore[arg-type]
        )
        self.turn = 0
        """How many turns have been played."""
        self.should_stop = False
        """An observer sets this to end the training after the present turn."""
        self.game: Game | None = None
        self._data: Any = None
        self._generator: torch.Generator | None = None
        self._began: dict[str, Any] = {}  # what solver and watcher remembered before any training
        self._ready = False  # set up, and not yet played

    def setup(self, game: Game, data: Iterable[Any] | None = None) -> None:
        """Start processes, seed everything and take the players to their devices, without playing.

        A new training begins: at turn 0 and from the weights that the players have, with new
        optimizers and averages, and nothing remembered by the solver or the watcher.

        ``data`` yields batches (tensors, or nests of them) without end or is iterated again and
        again. Its position is part of the state if it has ``state_dict`` and ``load_state_dict``;
        with several processes it must be the same in all of them.

        Raises:
            UserError: the solver cannot play this game.
            ValueError: a player refuses its optimizer's options, or FSDP a player's module.
        """
        if hasattr(self.solver, "check"):
            self.solver.check(game)
        if self.sharded and not getattr(self.solver, "shards", False):
            raise UserError("fsdp goes with --solver alternating only: take --strategy ddp.")
        if self.accumulate > 1 and not getattr(self.solver, "accumulates", True):
            raise UserError("This solver needs the whole batch at once: leave --accumulate at 1.")
        if self.threads is not None:
            torch.set_num_threads(self.threads)
        self.fabric.launch()
        for player in game.players.values():
            if isinstance(player, Player):
                player.check_finite = self.check_finite
                player.sharded = self.sharded
            player.setup(self.fabric, channels_last=self.channels_last)
            player.start()
        game.to(self.fabric.device)
        self._generator = torch.Generator(self.fabric.device)
        self.reseed(self.seed)
        self._forget()
        self.game, self._data = game, data
        self.turn, self._ready = 0, True

    def _forget(self) -> None:
        """Let the solver and the watcher be as they were before the first training."""
        parts: dict[str, Any] = {"solver": self.solver, "watcher": self.watcher}
        for name, part in parts.items():
            if name in self._began:
                part.load_state_dict(copy.deepcopy(self._began[name]))
            elif hasattr(part, "state_dict"):
                self._began[name] = copy.deepcopy(part.state_dict())

    def reseed(self, seed: int) -> None:
        """Seed all random states: processes share their weights but draw different noise."""
        assert self._generator is not None, "setup comes first"
        seed_everything(seed + self.fabric.global_rank)
        self._generator.manual_seed(seed + self.fabric.global_rank)

    def fit(self, game: Game, data: Iterable[Any] | None = None) -> None:
        """Play the game until ``turns`` turns have been played.

        Of the game and the data that were played last (the data may be left out) the training
        goes on, if turns are left: after an interruption, or with a greater ``turns``. Of another
        game, or with other data, it is a new one (see :meth:`setup`). To go on from a saved
        state call :meth:`setup` and :meth:`load_state_dict` first.

        Raises:
            ValueError: :meth:`setup` was called for another game or with other data.
            NonFiniteError: a loss or a gradient stopped being finite (unless not checked).
            TroubleError: the watcher saw something go wrong, and is to go back then.
        """
        if self.game is not game or (data is not None and data is not self._data):
            if self._ready:
                raise ValueError("setup was called with another game or other data: give fit these")
            self.setup(game, data)
        self._ready = self.should_stop = False
        batches = None if self._data is None else self._batches(self._data)
        self._tell("training_began")
        error: BaseException | None = None
        try:
            while self.turn < self.turns and not self.should_stop:
                assert self._generator is not None
                turn = Turn(
                    self.turn,
                    self.turns,
                    self.fabric.device,
                    self._generator,
                    batches,
                    accumulate=self.accumulate,
                )
                if self.watcher is not None:
                    self.watcher.before(game, turn)
                self.solver.play(game, turn)
                self.turn += 1
                if self.watcher is not None:
                    self.watcher.after(self, turn)
                self._tell("turn_ended", turn.figures)
                if self.fabric.world_size > 1:  # a signal may reach the processes in other turns
                    stop = self.fabric.strategy.reduce_boolean_decision  # type: ignore[attr-defined]
                    self.should_stop = stop(self.should_stop, all=False)
        except BaseException as raised:
            error = raised
            raise
        finally:
            self._tell("training_ended", error)

    def _tell(self, event: str, *arguments: Any) -> None:
        for observer in self.observers:
            getattr(observer, event)(self, *arguments)

    def _batches(self, data: Iterable[Any]) -> Iterator[Any]:
        while True:
            empty = True
            for batch in data:
                empty = False
                yield move_data_to_device(batch, self.fabric.device)
            if empty:
                raise ValueError(
                    "the data has no batch (any more): give what can be iterated again and again"
                )

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """While this lasts modules are in evaluation mode; modes and random states are put back."""
        assert self.game is not None, "setup or fit comes first"
        modes = {module: module.training for module in self.game.modules()}
        states = random_states()
        for module in modes:
            module.training = False
        try:
            with torch.no_grad():
                yield
        finally:
            for module, training in modes.items():
                module.training = training
            set_random_states(states)

    # -- state -------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """What all processes share: turn, players, and the state of game, solver and data.

        Where players are sharded all processes must ask, and the first one gets it.
        Game, solver and data have a state if they have ``state_dict`` and ``load_state_dict``.
        """
        assert self.game is not None, "setup or fit comes first"
        state: dict[str, Any] = {
            "turn": self.turn,
            "players": {name: player.state_dict() for name, player in self.game.players.items()},
        }
        for name, part in self._parts().items():
            if hasattr(part, "state_dict"):
                state[name] = part.state_dict()
        return state

    def _parts(self) -> dict[str, Any]:
        """What may have a state of its own beside the players."""
        parts = {"game": self.game, "solver": self.solver, "data": self._data}
        return {**parts, "watcher": self.watcher}

    def process_state_dict(self) -> dict[str, Any]:
        """What is each process's own: the random states."""
        assert self._generator is not None, "setup or fit comes first"
        return {"generator": self._generator.get_state(), **random_states()}

    def load_state_dict(self, state: Mapping[str, Any], process: Mapping[str, Any]) -> None:
        """Take up a state, after :meth:`setup` with the same game and data."""
        assert self.game is not None, "setup comes first"
        assert self._generator is not None
        self.turn = state["turn"]
        for name, player in self.game.players.items():
            player.load_state_dict(state["players"][name])
        for name, part in self._parts().items():
            if name in state and part is not None:
                kept = state[name]
                if name == "solver":  # what it remembers of the players lies where they are
                    kept = move_data_to_device(kept, self.fabric.device)
                part.load_state_dict(kept)
        self._generator.set_state(process["generator"])
        set_random_states(process)


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's (all devices') global random states."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def seeded(seed: int, threads: int) -> Iterator[None]:
    """While this lasts random states begin at ``seed`` and torch has so many threads; the global
    random states and the threads that there were are put back after it."""
    states, before = random_states(), torch.get_num_threads()
    seed_everything(seed)
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        set_random_states(states)


def random_states() -> dict[str, Any]:
    """The global random states of this process, as :func:`set_random_states` takes them."""
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def set_random_states(states: Mapping[str, Any]) -> None:
    """Put the global random states back."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
