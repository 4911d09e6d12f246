"""The engine: games, players, turns, solvers, trainer. Knows no images, sound or environments."""

from gantools.engine.game import Game
from gantools.engine.mover import Agent, Mover, Reward
from gantools.engine.player import Player
from gantools.engine.solver import (
    Alternating,
    Consensus,
    Extragradient,
    Lookahead,
    NagarajanKolter,
    Optimistic,
    Simultaneous,
    Solver,
)
from gantools.engine.trainer import Observer, Trainer
from gantools.engine.turn import Turn, shared
from gantools.engine.watcher import Trouble, Watcher

__all__ = [
    "Agent",
    "Alternating",
    "Consensus",
    "Extragradient",
    "Game",
    "Lookahead",
    "Mover",
    "NagarajanKolter",
    "Observer",
    "Optimistic",
    "Player",
    "Reward",
    "Simultaneous",
    "Solver",
    "Trainer",
    "Trouble",
    "Turn",
    "Watcher",
    "shared",
]
