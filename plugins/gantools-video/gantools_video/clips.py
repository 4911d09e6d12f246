"""What is trained on and tested on: stretches of frames, no scene cut inside, and what was done."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gantools import UserError
from gantools.data import Rows, keep_arrays, kept_arrays, labelled_digits
from gantools.errors import did_you_mean
from gantools.files import find, left_out
from gantools_video import reading
from gantools_video.digits import MovingDigits, moving_digits

SUFFIXES = (
    *(".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
    *(".mts", ".ogv", ".ts", ".webm", ".wmv", ".y4m"),
)
"""What is taken from a folder. A file that is named by itself may end in anything."""
TRAINED = 0.7
"""The part of each clip, from its beginning, that is trained on; the rest is the test."""
DIGITS_TEST, DIGITS_FRAMES = 400, 80
"""Sequences of moving digits that are tested on, and frames of each."""
WIDE = 1.5
"""Short side of the frames that are trained on, of what is cut out of them."""
ENVIRONMENT = "env:"
"""How the name of an environment begins."""
PARTS = ("train", "test", "left_out", "train_actions", "test_actions")


@dataclass(frozen=True)
class Clips:
    """Stretches of consecutive frames, uint8 [T, C, S, S] each, T ≥ 1, with no cut inside."""

    train: list[Tensor]
    """[T, C, H, W] each, of videos the whole picture, larger than S × S (:class:`Crops`)."""
    test: list[Tensor]
    """Later frames of the clips in ``train``, or other sequences."""
    left_out: list[Tensor]
    """All of the clip that is left out wholly, from cut to cut."""
    source: str
    """What they are, for reports: "3 videos in 'clips', 502 frames; 5 scene cuts avoided"."""
    train_actions: list[Tensor] = field(default_factory=list)
    """Of environments: what was done in each stretch of ``train``, float32 [T, A], row t between
    the frames t and t + 1 (:class:`gantools_video.environments.Films`)."""
    test_actions: list[Tensor] = field(default_factory=list)
    """The same of ``test``."""
    glyphs: Tensor | None = None
    """Of moving digits, which are drawn as they are trained on, the digits: uint8 [N, 1, G, G]."""

    def rows(self, length: int, size: int) -> list[Rows]:
        """What batches of ``length`` frames are taken of: films, and what is done in them, if
        anything is."""
        if self.glyphs is not None:
            return [MovingDigits(self.glyphs, length, size)]
        if self.train_actions:  # whose left and right have a meaning
            return [Windows(self.train, length), Windows(self.train_actions, length)]
        return [Crops(self.train, length, size)]


def shape(source: str) -> tuple[int, int]:
    """Channels of a source's frames, and how many numbers say what is done in them, 0 if nothing.

    Nothing is read or drawn for it.

    Raises:
        UserError: there is no such environment, or its actions cannot be learned from.
    """
    if source.startswith(ENVIRONMENT):
        from gantools_video import environments

        return 3, environments.numbers(source.removeprefix(ENVIRONMENT))
    return (1, 0) if source == "moving-digits" else (3, 0)


def load(source: str, size: int, seed: int, *, leave_out: str | None = None) -> Clips:
    """Make or read clips and split them into training and test; all are held in memory.

    Args:
        source: ``"moving-digits"``: grey sequences, drawn anew for every batch, and 400 of 80
            frames of digits held out to test (:func:`gantools_video.digits.moving_digits`). A
            video, or a folder: all videos in it and below, in colour
            (:func:`gantools_video.reading.frames`); the first 70 % of each clip's frames train, the
            whole picture with a short side of 1.5 · ``size``, and the last 30 % test, the centre
            square. No stretch passes the border or a scene cut (:func:`cuts`).
            ``"env:Pendulum-v1"``: that environment, played at random
            (:func:`gantools_video.environments.films`).
        size: side S of the frames, in pixels.
        seed: draws the moving digits and which are held out, or what is played; videos have
            nothing to draw.
        leave_out: the video of the folder that is neither trained on nor in the test, by its name,
            with or without the suffix.

    A Note says which files of a folder could not be read.

    Raises:
        UserError: there is no such source, or no such clip to leave out; the video cannot be read,
            or none of the folder; there are no two consecutive frames to train on, or none to test;
            the environment cannot be learned from here.
    """
    if source == "moving-digits" or source.startswith(ENVIRONMENT):
        if leave_out is not None:
            raise UserError(f"{source} has no clip {leave_out!r} to leave out.")
        if source == "moving-digits":
            return _moving_digits(size, seed)
        return _environment(source.removeprefix(ENVIRONMENT), size, seed)
    path = Path(source).expanduser()
    files = _videos(path, source)
    if leave_out is not None and not any(_called(file, leave_out) for file in files):
        hint = did_you_mean(leave_out, [file.name for file in files])
        raise UserError(f"{source!r} has no clip {leave_out!r} to leave out.{hint}")
    train, test, apart = [], [], []
    videos = length = scenes = 0
    unread = []
    for file in files:
        try:
            clip = _read(file, size)
            apart_wholly = leave_out is not None and _called(file, leave_out)
            wide = None if apart_wholly else _read(file, round(WIDE * size), whole=True)
        except UserError as error:
            if path.is_file():
                raise
            unread.append(str(error))
            continue
        at = cuts(clip)
        videos, length, scenes = videos + 1, length + len(clip), scenes + len(at)
        if wide is None:
            apart += _stretches(clip, at)
            continue
        border = math.floor(TRAINED * len(clip))
        train += _stretches(wide[:border].clone(), at)  # clones, for the rest is let go
        test += _stretches(clip[border:].clone(), [first - border for first in at])
    left_out(unread)
    if not test or max(map(len, train), default=0) < 2:
        raise UserError(
            f"{source!r} is too short: it has {sum(map(len, train))} frames to train on and "
            f"{sum(map(len, test))} for the test; at least two in a row and one are needed."
        )
    what = f"the video {source!r}" if path.is_file() else f"{videos} videos in {source!r}"
    return Clips(train, test, apart, f"{what}, {length} frames; {scenes} scene cuts avoided")


def keep(clips: Clips, path: Path) -> None:
    """Write clips into a .npz file of their own."""
    keep_arrays(path, {"source": clips.source}, **{part: getattr(clips, part) for part in PARTS})


def kept(path: Path) -> Clips:
    """Read what :func:`keep` wrote.

    Raises:
        UserError: it is torn.
    """
    facts, parts = kept_arrays(path, *PARTS)
    train, test, left_out, *done = (list(map(torch.from_numpy, part)) for part in parts)
    return Clips(train, test, left_out, facts["source"], *done)


class Windows:
    """All stretches of ``length`` frames that some clips have, [N, length, C, S, S], held once.

    Args:
        stretches: [T, C, S, S] each, or what was done in them, [T, A]; one shorter than a window
            has none.
        length: frames of a window.
    """

    def __init__(self, stretches: Sequence[Tensor], length: int) -> None:
        self.stretches, self.length = stretches, length
        self.firsts = [
            (number, first)
            for number, stretch in enumerate(stretches)
            for first in range(len(stretch) - length + 1)
        ]
        """Of each window, the stretch and its first frame there."""

    def __len__(self) -> int:
        return len(self.firsts)

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Windows by their numbers, [B, length, …]."""
        return torch.stack([self.window(row) for row in rows.tolist()])

    def window(self, row: int) -> Tensor:
        """One window, [length, …]."""
        i, t = self.firsts[row]
        return self.stretches[i][t : t + self.length]


class Crops(Windows):
    """Windows of which a square is seen, anywhere and of any size that is no less than S pixels.

    It is resized to S × S, and seen in a mirror or played backwards, each one time in two.

    Args:
        stretches: uint8 [T, C, H, W] each, H and W ≥ S.
        length: frames of a window.
        size: S.
    """

    def __init__(self, stretches: Sequence[Tensor], length: int, size: int) -> None:
        super().__init__(stretches, length)
        self.size = size

    def draw(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Windows by their numbers, uint8 [B, length, C, S, S]."""
        chances = torch.rand(len(rows), 5, generator=generator).tolist()
        return torch.stack(
            [self.seen(self.window(n), *of) for n, of in zip(rows.tolist(), chances, strict=True)]
        )

    def seen(
        self, film: Tensor, large: float, top: float, left: float, mirror: float, back: float
    ) -> Tensor:
        """What is seen of a film [T, C, H, W]: [T, C, S, S]; all others are in [0, 1)."""
        height, width = film.shape[2:]
        side = self.size + int(large * (min(height, width) - self.size + 1))
        y, x = int(top * (height - side + 1)), int(left * (width - side + 1))
        film = film[:, :, y : y + side, x : x + side]
        if side > self.size:
            film = interpolate(film, (self.size, self.size), mode="bilinear", antialias=True)
        film = film.flip(-1) if mirror < 0.5 else film
        return film.flip(0) if back < 0.5 else film


def cuts(clip: Tensor, contrast: float = 2.5, least: float = 0.06) -> list[int]:
    """Find the hard cuts of a clip: the numbers of the frames with which a new scene begins.

    Such a frame differs much from the one before, and far more than the frames around it differ
    from each other: so fast motion, which lasts, is no cut. It is PySceneDetect's AdaptiveDetector
    on mean absolute differences of RGB. A flash is found as two cuts; fades and dissolves are not
    found.

    Args:
        clip: uint8 [T, C, H, W].
        contrast: how many times the mean of the two differences before and the two after.
        least: the least mean absolute difference of a cut; black to white is 1.
    """
    change = [((b.float() - a.float()).abs().mean() / 255).item() for a, b in pairwise(clip)]
    found = []
    for i, here in enumerate(change):
        around = change[max(0, i - 2) : i] + change[i + 1 : i + 3]
        if here >= least and here * len(around) >= contrast * sum(around):
            found.append(i + 1)
    return found


def _environment(env: str, size: int, seed: int) -> Clips:
    from gantools_video import environments

    train, test, said = environments.films(env, size, seed)
    return Clips(train.frames, test.frames, [], said, train.actions, test.actions)


def _moving_digits(size: int, seed: int) -> Clips:
    glyphs = labelled_digits(seed).images
    generator = torch.Generator().manual_seed(seed)
    test = moving_digits(glyphs.held_out, DIGITS_TEST, DIGITS_FRAMES, size, generator)
    said = (
        f"two of MNIST's digits that fly about, drawn anew from {len(glyphs.train):,} for every "
        f"batch; {DIGITS_TEST} sequences of {DIGITS_FRAMES} frames with others of digits to test"
    )
    return Clips([], list(test), [], said, glyphs=glyphs.train)


def _videos(path: Path, source: str) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UserError(
            f"There is no file or folder {source!r}.{did_you_mean(source, ['moving-digits'])} "
            "Clips come from 'moving-digits', a folder of videos, one video, or an environment: "
            "'env:Pendulum-v1'."
        )
    return find(path, SUFFIXES, "videos")


def _called(file: Path, name: str) -> bool:
    return name in (file.name, file.stem)


def _read(file: Path, size: int, *, whole: bool = False) -> Tensor:
    """All frames of a clip: uint8 [T, 3, size, size], or with their own sides."""
    pixels = np.stack([frame.pixels for frame in reading.frames(file, size, whole=whole)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def _stretches(clip: Tensor, cuts: Sequence[int]) -> list[Tensor]:
    inside = [first for first in cuts if 0 < first < len(clip)]
    return [clip[a:b] for a, b in pairwise([0, *inside, len(clip)]) if b > a]
