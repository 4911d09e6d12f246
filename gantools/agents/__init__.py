"""Players that act in environments, and what applications with such a player share.

What needs torch is imported when it is first used, so a plugin's light module may import
:class:`AgentConfig` from here.
"""
# ruff: noqa: F401

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

_HOME = {
    "AgentApplication": "application:AgentApplication",
    "AgentConfig": "config:AgentConfig",
    "Bonus": "bonuses:Bonus",
    "Demonstrations": "demonstrations:Demonstrations",
    "Episodes": "evaluation:Episodes",
    "OffPolicyAgent": "sb3:OffPolicyAgent",
    "OnPolicyAgent": "sb3:OnPolicyAgent",
    "SB3Agent": "sb3:SB3Agent",
    "Transitions": "rollout:Transitions",
    "World": "worlds:World",
    "behaviour_clone": "sb3:behaviour_clone",
    "demonstrate": "demonstrations:demonstrate",
    "discrete_actions": "worlds:discrete_actions",
    "episode": "evaluation:episode",
    "evaluate": "evaluation:evaluate",
    "load_demonstrations": "demonstrations:load",
    "record": "film:record",
    "resolve": "worlds:resolve",
}

__all__ = [*_HOME]

if TYPE_CHECKING:
    from gantools.agents.application import AgentApplication
    from gantools.agents.bonuses import Bonus
    from gantools.agents.config import AgentConfig
    from gantools.agents.demonstrations import Demonstrations, demonstrate
    from gantools.agents.demonstrations import load as load_demonstrations
    from gantools.agents.evaluation import Episodes, episode, evaluate
    from gantools.agents.film import record
    from gantools.agents.rollout import Transitions
    from gantools.agents.sb3 import OffPolicyAgent, OnPolicyAgent, SB3Agent, behaviour_clone
    from gantools.agents.worlds import World, discrete_actions, resolve


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gantools.agents' has no attribute {name!r}")
    module, _, there = _HOME[name].partition(":")
    return getattr(importlib.import_module(f"gantools.agents.{module}"), there)


def __dir__() -> list[str]:
    return sorted(__all__)
