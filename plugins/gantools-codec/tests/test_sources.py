"""Training data: what is read and how it is split, and what bad input is told."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from gantools_codec import sources
from gantools_codec.sources import load
from PIL import Image

from gantools import Note, UserError
from gantools.data import LabelledDigits, Split

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (20, 6, 5), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def _no_other_notes():
    """A Note that a test does not expect fails it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        yield


def keys(images):
    return {image.tobytes() for image in images}


def test_digits_are_the_very_pixels_and_split_by_the_seed(monkeypatch):
    pixels = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)  # every grey once
    asked = []

    def digits(seed):
        asked.append(seed)
        return LabelledDigits(Split(pixels[:3], pixels[3:]), Split(None, None))

    monkeypatch.setattr("gantools.data.digits.labelled_digits", digits)
    images = load("digits", seed=7)
    assert asked == [7]
    assert images.train.dtype == images.test.dtype == np.uint8
    assert images.train.shape == (3, 8, 8, 1)
    np.testing.assert_array_equal(images.train.ravel(), np.arange(192))
    np.testing.assert_array_equal(images.test.ravel(), np.arange(192, 256))


@pytest.mark.parametrize(("array", "channels"), [(GREY, 1), (GREY[..., None], 1), (RGB, 3)])
def test_an_array_keeps_a_tenth_by_the_seed(tmp_path, array, channels):
    np.save(tmp_path / "x.npy", array)
    images = load(str(tmp_path / "x.npy"))
    assert images.train.shape == (18, 6, 5, channels)
    assert images.test.shape == (2, 6, 5, channels)
    assert keys(images.train) | keys(images.test) == keys(array)
    drawn = [keys(load(str(tmp_path / "x.npy"), seed).test) for seed in range(8)]
    assert drawn[0] == keys(images.test)
    assert any(other != drawn[0] for other in drawn)


def test_an_array_is_split_by_what_is_in_the_images(tmp_path):
    def drawn(array):
        np.save(tmp_path / "x.npy", array)
        return keys(load(str(tmp_path / "x.npy")).test)

    whole = drawn(RGB)
    assert drawn(RGB[::-1]) == whole
    for left_out in range(20):  # one image less moves one of the others at most
        others = np.delete(RGB, left_out, axis=0)
        assert len((drawn(others) ^ whole) & keys(others)) <= 1
    assert drawn(np.concatenate([RGB, RGB[:9]])) == whole  # equal ones stay together


@pytest.mark.parametrize("names", [("x_train", "x_test"), ("train", "test")])
def test_named_splits_are_kept(tmp_path, names):
    arrays = dict(zip(names, (RGB[:15], RGB[15:]), strict=True))
    np.savez(tmp_path / "x.npz", **arrays, y_train=np.arange(15))
    images = load(str(tmp_path / "x.npz"), seed=3)
    np.testing.assert_array_equal(images.train, RGB[:15])
    np.testing.assert_array_equal(images.test, RGB[15:])


def test_an_array_called_train_alone_and_one_of_any_name_beside_labels(tmp_path):
    for name in ("train", "pictures"):
        np.savez(tmp_path / "x.npz", **{name: RGB}, labels=np.arange(20), boxes=np.zeros((20, 4)))
        assert len(load(str(tmp_path / "x.npz")).test) == 2


def test_duplicates_of_the_test_leave_training_and_are_counted(tmp_path):
    np.savez(tmp_path / "x.npz", train=RGB[[0, 1, 2, 1, 3]], test=RGB[[1, 1, 9]])
    with pytest.warns(Note, match="^2 training images that equal one of the test"):
        images = load(str(tmp_path / "x.npz"))
    np.testing.assert_array_equal(images.train, RGB[[0, 2, 3]])
    assert len(images.test) == 3


def test_equal_bytes_of_another_shape_are_no_duplicate(tmp_path):
    np.savez(
        tmp_path / "x.npz", train=np.zeros((3, 6, 5), np.uint8), test=np.zeros((1, 5, 6), np.uint8)
    )
    assert len(load(str(tmp_path / "x.npz")).train) == 3


def test_no_torch_is_imported_for_a_file(tmp_path):
    np.save(tmp_path / "x.npy", RGB)
    script = (
        "import sys; from pathlib import Path; from gantools_codec import sources\n"
        "folder = Path(sys.argv[1])\n"
        "sources.keep(sources.load(str(folder / 'x.npy')), folder / 'kept.npz')\n"
        "sources.kept(folder / 'kept.npz')\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)


def folder(path, images):
    for number, image in enumerate(images):
        Image.fromarray(image).save(path / f"{number:03}.png")
    return str(path)


def test_a_folder_of_one_shape_is_an_array_and_below_it_counts(tmp_path):
    (tmp_path / "below").mkdir()
    folder(tmp_path, GREY[:10])
    folder(tmp_path / "below", GREY[10:])
    images = load(str(tmp_path))
    assert images.train.shape == (18, 6, 5, 1)
    assert keys(images.train) | keys(images.test) == keys(GREY)


def test_unequal_sizes_are_whole_and_one_in_colour_makes_all_so(tmp_path):
    folder(tmp_path, [GREY[0], GREY[1][:3], RGB[0], RGB[1][:, :2]])
    images = load(str(tmp_path))
    both = [*images.train, *images.test]
    assert len(images.test) == 1
    assert sorted(image.shape for image in both) == [(3, 5, 3), (6, 2, 3), (6, 5, 3), (6, 5, 3)]
    assert {GREY[0].tobytes(), GREY[1][:3].tobytes()} <= keys(image[..., 0] for image in both)


def test_transparency_is_left_out_and_told(tmp_path):
    alpha = np.dstack([RGB[0], GREY[0]])
    folder(tmp_path, [alpha, *RGB[1:3]])
    with pytest.warns(Note, match="The transparency of 1 images"):
        images = load(str(tmp_path))
    assert keys(images.train) | keys(images.test) == keys(RGB[:3])


def test_torn_files_are_left_out_and_jpegs_told(tmp_path):
    folder(tmp_path, RGB[:4])
    Image.fromarray(RGB[5]).save(tmp_path / "photo.jpg")
    (tmp_path / "torn.png").write_bytes(b"no image")
    with pytest.warns(Note) as said:
        images = load(str(tmp_path))
    notes = " ".join(str(note.message) for note in said)
    assert "1 of 5 images were JPEGs" in notes
    assert "torn.png" in notes
    assert len(images.train) + len(images.test) == 5


BAD = [
    ({"train": RGB / 255}, r"'train' is float64, but pixels are uint8.*np.round\(255 \* x\)"),
    ({"train": RGB.transpose(0, 3, 1, 2)}, r"\[20, 3, 6, 5\], channels first.*transpose"),
    ({"train": RGB[0]}, r"shape \[6, 5, 3\]; many images are"),
    ({"train": RGB[..., :2]}, r"shape \[20, 6, 5, 2\]"),
    ({"train": GREY[:, 0]}, r"shape \[20, 5\]"),
    ({"train": GREY[:, :0]}, "without pixels"),
    ({"train": RGB[:1]}, "too few images.*0 to train on and 1 for the test"),
    ({"train": RGB[:0]}, "too few images"),
    ({"train": RGB, "test": RGB[:0]}, "20 to train on and 0 for the test"),
    ({"train": RGB, "test": GREY}, "'train' has 3 channels and 'test' 1; make both"),
    ({"test": RGB}, "nothing to train on: add the array 'train'"),
    ({"a": RGB, "b": GREY}, r"more than one array of images \(it has a \[20, 6, 5, 3\], b .*'train'"),
    ({"labels": np.arange(3)}, r"no array of images \(it has labels \[3\]\)"),
    ({}, r"no array of images \(it has nothing\)"),
    ({"train": np.array([None])}, "cannot be read as NumPy's arrays of numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("arrays", "said"), BAD)
def test_bad_arrays(tmp_path, arrays, said):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=said):
        load(str(tmp_path / "x.npz"))


def test_all_training_images_are_in_the_test(tmp_path):
    np.savez(tmp_path / "x.npz", train=RGB, test=RGB)
    with pytest.warns(Note, match="^20 "), pytest.raises(UserError, match="0 to train on"):
        load(str(tmp_path / "x.npz"))


@pytest.mark.parametrize("at", [0, 0.4, 0.9, 0.99])
@pytest.mark.parametrize("name", ["x.npz", "x.npy"])
def test_a_torn_file(tmp_path, name, at):
    path = tmp_path / name
    if name == "x.npy":
        np.save(path, RGB)
    else:
        np.savez_compressed(path, train=RGB)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(at * len(whole))])
    with pytest.raises(UserError, match="cannot be read as NumPy's"):
        load(str(path))


def test_a_damaged_member_of_a_file(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, train=RGB)
    data = bytearray(path.read_bytes())
    for place in range(100, len(data) - 150, 40):
        data[place] ^= 255
    path.write_bytes(data)
    with pytest.raises(UserError, match="cannot be read as NumPy's"):
        load(str(path))


def test_there_is_no_such_source(tmp_path):
    with pytest.raises(UserError, match=r"no file or folder 'digit'. Did you mean 'digits'"):
        load("digit")
    (tmp_path / "photo.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"no .npz or .npy file.*in a folder"):
        load(str(tmp_path / "photo.png"))


def test_a_folder_without_images(tmp_path):
    with pytest.raises(UserError, match="There are no images in the folder"):
        load(str(tmp_path))
    folder(tmp_path, RGB[:1])
    with pytest.raises(UserError, match="too few images in the folder"):
        load(str(tmp_path))


def test_what_is_kept_is_the_same_when_it_is_read(tmp_path):
    train, test = RGB[:11], [RGB[11], RGB[12][:3]]  # of one shape, and of two
    sources.keep(sources.Images(train, test, "some"), tmp_path / "kept.npz")
    again = sources.kept(tmp_path / "kept.npz")
    assert again.source == "some"
    np.testing.assert_array_equal(again.train, train)
    assert len(again.test) == 2
    assert all(map(np.array_equal, again.test, test))
