"""Files: written whole or not at all, found in a folder, and left out with a word."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from gantools.errors import Note, UserError

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


def find(folder: Path, suffixes: Sequence[str], what: str = "images") -> list[Path]:
    """Return the files in a folder and below it whose names end in a suffix, sorted.

    Hidden files and folders are passed over, and folders that are links.

    Args:
        folder: where to look.
        suffixes: in small letters; a file's own may be in capitals.
        what: what the files are, for the message.

    Raises:
        UserError: there is none, or a folder cannot be read.
    """
    found = [path for path in _visible(folder) if path.suffix.lower() in suffixes]
    if not found:
        raise UserError(f"There are no {what} in the folder {folder} ({', '.join(suffixes)}).")
    return found


def _visible(folder: Path) -> Iterator[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"Cannot read {folder}: {error.strerror}.") from None
    for path in inside:
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _visible(path)
        elif path.is_file():
            yield path


def left_out(reasons: Sequence[str], many: str | None = None) -> None:
    """Give a Note of the files that cannot be used, if any: how many, and why the first three.

    Args:
        reasons: a sentence for each, such as the message of a UserError.
        many: how many of what, "1 recording"; left out: so many files.
    """
    if reasons:
        more = f" And {len(reasons) - 3} more." if len(reasons) > 3 else ""
        many = many or f"{len(reasons)} file{'s' * (len(reasons) > 1)}"
        said = f"Left out, {many}: {' '.join(reasons[:3])}{more}"
        warnings.warn(said, Note, stacklevel=3)
