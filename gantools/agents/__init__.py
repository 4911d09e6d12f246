"""Players that act in environments: worlds, stable-baselines3 policies, demonstrations, films."""

from gantools.agents.demonstrations import Demonstrations, demonstrate
from gantools.agents.demonstrations import load as load_demonstrations
from gantools.agents.evaluation import Episodes, evaluate
from gantools.agents.film import record
from gantools.agents.rollout import Transitions
from gantools.agents.sb3 import OffPolicyAgent, OnPolicyAgent, SB3Agent, behaviour_clone
from gantools.agents.worlds import World, resolve

__all__ = [
    "Demonstrations",
    "Episodes",
    "OffPolicyAgent",
    "OnPolicyAgent",
    "SB3Agent",
    "Transitions",
    "World",
    "behaviour_clone",
    "demonstrate",
    "evaluate",
    "load_demonstrations",
    "record",
    "resolve",
]
