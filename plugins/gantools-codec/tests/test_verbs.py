"""compress, decompress and info: exact, nothing overwritten, nothing half-written, one sentence."""

from __future__ import annotations

import json
import os
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
from gantools_codec import images
from gantools_codec.container import Reader, write
from gantools_codec.verbs import Names, app
from PIL import Image
from typer.testing import CliRunner

from gantools import Note, UserError

RNG = np.random.default_rng(0)


def ramp(height, width, channels=3):
    y, x = np.mgrid[:height, :width]
    return np.stack([x + 3 * y + c for c in range(channels)], 2).astype(np.uint8)


def noise(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch, coder, other_coder):
    """Runs named "other" are of another model, those named "gone" are none."""

    def coder_of(run):
        if run is not None and run.name == "gone":
            raise UserError("no run")
        return other_coder if run is not None and run.name == "other" else coder

    module = types.SimpleNamespace(coder_of=coder_of)
    monkeypatch.setitem(sys.modules, "gantools_codec.model", module)
    monkeypatch.setattr("gantools_codec.model", module, raising=False)


def run(*arguments) -> str:
    done = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})
    if done.exception:
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


def refused(*arguments) -> str:
    with pytest.raises(UserError) as error:
        run(*arguments)
    assert error.value.exit_code == 2
    assert "\n" not in str(error.value)
    return str(error.value)


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_one_image_there_and_back(tmp_path):
    photo, packed, back = (tmp_path / name for name in ("photo.png", "photo.gtc", "back.png"))
    images.write(ramp(300, 280), photo)
    said = run("compress", photo, packed)
    size = packed.stat().st_size
    bits = 8 * size / (300 * 280 * 3)
    assert said == f"{packed}: 1 image, {size:,} bytes, {bits:.3f} bits per sub-pixel\n"
    assert run("decompress", packed, back) == f"{back}: 1 image\n"
    assert (images.read(back) == ramp(300, 280)).all()
    run("decompress", packed, tmp_path / "folder")  # one image may have a folder, too
    assert tree(tmp_path / "folder") == ["photo.png"]
    assert tree(tmp_path) == ["back.png", "folder", "folder/photo.png", "photo.gtc", "photo.png"]


@pytest.fixture
def folder(tmp_path):
    """A folder of pictures, and what each becomes."""
    inside = tmp_path / "pictures"
    (inside / "deep" / "er").mkdir(parents=True)
    pixels = {
        "a.png": ramp(8, 8),
        "b.tiff": noise(8, 8, 2),
        "deep/a.png": noise(8, 8, 4),
        "deep/er/c.bmp": ramp(300, 20, 1),
        "z.webp": noise(8, 9),
    }
    for name, image in pixels.items():
        images.write(image, inside / name)
    return inside, pixels


def test_pipes_are_refused(tmp_path):
    photo, packed, pipe = (tmp_path / name for name in ("photo.png", "photo.gtc", "pipe"))
    images.write(ramp(30, 28), photo)
    run("compress", photo, packed)
    assert "cannot be piped" in refused("decompress", packed, "-")
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.open("wb").close(), daemon=True)
    writer.start()
    assert "is a pipe" in refused("decompress", pipe, tmp_path / "back.png")
    assert tree(tmp_path) == ["photo.gtc", "photo.png", "pipe"]


def test_a_folder_there_and_back(tmp_path, folder):
    inside, pixels = folder
    Image.fromarray(noise(9, 9)).save(inside / "photo.jpg")
    Image.fromarray(noise(9, 9)).save(inside / "photo.png")
    packed, back = tmp_path / "all.gtc", tmp_path / "back"
    assert "all.gtc: 7 images, " in run("compress", inside, packed)
    assert run("decompress", packed, back) == f"{back}: 7 images\n"
    for name, image in pixels.items():
        assert (images.read(back / name) == image).all()
    jpeg = images.read(inside / "photo.jpg")
    assert (images.read(back / "photo.png") == jpeg).all()  # its pixels, without loss
    assert (images.read(back / "photo-2.png") == images.read(inside / "photo.png")).all()
    assert len(images.find(back)) == 7


def test_several_files_keep_their_order(tmp_path, folder):
    inside, _ = folder
    packed = tmp_path / "some.gtc"
    run("compress", inside / "z.webp", inside / "a.png", inside / "deep", packed)
    with packed.open("rb") as file:
        names = [name for chunk in Reader(file).chunks for name in chunk.entry.names]
    assert names == ["z.webp", "a.png", "a.png", "er/c.bmp"]
    run("decompress", packed, tmp_path / "back")
    assert tree(tmp_path / "back") == ["a-2.png", "a.png", "er", "er/c.bmp", "z.webp"]


def test_lossy_qualities(tmp_path):
    images.write(noise(20, 20), tmp_path / "a.png")
    run("compress", tmp_path / "a.png", tmp_path / "a.gtc", "--quality", 2)
    run("decompress", tmp_path / "a.gtc", tmp_path / "b.png")
    pixels = images.read(tmp_path / "a.png")
    assert (images.read(tmp_path / "b.png") == pixels & 0xF0).all()
    said = refused("compress", tmp_path / "a.png", tmp_path / "b.gtc", "--quality", 9)
    assert "Quality 9 is not there" in said
    assert not (tmp_path / "b.gtc").exists()


def test_an_unreadable_image_stops_the_work_or_is_left_out(tmp_path, folder):
    inside, _ = folder
    (inside / "bad.png").write_text("no image")
    (inside / "deep" / "worse.png").write_text("no image")
    packed = tmp_path / "all.gtc"
    said = refused("compress", inside, packed)
    assert str(inside / "bad.png") in said
    assert "--skip" in said
    assert not packed.exists()
    with pytest.warns(
        Note, match=r"2 files: \S+bad.png is not an image.*worse.png is not an image"
    ):
        said = run("compress", inside, packed, "--skip")
    assert "all.gtc: 5 images, " in said
    said = refused("compress", inside / "bad.png", tmp_path / "none.gtc", "--skip")
    assert "None of the images could be read" in said
    assert "--skip" not in refused("compress", inside / "bad.png", tmp_path / "none.gtc")
    assert tree(tmp_path)[0] == "all.gtc"
    assert not list(tmp_path.glob(".*"))


def test_bad_words_for_compress(tmp_path, folder):
    inside, _ = folder
    before = tree(tmp_path)
    packed = tmp_path / "all.gtc"
    assert "There is no file" in refused("compress", tmp_path / "gone.png", packed)
    (tmp_path / "empty").mkdir()
    assert "There are no images in the folder" in refused("compress", tmp_path / "empty", packed)
    (tmp_path / "empty").rmdir()
    said = refused("compress", inside / "a.png", inside / "b.tiff")  # OUT was forgotten
    assert "its name must end in .gtc" in said
    assert "there is no folder" in refused("compress", inside, tmp_path / "no" / "o.gtc")
    assert refused("compress", inside, packed, "--run", "gone") == "no run"
    assert tree(tmp_path) == before
    packed.write_text("precious")
    assert "exists already and is left as it is" in refused("compress", inside, packed)
    assert packed.read_text() == "precious"


def test_bad_words_for_decompress(tmp_path, folder):
    inside, _ = folder
    many, one = tmp_path / "many.gtc", tmp_path / "one.gtc"
    run("compress", inside, many)
    run("compress", inside / "b.tiff", one)
    before = tree(tmp_path)
    assert "give the name of a folder" in refused("decompress", many, tmp_path / "o.png")
    assert ".jpg would lose pixels" in refused("decompress", one, tmp_path / "o.jpg")
    assert ".webp does not keep" in refused("decompress", one, tmp_path / "o.webp")
    assert "Cannot read" in refused("decompress", tmp_path / "gone.gtc", tmp_path / "o.png")
    assert "not a .gtc file" in refused("decompress", inside / "a.png", tmp_path / "o.png")
    assert "there is no folder" in refused("decompress", many, tmp_path / "no" / "folder")
    assert "there is no folder" in refused("decompress", one, tmp_path / "no" / "o.png")
    for taken, file in ((inside, many), (inside / "a.png", one)):
        assert "exists already" in refused("decompress", file, taken)
    said = refused("decompress", one, tmp_path / "o.png", "--run", "other")
    assert f"needs the model {b'stand-in'.hex()}" in said
    assert tree(tmp_path) == before


@pytest.mark.parametrize("out", ["back", "back.png"])
def test_a_torn_file_leaves_nothing(tmp_path, coder, out):
    """Images that come whole before the tear are not left either."""
    packed = tmp_path / "a.gtc"
    shapes = [(8, 8)] if out.endswith(".png") else [(1200, 1200), (1100, 1100), (8, 8)]
    with packed.open("wb") as file:
        write(file, [("", noise(*shape)) for shape in shapes], coder)
    with packed.open("rb") as file:
        last = Reader(file).chunks[-1].offset
    data = packed.read_bytes()
    packed.write_bytes(data[:last] + bytes([data[last] ^ 1]) + data[last + 1 :])
    assert "is damaged" in refused("decompress", packed, tmp_path / out)
    packed.write_bytes(data[:-1])
    assert "is cut off before its end" in refused("decompress", packed, tmp_path / out)
    assert os.listdir(tmp_path) == ["a.gtc"]


@pytest.mark.parametrize("verb", ["compress", "decompress"])
def test_an_interruption_leaves_nothing(tmp_path, folder, monkeypatch, verb):
    inside, _ = folder
    packed, out = tmp_path / "all.gtc", tmp_path / "back"
    if verb == "decompress":
        run("compress", inside, packed)
    before = tree(tmp_path)

    def interrupt(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(images, "read" if verb == "compress" else "write", interrupt)
    with pytest.raises(ZeroDivisionError):
        run(verb, *((inside, packed) if verb == "compress" else (packed, out)))
    assert tree(tmp_path) == before


def test_info_as_json(tmp_path, folder):
    inside, pixels = folder
    packed = tmp_path / "all.gtc"
    run("compress", inside, packed)
    about = json.loads(run("info", packed, "--json"))
    size = packed.stat().st_size
    subpixels = sum(image.size for image in pixels.values())
    assert about["shapes"] == {"8×8×3": 1, "8×8×2": 1, "8×8×4": 1, "300×20×1": 1, "8×9×3": 1}
    assert (about["version"], about["quality"], about["images"]) == (1, 0, 5)
    assert about["model"] == b"stand-in".hex()
    assert about["bytes_total"] == size
    assert about["bits_per_subpixel"] == pytest.approx(8 * size / subpixels)
    parts = [about[f"bytes_{part}"] for part in ("code", "pixels", "header")]
    assert sum(parts) == size
    with packed.open("rb") as file:
        chunks = Reader(file).chunks
    coded = sum(chunk.coded for chunk in chunks)
    assert 0 < coded < 5
    assert about["bytes_code"] == 2 * coded
    assert about["bytes_header"] == size - sum(chunk.length for chunk in chunks)
    bits = sum(about[f"bits_{part}"] for part in ("code", "pixels", "header"))
    assert bits == pytest.approx(about["bits_per_subpixel"])


def test_info_decodes_nothing_and_needs_no_model(tmp_path, folder, coder, monkeypatch):
    inside, _ = folder
    packed = tmp_path / "all.gtc"
    run("compress", inside, packed)
    monkeypatch.setattr(type(coder), "decode", None)
    said = run("info", packed)
    assert "5 images, version 1, quality lossless" in said
    assert "8×8×3: 1 image\n" in said
    assert "code:" in said
    said = run("info", packed, "--run", "other")
    assert f"model {b'stand-in'.hex()}, which is not the one at hand" in said
    assert "code:" not in said
    assert refused("info", packed, "--run", "gone") == "no run"
    monkeypatch.setattr(sys.modules["gantools_codec.model"], "coder_of", lambda run: _raise())
    assert json.loads(run("info", packed, "--json"))["bytes_code"] is None


def _raise():
    raise UserError("the plugin came without its model")


def test_info_of_a_torn_file(tmp_path, folder):
    inside, _ = folder
    packed = tmp_path / "all.gtc"
    run("compress", inside, packed)
    packed.write_bytes(packed.read_bytes()[:-3])
    assert "is cut off" in refused("info", packed)


def test_nothing_is_drawn_where_output_is_piped(tmp_path):
    images.write(ramp(8, 8), tmp_path / "a.png")
    arguments = ["compress", str(tmp_path / "a.png"), str(tmp_path / "a.gtc")]
    assert CliRunner().invoke(app, arguments).stderr == ""


# -- names


RGB = (4, 4, 3)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.png", "a.png"),
        ("", "000001.png"),
        ("..", "000001.png"),
        ("/", "000001.png"),
        ("/etc/passwd", "etc/passwd.png"),
        ("../../a.png", "a.png"),
        ("a/../../b.png", "a/b.png"),
        ("a/./b.png", "a/b.png"),
        ("..\\..\\a.png", "a.png"),
        ("C:\\Windows\\a.png", "C_/Windows/a.png"),
        ("a\nb\x1b[31m.png", "a_b_[31m.png"),
        (".bashrc", "bashrc.png"),
        (".ssh/authorized_keys", "ssh/authorized_keys.png"),
        ("a. . ./b.png. ", "a/b.png"),
        ("con.png", "_con.png"),
        ("photo.jpg", "photo.png"),
        ("photo.JPEG", "photo.png"),
        ("photo.TIF", "photo.TIF"),
        ("photo.pgm", "photo.png"),  # keeps no colours
        ("photo.2024", "photo.2024.png"),
        ("日本/é.webp", "日本/é.webp"),
    ],
)
def test_names_lead_nowhere_else(name, path):
    assert Names().fresh(name, RGB).as_posix() == path


def test_names_are_long_but_not_too_long():
    path = Names().fresh("é" * 500 + ".webp", RGB)
    assert path.suffix == ".webp"
    assert len(path.name.encode()) <= 200
    deep = Names().fresh("a/" * 5000 + "b.png", RGB)
    assert len(deep.parts) == 16
    assert deep.name == "b.png"


def test_names_are_given_once():
    names = Names()
    asked = ["a.png", "a.png", "A.PNG", "a-2.png", "a.png/b.png", "b/c.png", "b", "b.png/x.png"]
    given = [names.fresh(name, RGB).as_posix() for name in asked]
    assert given == [
        "a.png",
        "a-2.png",
        "A-3.PNG",
        "a-2-2.png",
        "b.png",  # a.png is no folder
        "b/c.png",
        "b-2.png",
        "x.png",
    ]
    names.fresh("e\u0301.png", RGB)
    assert names.fresh("\u00e9.png", RGB) == Path("\u00e9-2.png")  # one file on a Mac
    many = {names.fresh("same.png", RGB) for _ in range(3000)}
    assert len(many) == 3000


def test_hostile_names_stay_in_the_folder(tmp_path, coder):
    packed, back = tmp_path / "inner" / "a.gtc", tmp_path / "inner" / "back"
    packed.parent.mkdir()
    hostile = ["../x.png", "/tmp/x.png", "a/../../../x.png", "x.png/y.png", "\\\\host\\x.png", "."]
    with packed.open("wb") as file:
        write(file, [(name, noise(3, 3)) for name in hostile], coder)
    run("decompress", packed, back)
    assert len(images.find(back)) == len(hostile)
    assert sorted(os.listdir(packed.parent)) == ["a.gtc", "back"]
    assert os.listdir(tmp_path) == ["inner"]
