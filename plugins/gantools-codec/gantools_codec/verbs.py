"""``gantools codec compress``, ``decompress`` and ``info``: pictures in and out of .gtc files."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from gantools.errors import UserError
from gantools.files import aside, left_out
from gantools.verbs import ModelOf, bar, group, writing

if TYPE_CHECKING:
    import numpy as np

    from gantools_codec.container import Coder, Reader

app = group("Compress pictures with a trained model, and get them back.")

File = Annotated[Path, typer.Argument(metavar="FILE.gtc", help="What compress wrote.")]


@app.command()
def compress(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUTS...", help="Images, and folders of images.")
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT.gtc", help="File to write.")],
    quality: Annotated[
        int, typer.Option(help="0 keeps every pixel; lossy from 1, greater is better.", min=0)
    ] = 0,
    run: ModelOf = None,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave out images that cannot be read.")
    ] = False,
) -> None:
    """Compress images into one .gtc file; a JPEG's pixels are kept as they are decoded."""
    with writing(out, (".gtc",)) as temporary:
        files = _files(inputs)
        from gantools_codec.container import write

        coder = coder_of(run)
        read = _Reading(files, skip)
        with temporary.open("wb") as file, bar("compress", len(files)) as done:
            count = write(file, read, coder, quality, done=done)
        if not count:
            raise UserError(f"None of the images could be read; the first: {read.unread[0]}")
        size = temporary.stat().st_size
    left_out(read.unread)
    print(
        f"{out}: {_images(count)}, {size:,} bytes, {8 * size / read.subpixels:.3f} bits per "
        "sub-pixel"
    )


@app.command()
def decompress(
    file: File,
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="A picture's name, for one; or a new folder.")
    ],
    run: ModelOf = None,
) -> None:
    """Get the images back: one as a .png, .webp, …; several into a folder that is made."""
    from gantools_codec import images
    from gantools_codec.container import Reader

    if str(out) == "-":
        raise UserError("Pictures cannot be piped on: give the name of a picture or of a folder.")
    single = out.suffix.lower() in (*images.READ, *images.WRITTEN)
    if single:
        images.check_suffix(out)
    with _opened(file) as source:
        Reader(source)  # is it one at all? A model takes a moment to load
        reader, names = Reader(source, coder_of(run)), Names()
        count = sum(chunk.entry.shape[0] for chunk in reader.chunks if chunk.number == 0)
        if single and count != 1:
            raise UserError(f"{file} has {count:,} images: give the name of a folder, not {out}.")
        with _writing_to(out, single) as temporary, bar("decompress", count) as done:
            for name, image in reader.images(done):
                path = temporary if single else temporary / names.fresh(name, image.shape)
                path.parent.mkdir(parents=True, exist_ok=True)
                images.write(image, path, out if single else None)
    print(f"{out}: {_images(count)}")


@app.command()
def info(
    file: File,
    run: ModelOf = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a .gtc file has and what its bytes are spent on; nothing is decoded."""
    from gantools_codec.container import Reader

    with _opened(file) as source:
        about = _about(file, Reader(source), run)
    if as_json:
        print(json.dumps(about))
        return
    quality = about["quality"] or "lossless"
    print(f"{file}: {_images(about['images'])}, version {about['version']}, quality {quality}")
    here = "" if about["model_here"] else ", which is not the one at hand"
    print(f"model {about['model']}{here}")
    for shape, count in about["shapes"].items():
        print(f"  {shape}: {_images(count)}")
    for part in ("code", "pixels", "header", "total"):
        if (size := about[f"bytes_{part}"]) is not None:
            share = 100 * size / about["bytes_total"]
            bits = about["bits_per_subpixel" if part == "total" else f"bits_{part}"]
            print(f"{part:>8}: {size:>14,} bytes {share:6.1f} %  {bits:.4f} bits per sub-pixel")


def coder_of(run: Path | None) -> Coder:
    """Load the coder of a run, or, of None, of the model that comes with the plugin.

    Raises:
        UserError: it is no run of codec, or has no whole model.
    """
    from gantools_codec import model

    return model.coder_of(run)


class Names:
    """Gives images the names of files in a folder: none leads out of it, none is given twice."""

    def __init__(self) -> None:
        self.number = 0
        self.files: set[str] = set()
        self.folders: set[str] = set()
        self.asked: Counter[str] = Counter()

    def fresh(self, name: str, shape: tuple[int, ...]) -> Path:
        """Return a relative path for the next image.

        Args:
            name: as the .gtc file has it, which anybody may have written; "" becomes a number.
            shape: of the image (H, W, C); a suffix that does not keep it becomes ``.png``.
        """
        from gantools_codec.images import READ, keeps

        self.number += 1
        parts = [part for part in map(_harmless, re.split(r"[/\\]", name)[-16:]) if part]
        path = Path(*(parts or [f"{self.number:06}"]))
        if not keeps(path.suffix, shape):
            stem = path.stem if path.suffix.lower() in READ else path.name
            path = path.with_name(f"{stem}.png")
        if any(_key(parent) in self.files for parent in path.parents):
            path = Path(path.name)
        first = path
        while _key(path) in self.files or _key(path) in self.folders:
            self.asked[_key(first)] += 1
            path = first.with_name(f"{first.stem}-{1 + self.asked[_key(first)]}{first.suffix}")
        self.files.add(_key(path))
        self.folders.update(map(_key, path.parents))
        return path


class _Reading:
    """Reads images one after another: names, and pixels [H, W, C]."""

    def __init__(self, files: list[tuple[str, Path]], skip: bool) -> None:
        self.files, self.skip = files, skip
        self.unread: list[str] = []
        self.subpixels = 0

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        from gantools_codec import images

        for name, path in self.files:
            try:
                image = images.read(path)
            except UserError as error:
                if not self.skip:
                    cure = " (--skip leaves out such images)" if len(self.files) > 1 else ""
                    raise UserError(f"{error}{cure}") from None
                self.unread.append(str(error))
                continue
            self.subpixels += image.size
            yield name, image


def _files(inputs: list[Path]) -> list[tuple[str, Path]]:
    """Return the images of files and folders: their names in the .gtc, and where they are."""
    from gantools_codec.images import find

    files: list[tuple[str, Path]] = []
    for path in inputs:
        if path.is_dir():
            files += [(each.relative_to(path).as_posix(), each) for each in find(path)]
        elif path.exists():
            files.append((path.name, path))
        else:
            raise UserError(f"There is no file {str(path)!r} to compress.")
    return files


def _about(file: Path, reader: Reader, run: Path | None) -> dict[str, Any]:
    """What ``info`` tells; bytes of the code are None if the model is not at hand."""
    try:
        coder: Coder | None = coder_of(run)
    except UserError:
        if run is not None:
            raise
        coder = None
    if coder is not None and coder.name != reader.model:
        coder = None
    shapes: Counter[str] = Counter()
    subpixels = payloads = code = 0
    for chunk in reader.chunks:
        if chunk.number == 0:
            n, height, width, channels = chunk.entry.shape
            shapes[f"{height}×{width}×{channels}"] += n
            subpixels += math.prod(chunk.entry.shape)
        payloads += chunk.length
        if coder is not None and chunk.coded:
            code += coder.code_bytes(reader.payload(chunk))
    sizes = {
        "code": None if coder is None else code,
        "pixels": payloads - code,
        "header": reader.size - payloads,
    }

    def bits(size: int | None) -> float | None:
        return None if size is None or not subpixels else 8 * size / subpixels

    return {
        "file": str(file),
        "version": reader.version,
        "quality": reader.quality,
        "model": reader.model.hex(),
        "model_here": coder is not None,
        "images": shapes.total(),
        "shapes": dict(shapes),
        "subpixels": subpixels,
        "bytes_total": reader.size,
        **{f"bytes_{part}": size for part, size in sizes.items()},
        "bits_per_subpixel": bits(reader.size),
        **{f"bits_{part}": bits(size) for part, size in sizes.items()},
    }


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from None
    with file:
        if not file.seekable():
            raise UserError(
                f"{path} is a pipe, which cannot be read to and fro: save it to a file."
            )
        yield file


@contextmanager
def _writing_to(out: Path, single: bool) -> Iterator[Path]:
    """Give a file or a folder to write to that becomes ``out`` if the body ends well."""
    if single:
        with writing(out, (out.suffix,)) as temporary:
            yield temporary
        return
    if out.exists() or out.is_symlink():
        raise UserError(f"{out} exists already and is left as it is: choose another name.")
    if not out.parent.is_dir():
        raise UserError(f"Cannot write {out}: there is no folder {out.parent}.")
    try:
        with aside(out) as temporary:
            temporary.mkdir()
            yield temporary
    except OSError as error:
        raise UserError(f"Cannot write {out}: {error.strerror or error}.") from None


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _key(path: Path) -> str:
    """What two paths share that are one file on some system."""
    return unicodedata.normalize("NFC", path.as_posix()).casefold()


def _harmless(part: str) -> str:
    """Make a part of a path harmless on every system; "" if nothing is left of it.

    It keeps letters of all scripts; control characters and what Windows forbids become ``_``, and
    it has at most 200 bytes, without spaces or dots at its ends.
    """
    part = re.sub(r'[\x00-\x1f\x7f-\x9f<>:"|?*]', "_", part)
    stem, dot, suffix = part.rpartition(".")
    if dot and len(suffix) <= 8:
        part = stem.encode()[: 200 - 9].decode(errors="ignore") + dot + suffix
    part = part.encode()[:200].decode(errors="ignore").strip(". ")
    if re.fullmatch(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", part, re.IGNORECASE):
        part = "_" + part
    return part
