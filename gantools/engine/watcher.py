"""The watcher: says by name when a game goes wrong, and what could be done about it.

It looks at what every game has (the terms of its losses, how far a turn moves the weights) and at
what some have: scores that were given to :meth:`Turn.log_scores`, and samples that are shared.
The limits are measured: healthy games of points, of small pictures and of imitation stay clear of
them, and each sick one of ``tests/engine/test_watcher.py`` crosses one within 200 turns.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from gantools.engine.player import Player
from gantools.errors import Note

if TYPE_CHECKING:
    from gantools.engine.game import Game
    from gantools.engine.trainer import Trainer
    from gantools.engine.turn import Turn

EVERY = 25
"""Turns from one look to the next; scores, samples and weights are looked at on these only."""

TURNS, LOOKS = 200, 7
"""How far back the terms of losses are remembered in turns, and the other figures in looks."""

QUIET = 200
"""Turns for which a trouble must have been away before it is said again."""

Action = Literal["say", "stop", "rollback"]


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong.

    Attributes:
        name: what is wrong, such as ``collapse``.
        turn: when it was noticed, counted from 1.
        since: the first turn of what shows it.
        seen: one sentence of what was seen.
        advice: one sentence of what could be done.
    """

    name: str
    turn: int
    since: int
    seen: str
    advice: str

    def __str__(self) -> str:
        return f"turn {self.turn}: {self.name}: {self.seen} {self.advice}"


class TroubleError(Exception):
    """A watcher that is to go back ends the training with this; ``trouble`` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble


@dataclass
class History:
    """What a watcher remembers of a game.

    Attributes:
        turn: how many turns have been played.
        terms: of each term ``player/term`` of a loss the last ``TURNS`` turns, oldest first; NaN
            where a turn had none.
        first: what each term was at first.
        figures: of each figure ``player/figure`` of ``turn.looks`` the last ``LOOKS`` looks, oldest
            first.
        penalties: names of terms that are penalties, beside those with "penalty" in their name.
    """

    turn: int
    terms: dict[str, np.ndarray]
    first: dict[str, float]
    figures: dict[str, list[float]]
    penalties: Collection[str] = ()

    def looks(self, figure: str, count: int) -> Iterator[tuple[str, list[float]]]:
        """Of each player with so many looks at the figure its name and the last of them."""
        for name, looks in self.figures.items():
            player, of = name.rsplit("/", 1)
            if of == figure and len(looks) >= count:
                yield player, looks[-count:]

    def since(self, looks: int) -> int:
        """The turn of the first of the last looks."""
        return self.turn - (looks - 1) * EVERY

    def is_penalty(self, name: str) -> bool:
        """Whether the term ``player/term`` is a penalty."""
        term = name.rsplit("/", 1)[1]  # of an ensemble's member: player/member/term
        return "penalty" in term or term in self.penalties


Finding = tuple[int, str] | None
"""The first turn of what shows a trouble and what was seen, or None where it is not there."""


def collapse(history: History) -> Finding:
    """Samples hardly differ for five looks, and are not on their way to differ more.

    One of eight modes has a diversity of 0.1; generators are at 0.1 to 0.3 when they begin.
    """
    kinds = (("diversity", 0.15, "of the real batch's spread"), ("spread", 0.01, "of its size"))
    for figure, limit, measure in kinds:
        for player, looks in history.looks(figure, 5):
            if max(looks) < limit and looks[-1] <= 1.5 * looks[0]:
                since = history.since(5)
                return since, (
                    f"since turn {since} what {player} makes varies by less than {limit:.0%} "
                    f"{measure}, now by {looks[-1]:.1%}."
                )
    return None


def discriminator_won(history: History) -> Finding:
    """Nearly all real samples are scored above the fakes for four looks, and it does not pass.

    The first hundred turns do not count: there that is usual where the samples are pictures.
    """
    for player, looks in history.looks("separation", 4):
        if history.since(4) > 100 and np.mean(looks) >= 0.97 and looks[-1] >= 0.975:
            since = history.since(4)
            return since, (
                f"since turn {since} {player} has scored {np.mean(looks):.1%} of the real samples "
                "above the fake that they were compared with."
            )
    return None


def explosion(history: History) -> Finding:
    """In the last 100 turns a term was ten times as large as it usually is, and not only once.

    Usual is the median of these turns, but at least 1 and what the term was at first.
    """
    for name, values in history.terms.items():
        recent = np.abs(values[-100:])
        present = np.sort(recent[np.isfinite(recent)])
        if len(present) < 3 or history.is_penalty(name):
            continue
        usual = max(1.0, float(present[len(present) // 2]), abs(history.first[name]))
        if present[-1] > 10 * usual and present[-3] > 2 * usual:
            since = history.turn - len(recent) + 1 + int(np.argmax(recent > 2 * usual))
            return since, (
                f"the loss {name} went up to {present[-1]:.3g} in size since turn {since}, where "
                f"{usual:.3g} is usual."
            )
    return None


def penalty_explosion(history: History) -> Finding:
    """For 50 turns a penalty is on average twenty times what the rest of its player's loss is."""
    sizes = {
        name: float(np.mean(np.abs(np.nan_to_num(values[-50:]))))
        for name, values in history.terms.items()
        if len(values) >= 50
    }
    for name, size in sizes.items():
        if history.is_penalty(name):
            player = name.split("/", 1)[0]
            others = [n for n in sizes if n.startswith(f"{player}/") and not history.is_penalty(n)]
            rest = sum(sizes[other] for other in others)
            if size > 20 * max(1.0, rest):
                since = history.turn - 49
                return since, (
                    f"since turn {since} the penalty {name} is {size:.3g} on average, and the rest "
                    f"of that loss {rest:.3g}."
                )
    return None


def oscillation(history: History) -> Finding:
    """A term swings regularly for 200 turns, three times at least, and does not calm down.

    Regularly: what it is half a period and a whole period later is correlated by −0.95 and 0.95.
    """
    for name, values in history.terms.items():
        if len(values) < TURNS or not np.isfinite(values).all():
            continue
        half = TURNS // 2
        swing, before, now = values.std(), values[:half].std(), values[half:].std()
        if swing > 0.02 * abs(values.mean()) and now > 0.9 * before:
            period = _period(values)
            if period is not None:
                since = history.turn - TURNS + 1
                return since, (
                    f"since turn {since} the loss {name} goes up and down every {period} turns or "
                    f"so, by {swing:.2g} about {values.mean():.2g}."
                )
    return None


def large_steps(history: History) -> Finding:
    """For three looks a move changes a player's weights by more than 5 % of their size."""
    for player, looks in history.looks("relative_step", 3):
        if np.mean(looks) > 0.05:
            since = history.since(3)
            return since, (
                f"since turn {since} a move changes the weights of {player} by "
                f"{np.mean(looks):.0%} of their size; 1% and less is usual."
            )
    return None


def _period(values: np.ndarray) -> int | None:
    """The period of a series, up to a third of its length and at least 4; None if it has none.

    The correlation of values with those ``lag`` later does not mind that they grow or shrink.
    """
    x = values - values.mean()
    lag = np.arange(1, len(x) // 3 + 1)
    n = len(x) - lag
    total, square = np.cumsum(x), np.cumsum(x * x)
    early, late = total[n - 1], total[-1] - total[lag - 1]
    products = np.correlate(x, x, "full")[len(x) - 1 :][lag] - early * late / n
    spread_early = square[n - 1] - early**2 / n
    spread_late = square[-1] - square[lag - 1] - late**2 / n
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = products / np.sqrt(spread_early * spread_late)
    opposite = np.flatnonzero(correlation < -0.95)
    if len(opposite) == 0:
        return None
    again = np.flatnonzero(correlation[opposite[0] :] > 0.95)
    period = int(lag[opposite[0] + again[0]]) if len(again) else 0
    return period if period >= 4 else None


TROUBLES: dict[str, tuple[Callable[[History], Finding], str]] = {
    "collapse": (
        collapse,
        "Try a smaller learning rate or beta1 of 0, a relativistic objective with r1 and r2, a "
        "penalty, or a larger batch.",
    ),
    "discriminator-won": (
        discriminator_won,
        "Give the discriminator fewer moves or a smaller learning rate, a penalty such as "
        "--penalty r1:0.1, or noise and augmentation on what it sees.",
    ),
    "explosion": (
        explosion,
        "Try smaller learning rates, a penalty such as --penalty r1:0.1, or clipped gradients.",
    ),
    "penalty-explosion": (
        penalty_explosion,
        "Give the penalty a smaller weight, such as --penalty r1:0.1, or the discriminator a "
        "smaller learning rate.",
    ),
    "oscillation": (
        oscillation,
        "Try --solver extragradient or optimistic, a penalty such as --penalty r1:0.1, or smaller "
        "learning rates.",
    ),
    "large-steps": (large_steps, "Try a smaller learning rate, about a tenth of it."),
}
"""By name, how a trouble is seen and what could be done."""


class Watcher:
    """Looks at a game every 25 turns, and says once for all what goes wrong.

    A trouble is said (a :class:`Note`) when it comes, and again only after it has been away for
    200 turns. Nothing that the watcher does changes the game or draws a random number. Of several
    processes the first one's figures count.

    Args:
        action: ``"say"``; or ``"stop"`` the training after the turn, which leaves the trouble in
            ``stopped_by``; or ``"rollback"``, which raises :class:`TroubleError` for whoever
            keeps checkpoints. The last two leave it to others to say what was seen.
        penalties: names of terms that are penalties, beside those with "penalty" in their name.

    Example:
        >>> Trainer(turns=1000, watcher=Watcher()).fit(game, data)
    """

    def __init__(self, action: Action = "say", penalties: Collection[str] = ()) -> None:
        self.action = action
        self.penalties = frozenset(penalties)
        self.troubles: list[Trouble] = []
        """What was seen so far, oldest first."""
        self.stopped_by: Trouble | None = None
        self._terms: dict[str, list[float]] = {}
        self._first: dict[str, float] = {}
        self._figures: dict[str, list[float]] = {}
        self._seen: dict[str, int] = {}  # when each trouble was last there
        self._unread: list[dict[str, Any]] = []  # terms of the turns since the last look
        self._players: dict[str, Player] = {}
        self._weights: dict[str, list[Tensor]] = {}  # before the turn, where it is looked at

    def before(self, game: Game, turn: Turn) -> None:
        """Say whether the turn is looked at, before it is played."""
        turn.watching = (turn.step + 1) % EVERY == 0
        # Agents have losses and steps of their own kind.
        self._players = {n: p for n, p in game.players.items() if isinstance(p, Player)}
        if turn.watching:
            self._weights = {name: _matrices(player) for name, player in self._players.items()}

    def after(self, trainer: Trainer, turn: Turn) -> None:
        """Take down what a turn left, and on those that are looked at say what goes wrong.

        Raises:
            TroubleError: something does, and the action is ``rollback``.
        """
        self._unread.append(turn.terms)
        if not turn.watching:
            return
        assert trainer.game is not None
        for name, before in self._weights.items():
            moves = trainer.game.moves(name, turn)
            if before and moves:
                step = _relative_step(before, _matrices(self._players[name])) / moves
                turn.looks[f"{name}/relative_step"] = step
                turn.figures.setdefault(f"{name}/relative_step", step)
        self._weights = {}
        self._read()
        for name, value in turn.looks.items():
            if math.isfinite(number := float(value)):
                self._figures[name] = [*self._figures.get(name, ()), number][-LOOKS:]
        found = trainer.fabric.broadcast(self._judge(trainer.turn))
        self._tell(trainer, found)

    def _read(self) -> None:
        """Read the terms that were left unread off the device."""
        rows = [
            {name: float(value) for name, value in left.items() if self._is_term(name)}
            for left in self._unread
        ]
        self._unread = []
        known = max(map(len, self._terms.values()), default=0)
        for name in dict.fromkeys([*self._terms, *(name for row in rows for name in row)]):
            new = [row.get(name, math.nan) for row in rows]
            if name not in self._first and (present := [x for x in new if math.isfinite(x)]):
                self._first[name] = present[0]
            old = self._terms.get(name, [math.nan] * known)
            self._terms[name] = [*old, *new][-TURNS:]

    def _is_term(self, name: str) -> bool:
        """Whether what a move left under ``player/figure`` is a term of a loss."""
        player, _, figure = name.partition("/")
        return player in self._players and figure != "gradient_norm"

    def _judge(self, turn: int) -> list[Trouble]:
        """What has come."""
        terms = {name: np.array(self._terms[name]) for name in self._first}
        history = History(turn, terms, self._first, self._figures, self.penalties)
        found = []
        for name, (look, advice) in TROUBLES.items():
            finding = look(history)
            if finding is not None:
                if turn - self._seen.get(name, -math.inf) > QUIET:
                    found.append(Trouble(name, turn, *finding, advice))
                self._seen[name] = turn
        return found

    def _tell(self, trainer: Trainer, found: Sequence[Trouble]) -> None:
        self.troubles += found
        if not found:
            return
        if self.action == "rollback":
            raise TroubleError(found[0])
        if self.action == "stop":
            self.stopped_by = found[0]
            trainer.should_stop = True
        elif trainer.fabric.is_global_zero:
            for trouble in found:
                warnings.warn(str(trouble), Note, stacklevel=2)

    # -- state -------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """All that is remembered, so that a resumed training sees what it would have seen."""
        self._read()
        terms = {n: torch.tensor(v, dtype=torch.float64) for n, v in self._terms.items()}
        return {
            "terms": terms,
            "first": dict(self._first),
            "figures": {name: list(looks) for name, looks in self._figures.items()},
            "seen": dict(self._seen),
            "troubles": [asdict(trouble) for trouble in self.troubles],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take up what was remembered."""
        self._terms = {name: values.tolist() for name, values in state["terms"].items()}
        self._first = dict(state["first"])
        self._figures = {name: list(looks) for name, looks in state["figures"].items()}
        self._seen = dict(state["seen"])
        self.troubles = [Trouble(**trouble) for trouble in state["troubles"]]
        self._unread, self.stopped_by = [], None


def _matrices(player: Player) -> list[Tensor]:
    """A copy of the player's weight matrices and kernels: biases, and what has only a few numbers,
    may rightly begin at 0 and go far."""
    return [p.detach().clone() for p in player.trainable if p.dim() > 1 and p.numel() >= 16]


def _relative_step(before: Sequence[Tensor], after: Sequence[Tensor]) -> Tensor:
    """‖after − before‖ / ‖before‖, a scalar."""
    norm = torch.nn.utils.get_total_norm
    step = norm([new - old for old, new in zip(before, after, strict=True)]) / norm(before)
    return step.full_tensor() if isinstance(step, DTensor) else step
