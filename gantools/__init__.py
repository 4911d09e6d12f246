"""gantools: a toolkit for adversarial training. One engine knows games; applications are plugins.

The names below are the public interface; what needs torch is imported when it is first used. So
are the modules beside them: ``gantools.losses.hinge`` needs no import of its own.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Agent": "gantools.engine",
    "Application": "gantools.application",
    "Command": "gantools.application",
    "Adversary": "gantools.adversary",
    "GAN": "gantools.gan",
    "Game": "gantools.engine",
    "Note": "gantools.errors",
    "Observer": "gantools.engine",
    "Option": "gantools.config",
    "Player": "gantools.engine",
    "Plugins": "gantools.plugins",
    "RunConfig": "gantools.config",
    "Section": "gantools.application",
    "Setting": "gantools.application",
    "Spec": "gantools.application",
    "Trained": "gantools.application",
    "Trainer": "gantools.engine",
    "Turn": "gantools.engine",
    "UserError": "gantools.errors",
    "evaluate": "gantools.api",
    "hookimpl": "gantools.hookspecs",
    "load": "gantools.api",
    "report": "gantools.api",
    "resume": "gantools.api",
    "run": "gantools.api",
    "shared": "gantools.engine",
}

_MODULES = (
    *("agents", "data", "engine", "files", "losses", "media", "metrics", "models", "nn"),
    *("schedules", "testing", "verbs"),
)

__all__ = [*_HOME, "__version__"]

if TYPE_CHECKING:
    from gantools import (
        agents,
        data,
        engine,
        files,
        losses,
        media,
        metrics,
        models,
        nn,
        schedules,
        testing,
        verbs,
    )
    from gantools.adversary import Adversary
    from gantools.api import evaluate, load, report, resume, run
    from gantools.application import Application, Command, Section, Setting, Spec, Trained
    from gantools.config import Option, RunConfig
    from gantools.engine import (
        Agent,
        Game,
        Observer,
        Player,
        Trainer,
        Turn,
        shared,
    )
    from gantools.errors import Note, UserError
    from gantools.gan import GAN
    from gantools.hookspecs import hookimpl
    from gantools.plugins import Plugins


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _MODULES:
        return importlib.import_module(f"gantools.{name}")
    raise AttributeError(f"module 'gantools' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])
