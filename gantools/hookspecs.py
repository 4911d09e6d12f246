"""Every hook there is. A plugin implements any of them with ``@gantools.hookimpl``.

A plugin is a distribution with an entry point in the group ``gantools`` whose value is a *light*
module: one that imports the standard library and ``gantools`` only. What needs torch is named by a
string, ``"package.module:name"``, and imported when it is used. Every hook may be left out, and so
may arguments that are not needed; one that is misspelt, or that asks for arguments which do not
exist, fails its plugin.

Two kinds of hooks:

**register_…** are called once, when the plugin is imported, in every process. What they raise, or
return that cannot be used, fails the plugin: it is reported with the reason, and left out.

**Lifecycle hooks** tell observers what happens in a run, on the first process only. What they raise
is reported once; the plugin's lifecycle hooks are then switched off for the run, and the run goes
on. They change no number of a run: random states are put back after them, and what they are given
is theirs.

A plugin says for which version of these hooks it was written by requiring ``gantools[hooks1]``;
one that needs a version which this gantools has not is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from gantools.application import Command, Section, Spec
    from gantools.runs.folder import Run

API = 1
"""The version of the hooks below: raised when one of them changes or goes, not when one comes."""

SUPPORTED = frozenset({1})
"""Versions of the hooks that plugins may have been written for: the core's extras ``hooksN``."""

hookspec = pluggy.HookspecMarker("gantools")
hookimpl = pluggy.HookimplMarker("gantools")


# -- what a plugin adds -----------------------------------------------------------------------


@hookspec
def register_applications() -> Sequence[Spec]:  # type: ignore[empty-body]
    """Return applications: ``gantools run NAME``."""


@hookspec
def register_commands() -> Sequence[Command]:  # type: ignore[empty-body]
    """Return further commands: ``gantools NAME``. (Verbs of an application are in its Spec.)"""


@hookspec
def register_objectives() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return objectives by name, each a :class:`gantools.losses.Objective`, or a function
    that returns one and whose arguments, if any, have defaults (``label-smoothing:0.9``)."""


@hookspec
def register_penalties() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return penalties by name, each a :class:`gantools.losses.Penalty`."""


@hookspec
def register_constraints() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return constraints on a player's weights, each a :class:`gantools.nn.Constraint`."""


@hookspec
def register_augmentations() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return augmentations of what a discriminator sees, each a factory of a
    :class:`gantools.nn.Augment`."""


@hookspec
def register_solvers() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return solvers by name, each a class: a :class:`gantools.engine.Solver`; what its
    constructor takes, if anything, has defaults and can be given (``consensus:0.5``)."""


@hookspec
def register_metrics() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return metrics by name, each a :class:`gantools.metrics.Metric`."""


@hookspec
def register_data() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return data sources by name, each a :class:`gantools.data.Source`."""


@hookspec
def register_bonuses() -> Mapping[str, str]:  # type: ignore[empty-body]
    """Return bonuses by name, each a class ``bonus(observations, actions, **options with
    defaults)`` of a :class:`gantools.agents.Bonus`: what an agent that explores is paid for."""


# -- what an observer hears -------------------------------------------------------------------


@hookspec
def run_began(run: Run) -> None:
    """A training begins or is resumed: before the first turn."""


@hookspec
def turn_ended(run: Run, turn: int, figures: Mapping[str, Any]) -> None:
    """Turn number ``turn``, from 1, was played.

    ``figures`` are what was logged: floats, or tensors of one number that are still on the device
    (``float(x)`` waits for it; ``figures_recorded`` has them all as floats).
    """


@hookspec
def figures_recorded(run: Run, turn: int, figures: Mapping[str, float]) -> None:
    """A row was written to the metrics table; with those of a short evaluation, if there was one
    (``evaluation/…``)."""


@hookspec
def checkpoint_saved(run: Run, turn: int, path: Path) -> None:
    """A checkpoint is whole and in its place."""


@hookspec
def run_ended(run: Run, status: str) -> None:
    """A training ended: ``finished``, ``interrupted`` or ``failed``."""


@hookspec
def evaluated(run: Run, results: Mapping[str, Any]) -> None:
    """The run was evaluated on held-out data, after training or by ``gantools evaluate``."""


@hookspec
def report_sections(run: Run) -> Sequence[Section]:  # type: ignore[empty-body]
    """Return further sections for the run's report, which is being written."""
