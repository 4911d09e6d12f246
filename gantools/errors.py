"""Errors that are the user's to mend: one clear sentence that names the input and the cure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Bad input. The command line prints the message alone and exits with code 2."""

    exit_code = 2


class NonFiniteError(Exception):
    """A loss term or a gradient stopped being finite; names the turn, the player and the term."""


class Note(UserWarning):
    """Something the user should know that does not stop the work; shown every time."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'Hopper-v5'?"`` for the nearest known word, or an empty string."""
    known = list(known)
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    return f" Did you mean {lowered[near[0]]!r}?" if near else ""
