"""Posting in the background: a bounded queue of messages, and a thread that empties it."""

from __future__ import annotations

import atexit
import json
import math
import threading
import warnings
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gantools import Note, UserError

CAPACITY = 200
"""Messages that may wait; one more pushes the oldest out."""

TIMEOUT = 3.0
"""Seconds that the receiver may take to answer, and that the process's end waits for the queue."""


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without its message: let it be an error."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Sender:
    """Posts messages to one address, in order, from a daemon thread; ``post`` never waits.

    Args:
        address: where to post: http or https.

    Raises:
        UserError: it is not such an address. (It is not repeated, for it may hold a secret.)
    """

    def __init__(self, address: str) -> None:
        if not _usable(address):
            raise UserError("GANTOOLS_WEBHOOK must be an http:// or https:// address")
        self.address = address
        self.lost = 0
        """Messages that did not arrive: pushed out of the queue, or not taken by the receiver."""
        self._why = ""  # the last one did not arrive
        self._said = False
        self._opener = build_opener(_NoRedirects)
        self._waiting: deque[dict[str, Any]] = deque()
        self._posting = False
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="gantools-webhook", daemon=True).start()
        atexit.register(self.flush, TIMEOUT)

    def post(self, message: Mapping[str, Any]) -> None:
        """Queue a message, as it is now; its time is added, and on its way ``lost``."""
        said = {"time": datetime.now(UTC).isoformat(timespec="seconds"), **plain(message)}
        with self._changed:
            if len(self._waiting) == CAPACITY:
                self._waiting.popleft()
                self._lose("the receiver is too slow")
            self._waiting.append(said)
            self._changed.notify_all()
        self._complain()

    def flush(self, seconds: float) -> bool:
        """Wait until the queue is empty, this long at most; return whether it is."""
        with self._changed:
            empty = self._changed.wait_for(
                lambda: not self._waiting and not self._posting, timeout=seconds
            )
        self._complain()
        return empty

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                message = {**self._waiting.popleft(), "lost": self.lost}
                self._posting = True
            why = self._try(message)
            with self._changed:
                if why:
                    self._lose(why)
                self._posting = False
                self._changed.notify_all()

    def _try(self, message: Mapping[str, Any]) -> str:
        """Post one message; return why it did not arrive, or an empty string."""
        body = json.dumps(message, default=str).encode()
        headers = {"Content-Type": "application/json"}
        try:
            request = Request(self.address, body, headers, method="POST")
            self._opener.open(request, timeout=TIMEOUT).close()
        except (OSError, HTTPException, ValueError) as error:
            return str(error) or type(error).__name__
        return ""

    def _lose(self, why: str) -> None:
        self.lost += 1
        self._why = why

    def _complain(self) -> None:
        """Tell the user once that messages are being lost."""
        if self.lost and not self._said:
            self._said = True
            said = f"webhook: a message did not arrive ({self._why}); the run goes on without"
            warnings.warn(said, Note, stacklevel=3)


@cache
def sender(address: str) -> Sender:
    """The one sender to an address in this process."""
    return Sender(address)


def _usable(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, say
        return False


def plain(value: Any) -> Any:
    """A copy as JSON can hold it: NaN and infinities are None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
