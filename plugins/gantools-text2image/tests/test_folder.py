"""A folder with a table of captions, and the hub: what is read, and what bad input is told."""

import json
import os
import sys
import types
import warnings

import pytest
import torch
from gantools_text2image.photos import square
from gantools_text2image.sources import load
from PIL import Image

from gantools import Note, UserError

RED, BLUE = (255, 0, 0), (0, 0, 255)


def image(path, colour=RED, size=(40, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def table(folder, *rows):
    """Write metadata.jsonl; a str is a line as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(name, text="a red square"):
    return {"file_name": name, "text": text}


@pytest.fixture
def folder(tmp_path):
    """Twenty red squares with captions."""
    for number in range(20):
        image(tmp_path / f"{number:02}.png")
    table(tmp_path, *(row(f"{n:02}.png", f"square {n}") for n in range(20)))
    return tmp_path


def test_pictures_captions_and_two_held_out_of_twenty(folder):
    pictures = load(str(folder), 32, seed=0)
    assert pictures.images.shape == (20, 3, 32, 32)
    assert pictures.images.dtype == torch.uint8
    assert torch.all(pictures.images == torch.tensor(RED).view(3, 1, 1))
    assert pictures.captions[7] == ["square 7"]
    assert pictures.split.count("held-out") == 2
    assert pictures.split.count("train") == 18
    assert pictures.tones is None
    assert not pictures.placed


def test_the_seed_draws_what_is_held_out(folder):
    splits = [load(str(folder), 32, seed).split for seed in (0, 0, 1, 2)]
    assert splits[0] == splits[1]
    assert splits[0] != splits[2] or splits[0] != splits[3]


def test_several_captions_of_one_picture(tmp_path):
    for name in ("a.png", "b.png", "sub/c.png"):
        image(tmp_path / name)
    table(
        tmp_path, row("a.png", "one"), row("b.png", "b"), row("sub/c.png", "c"), row("a.png", "I")
    )
    assert load(str(tmp_path), 32, seed=0).captions == [["one", "I"], ["b"], ["c"]]


def test_an_image_that_changed_is_read_anew(folder):
    before = load(str(folder), 32, seed=0)
    image(folder / "00.png", BLUE)
    os.utime(folder / "00.png", ns=(1, 1))
    after = load(str(folder), 32, seed=0)
    assert before.images[0, 2, 0, 0] == 0
    assert after.images[0, 2, 0, 0] == 255


def test_bad_rows_are_left_out_and_told(folder):
    (folder / "broken.png").write_bytes(b"not an image")
    (folder / "torn.png").write_bytes((folder / "00.png").read_bytes()[:60])
    image(folder.parent / "beside.png")
    table(
        folder,
        row("00.png"),
        "{not json",
        row("01.png", "  "),
        row("missing.png"),
        row("../beside.png"),
        row("broken.png"),
        row("torn.png"),
        "[1, 2]",
        {"text": "no name"},
        {"file_name": "02.png"},
        row("x" * 1000),
        row("03.png", "another"),
        row("04.png", "a third"),
    )
    for _ in range(2):  # from the cache as well
        with pytest.warns(Note) as told:
            pictures = load(str(folder), 32, seed=0)
        (note,) = told
        assert "left out 10 of 13 rows: line 2 (not a JSON object), 01.png (no text), missing." in (
            str(note.message)
        )
        assert len(pictures) == 3
        assert pictures.split.count("train") == 2


def test_no_note_where_all_is_well(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(str(folder), 32, seed=0)


def test_no_folder(tmp_path):
    with pytest.raises(UserError, match=r"There is no folder '.*nowhere'\. Pictures come from"):
        load(str(tmp_path / "nowhere"), 32, seed=0)
    with pytest.raises(UserError, match="Did you mean 'openmoji'"):
        load("opnemoji", 32, seed=0)


def test_no_table(folder):
    (folder / "metadata.jsonl").unlink()
    with pytest.raises(UserError, match=r"has neither .* for each file: .*0001.png.*a red heart"):
        load(str(folder), 32, seed=0)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"nonsense\n"])
def test_a_table_without_a_usable_row(folder, content):
    (folder / "metadata.jsonl").write_bytes(content)
    with pytest.raises(UserError, match="has 0 usable pictures, and at least 3 are needed"):
        load(str(folder), 32, seed=0)


def test_two_pictures_are_too_few(folder):
    table(folder, row("00.png"), row("01.png"), row("gone.png"))
    expected = r"has 2 usable pictures, and at least 3 .* Left out: gone.png \(no such file\)"
    with pytest.raises(UserError, match=expected):
        load(str(folder), 32, seed=0)


def test_what_is_transparent_becomes_white():
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    clear.paste((0, 0, 0, 128), (0, 0, 16, 32))
    pixels = square(clear, 32)
    assert torch.all(pixels[:, :, 16:] == 255)
    assert torch.all(pixels[:, :, :16] == 127)


def test_the_middle_is_kept_and_the_camera_is_obeyed(tmp_path):
    wide = Image.new("RGB", (300, 100), BLUE)
    wide.paste(RED, (100, 0, 200, 100))
    assert torch.all(square(wide, 32) == torch.tensor(RED).view(3, 1, 1))
    lying = Image.new("RGB", (64, 64), RED)
    lying.paste(BLUE, (0, 0, 32, 64))  # left; upright after a quarter turn clockwise: above
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "lying.png", exif=exif)
    upright = square(Image.open(tmp_path / "lying.png"), 32)
    assert upright[:, 5, 16].tolist() == list(BLUE)
    assert upright[:, 26, 16].tolist() == list(RED)


def test_fine_lines_shrink_to_grey():
    lines = Image.new("L", (256, 256))
    for x in range(0, 256, 2):
        lines.paste(255, (x, 0, x + 1, 256))
    assert (square(lines, 32)[:, 4:-4, 4:-4].float() - 127.5).abs().max() < 3


def test_sixteen_bits_keep_their_grey():
    import numpy as np

    grey = Image.fromarray(np.full((40, 40), 257 * 100, dtype=np.uint16))
    assert torch.all(square(grey, 32) == 100)


class FakeData:
    """As much of datasets.Dataset as is used."""

    def __init__(self, fingerprint, **columns):
        self.columns, self._fingerprint = columns, fingerprint
        self.column_names = list(columns)

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.columns[key]
        return {name: values[key] for name, values in self.columns.items()}


@pytest.fixture
def hub(monkeypatch):
    """A hub of data sets: {(name, split): data}."""
    known = {}

    def load_dataset(name, split):
        if (name, split) not in known:
            raise FileNotFoundError(f"Dataset '{name}' doesn't exist on the Hub.\nTrace")
        return known[name, split]

    fake = types.SimpleNamespace(load_dataset=load_dataset)
    monkeypatch.setitem(sys.modules, "datasets", fake)
    return known


def test_the_hub(hub, tmp_path):
    squares = [Image.new("RGB", (50, 50), RED) for _ in range(4)]
    captions = ["one", ["two", "zwei"], "three", "four"]
    fingerprint = str(tmp_path)
    hub["me/squares", "train"] = FakeData(fingerprint, image=[*squares[:3], None], caption=captions)
    hub["me/squares", "test"] = FakeData(fingerprint, image=squares, text=["1", "2", "3", "4"])
    with pytest.warns(Note, match=r"left out 1 of 4 rows: 3 \(unreadable\)"):
        pictures = load("hf:me/squares", 32, seed=0)
    assert pictures.captions == [["one"], ["two", "zwei"], ["three"]]
    assert pictures.images.shape == (3, 3, 32, 32)
    assert len(load("hf:me/squares:test", 32, seed=0)) == 4


def test_bad_input_for_the_hub(hub, monkeypatch):
    hub["x", "train"] = FakeData("1", picture=[1], text=["a"])
    hub["y", "train"] = FakeData("2", image=[1], label=[1])
    with pytest.raises(UserError, match=r"'x' has no column 'image' \(it has picture, text\)"):
        load("hf:x", 32, seed=0)
    with pytest.raises(UserError, match=r"'y' has no column 'text' or 'caption' \(it has image"):
        load("hf:y", 32, seed=0)
    with pytest.raises(UserError, match=r"'z' \(split 'train'\) cannot be read: Dataset 'z' does"):
        load("hf:z", 32, seed=0)
    with pytest.raises(UserError, match="wants the name of a data set"):
        load("hf:", 32, seed=0)
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match=r"pip install 'gantools-text2image\[hub\]'"):
        load("hf:x", 32, seed=0)
