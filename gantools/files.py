"""Files that are whole or not there: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors that say that a disk has no room for a file, or its user has no more."""


@contextlib.contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Give the path of a temporary file (or folder) that becomes ``path`` if the body ends well.

    It is in the same folder and has the same suffix: ``.film.4711.mp4`` for ``film.mp4``. A body
    that does not end well, interrupted by Ctrl-C too, leaves nothing, and ``path`` as it was.

    Raises:
        OSError: it cannot be flushed or renamed; a FileNotFoundError if the body wrote nothing.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield temporary
        if not temporary.is_dir():
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # what went wrong before is to be heard of
            if temporary.is_dir():
                shutil.rmtree(temporary)
            else:
                temporary.unlink(missing_ok=True)
