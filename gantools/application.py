"""The contract of an application: a named use of the engine.

A plugin's light module registers a :class:`Spec`, which imports nothing heavy; the spec names, as
a string, the :class:`Application` subclass that does the work.
"""

from __future__ import annotations

import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gantools.config import RunConfig, resolve
from gantools.errors import UserError, did_you_mean
from gantools.parts import bind, parse_several

if TYPE_CHECKING:
    from gantools.engine import Game
    from gantools.losses import Penalties
    from gantools.runs.folder import Run

C = TypeVar("C", bound=RunConfig)


@dataclass(frozen=True)
class Spec:
    """What gantools knows of an application before it is used.

    Attributes:
        name: the word on the command line, such as ``gail``.
        summary: one line for ``gantools apps``.
        config: the frozen dataclass whose fields become options.
        implementation: where the :class:`Application` subclass is: ``"package.module:Class"``.
        verbs: where a ``typer.Typer`` with further commands is (``gantools NAME VERB``), or None.
    """

    name: str
    summary: str
    config: type[RunConfig]
    implementation: str
    verbs: str | None = None

    def __post_init__(self) -> None:
        for path in (self.implementation, self.verbs):
            if path is not None and ":" not in path:
                raise ValueError(f"{path!r} should be 'package.module:Name', with a colon")


@dataclass(frozen=True)
class Command:
    """A command that a plugin adds: ``gantools NAME``.

    Attributes:
        name: the word on the command line.
        summary: one line for ``gantools --help``.
        implementation: where its ``typer.Typer`` is: ``"package.module:name"``.
    """

    name: str
    summary: str
    implementation: str


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        title: its heading.
        text: paragraphs; plain text.
        rows: a table: a header row and then data rows, or empty.
        media: paths of pictures (.png, .jpg, .gif), videos (.mp4) or sounds (.wav) to embed,
            with their captions.
    """

    title: str
    text: str = ""
    rows: list[list[Any]] = field(default_factory=list)
    media: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """Where a game is built: one of the processes that will play it.

    Attributes:
        rank: this process's number, from 0.
        world_size: how many processes there are.
        device: where this process's players will be, as torch names it.
        parts: gives the objective, penalty, constraint, … of (kind, text): left out,
            ``Plugins().part``, those of all installed plugins.
        training: whether the game will be trained; if not, it is built to be loaded, and its data
            may be left out: what was trained can be used where the data has gone.
    """

    rank: int = 0
    world_size: int = 1
    device: str = "cpu"
    parts: Callable[[str, str], Any] | None = field(default=None, repr=False)
    training: bool = True

    @property
    def share(self) -> dict[str, int]:
        """This process's share of the data, as :class:`gantools.data.Batches` takes it."""
        return {"rank": self.rank, "world_size": self.world_size}

    def part(self, kind: str, text: str) -> Any:
        """Return an objective, penalty, constraint, … by its name and the values given to it.

        Args:
            kind: "objectives", "penalties", "constraints", "augmentations", "solvers", "metrics",
                "data" or "bonuses".
            text: the name of one of gantools' own or of a plugin's, with or without values:
                ``hinge``, ``label-smoothing:0.9``, ``weight-clip:0.01``. Of constraints and
                augmentations there is also ``none``, for which None is returned.

        Raises:
            UserError: there is none of that name, it cannot be imported, or takes no such value.
        """
        if text == "none" and kind in ("constraints", "augmentations"):
            return None
        if self.parts is not None:
            return self.parts(kind, text)
        from gantools.plugins import Plugins

        return Plugins().part(kind, text)

    def penalties(self, text: str) -> Penalties:
        """Return the penalties that ``text`` names, with their weights and intervals.

        Args:
            text: ``r1:0.1``, ``r1:0.1,every=16+r2:0.1``, or ``none``.

        Raises:
            UserError: there is none of that name, or it takes no such value.
        """
        from gantools.losses.asked import Penalties, Term

        terms = []
        for asked in parse_several(text):
            every = asked.options.get("every", 1)
            if not isinstance(every, int) or every < 1:
                raise UserError(f"{asked.text!r}: every is a whole number of turns from 1.")
            function = bind("penalties", asked.without("every"), self.part("penalties", asked.name))
            weight = getattr(function, "keywords", {}).get("weight", 1.0)
            if not 0 <= weight < math.inf:
                raise UserError(f"{asked.text!r}: the weight is a number from 0, not {weight}.")
            terms.append(Term(asked.name, function, every))
        return Penalties(terms)


@dataclass(frozen=True)
class Trained:
    """A trained run, ready to use: the players with a checkpoint's weights.

    Attributes:
        checkpoint: which one: ``last`` or ``best``.
        turn: how many turns had been played when it was written.
        seconds: of training until then.
    """

    run: Run
    application: Application[Any]
    game: Game
    checkpoint: str
    turn: int
    seconds: float

    @property
    def model(self) -> Any:
        """What the application's verbs work with: :meth:`Application.model` of the game."""
        return self.application.model(self.game)

    def about(self, **more: Any) -> dict[str, Any]:
        """What people should know of a model that is taken away: command, seed, turns, and more."""
        said = {"command": self.run.manifest["command"], "seed": self.application.config.seed}
        return {**said, "turns": self.turn, **more}


class Application(ABC, Generic[C]):
    """A use of the engine: its data and game, its evaluation, what its report shows.

    An application object belongs to one training or one loaded run. Everything that it does is
    determined by its configuration.
    """

    key_figures: tuple[str, ...] = ()
    """The few figures, of those that the game logs, to show beside the progress bar."""

    def __init__(self, config: C, inputs: Path | None = None) -> None:
        """Take the configuration.

        Args:
            config: what the user asked for.
            inputs: the folder into which :meth:`keep_inputs` copied what an earlier start of this
                run was given; None for a new run.
        """
        self.config = resolve(config)
        self.inputs = inputs

    @abstractmethod
    def build(self, setting: Setting) -> tuple[Game, Iterable[Any] | None]:
        """Make the game, at its untrained start, and this process's share of the data.

        Called to train, and to load what was trained (``setting.training`` is False then).

        Raises:
            UserError: something that the configuration names cannot be had.
        """

    @property
    def steps_per_turn(self) -> int:
        """How many of ``config.steps`` a turn of the game is (environment steps, say)."""
        return 1

    @property
    def turns(self) -> int:
        """How many turns the training has: enough for ``config.steps`` steps."""
        return math.ceil(self.config.steps / self.steps_per_turn)

    def keep_inputs(self, folder: Path) -> None:
        """Copy what the run needs of the outside (data files) into its own folder.

        A run then stands by itself: it can be resumed, evaluated and moved when the files that it
        was given have changed or gone. Called once for a new run, by the first process only, after
        :meth:`build` and before the first turn; the others wait until it has ended.

        Args:
            folder: the run's ``inputs``, which is there and empty.

        Raises:
            UserError: what is to be copied cannot be had (any more). The run folder is left with
                the status ``new``.
            OSError: it cannot be written; a full disk is said with the folder's name.
        """

    def warm_start(self, game: Game) -> None:
        """Prepare the players before the first turn of a new training (pretrain one, say)."""

    def validate(self, game: Game) -> Mapping[str, float]:
        """A short evaluation during training; its figures are recorded as ``evaluation/…``.

        The one called ``score`` (higher is better) chooses the best checkpoint.
        """
        return {}

    def snapshot(self, game: Game, folder: Path, turn: int) -> None:
        """Write what the players make at this turn into ``folder``, the run's samples.

        Called with :meth:`validate`, and like it by every process where players are sharded, with
        a folder that is thrown away in all but the first: a picture of fixed inputs. Those called
        ``folder / f"turn-{turn:07d}.png"`` the report shows below each other, unless
        :meth:`report` has a section called "The training" itself.
        """

    @abstractmethod
    def evaluate(self, trained: Trained) -> dict[str, Any]:
        """Judge the trained game on data that it has not seen, beside its baselines.

        Returns:
            One JSON object, which says what each figure was measured on. The engine adds ``seed``,
            ``checkpoint``, ``turn`` and ``train_seconds``.
        """

    def report(self, trained: Trained) -> list[Section]:
        """What the run's report shows beside configuration, curves and evaluation."""
        return []

    def model(self, game: Game) -> Any:
        """What the application's verbs work with, made of its trained players (what draws, say).

        Raises:
            NotImplementedError: there is no such thing.
        """
        raise NotImplementedError(f"{type(self).__name__} has no model()")

    def export(self, trained: Trained) -> None:
        """Write what people take away from a finished run (a policy, weights) into its folder."""


def locate(path: str) -> Any:
    """Import ``"package.module:name"``.

    Raises:
        UserError: the module or the name is missing, saying which.
    """
    module, _, name = path.partition(":")
    found: Any = None
    try:
        found = importlib.import_module(module)
        return getattr(found, name)
    except (ImportError, AttributeError) as error:
        hint = did_you_mean(name, dir(found)) if found is not None else ""
        cure = hint or " Mend or reinstall its plugin."
        raise UserError(f"Cannot import {path!r}: {error}.{cure}") from error
