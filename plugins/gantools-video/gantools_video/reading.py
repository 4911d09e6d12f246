"""Videos decoded with PyAV, a frame at a time: upright, evenly spaced in time, sound left out."""

from __future__ import annotations

import contextlib
import itertools
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from gantools import Note, UserError

LONGEST_PAUSE = 10
"""Seconds. Times of frames that jump farther, ahead or back, are taken for damaged."""
PACED, REORDERED = 200, 16
"""Packets whose times are looked at, and of them those that others may belong between."""
FASTEST = 240
"""Frames a second. What says it is faster does not know its rate."""


class Frame(NamedTuple):
    """A picture and when it is shown."""

    time: float
    """Seconds since the first frame; a whole number of frames at the film's rate."""
    pixels: np.ndarray
    """uint8 [H, W, 3], RGB."""


@dataclass(frozen=True)
class Film:
    """What is known of a video before it is decoded."""

    rate: Fraction
    """Frames a second that :func:`frames` gives: the average that the file says, that of its first
    frames' times where they differ by more than a twentieth, 25 where neither can be had."""
    count: int | None
    """About how many frames there are, for progress; None where the file does not say."""


def describe(path: Path) -> Film:
    """Open a video and say what is known of it; nothing is decoded.

    Raises:
        UserError: there is no such file, or no video can be found in it.
    """
    with _opened(path) as container:
        return _film(container, _video(container), _pace(path))


def frames(
    path: Path, size: int | None = None, most: int | None = None, *, whole: bool = False
) -> Iterator[Frame]:
    """Decode a video, holding no more than the decoder's own few frames in memory.

    Frames come at the constant rate of :func:`describe`, as a player would show them: each shown
    frame is the last whose time rounds to its own or an earlier one. So a pause repeats a frame,
    and of frames that come faster some are left out. They are upright whatever way the camera was
    held, and pixels that are not square are made so by their width.

    Args:
        path: any file that PyAV opens; an image is a video of one frame.
        size: the side of a square, in pixels: the picture is resized until its short side is that
            long, and its centre is cut out. None: the picture's own size, that of the first frame
            throughout.
        most: how many frames at most. None: all.
        whole: nothing is cut out: ``size`` is that of the short side.

    A Note at the end says if some frames could not be decoded; the one before is shown for them,
    and a file that was cut off ends early.

    Raises:
        UserError: when the first frame is asked for: there is no such file, no video can be found
            in it, or not one frame can be decoded.
    """
    with _opened(path) as container:
        stream, shape = _video(container), None
        rate = _film(container, stream, _pace(path)).rate
        decoded = _decoded(container, stream, path)
        for number, frame in itertools.islice(_evenly(decoded, rate), most):
            shape = shape or _shape(frame, stream, size)
            yield Frame(float(number / rate), _pixels(frame, shape, None if whole else size))


def _opened(path: Path) -> InputContainer:
    if not path.is_file():
        raise UserError(f"There is no video {str(path)!r}: no such file.")
    try:
        container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise UserError(
            f"{str(path)!r} cannot be read as a video: {error.strerror}. It is another kind of "
            "file, or damaged."
        ) from None
    # FFmpeg plays text as the screen of a terminal, letter by letter.
    if not container.streams.video or container.format.name == "tty":
        container.close()
        raise UserError(f"{str(path)!r} has no video in it.")
    return container


def _video(container: InputContainer) -> VideoStream:
    return container.streams.best("video") or container.streams.video[0]  # a cover comes last


def _pace(path: Path) -> Fraction | None:
    """Frames a second by the times of the first packets; what a file says of itself may be the rate
    of its clock."""
    times: set[int] = set()
    with _opened(path) as container:
        stream = _video(container)
        with contextlib.suppress(av.FFmpegError):
            for packet in itertools.islice(container.demux(stream), PACED):
                if packet.pts is not None:
                    times.add(packet.pts)
        base = stream.time_base
    known = sorted(times)
    if len(known) > PACED // 2:  # of the last ones some come later, out of order
        known = known[:-REORDERED]
    if len(known) < 2 or base is None:
        return None
    return Fraction(len(known) - 1, known[-1] - known[0]) / base


def _film(container: InputContainer, stream: VideoStream, pace: Fraction | None) -> Film:
    rate = stream.average_rate or stream.guessed_rate
    if pace and (not rate or abs(pace - rate) > rate / 20):
        rate = pace.limit_denominator(1001)
    if not rate or not 0 < rate <= FASTEST:
        rate = Fraction(25)
    seconds = None
    if stream.duration and stream.time_base:
        seconds = stream.duration * stream.time_base
    elif container.duration:
        seconds = Fraction(container.duration, av.time_base)
    return Film(rate, stream.frames or (max(1, round(seconds * rate)) if seconds else None))


def _decoded(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded, in the order in which they are shown."""
    packets = container.demux(stream)
    count = damaged = 0
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:  # the container ends here; the decoder may hold frames yet
            packet, damaged = None, damaged + 1
        try:
            found = stream.decode(packet)
        except av.EOFError:  # all was asked for before
            found = []
        except av.FFmpegError:
            found, damaged = [], damaged + 1
        whole = [frame for frame in found if not frame.is_corrupt]
        damaged += len(found) - len(whole)
        count += len(whole)
        yield from whole
        if packet is None:
            break
    if not count:
        raise UserError(f"Not one frame of {str(path)!r} can be decoded: the file is damaged.")
    if damaged:
        said = f"{str(path)!r} is damaged: {count} frames could be decoded, about {damaged} not."
        warnings.warn(said, Note, stacklevel=2)


def _evenly(
    decoded: Iterator[av.VideoFrame], rate: Fraction
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Give frames the numbers 0, 1, 2, ...: times rounded to 1/rate s, the last of equals."""
    number, held, start = 0, None, None
    for frame in decoded:
        follows = number if held is None else number + 1
        if frame.time is not None and start is not None:
            rounded = round((frame.time - start) * rate)
            if abs(rounded - number) <= LONGEST_PAUSE * rate:
                follows = max(number, rounded)
            else:
                start = None
        if frame.time is not None and start is None:
            start = frame.time - follows / rate
        for repeated in range(number, follows):
            yield repeated, held
        number, held = follows, frame
    if held is not None:
        yield number, held


def _shape(frame: av.VideoFrame, stream: VideoStream, size: int | None) -> tuple[int, int]:
    """Height and width to resize to, before turning upright and cutting."""
    height, width = frame.height, frame.width * (stream.sample_aspect_ratio or 1)
    zoom = Fraction(size or 1, min(height, width) if size else 1)
    return max(1, round(height * zoom)), max(1, round(width * zoom))


def _pixels(frame: av.VideoFrame, shape: tuple[int, int], size: int | None) -> np.ndarray:
    """Resized, of it the centre square if there is a size, upright."""
    height, width = shape
    resized = frame.reformat(width, height, "rgb24", interpolation="AREA").to_ndarray()
    if size:
        top, left = (height - size) // 2, (width - size) // 2
        resized = resized[top : top + size, left : left + size]
    return np.ascontiguousarray(np.rot90(resized, round(frame.rotation / 90)))
