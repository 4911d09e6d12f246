"""Files that are whole or not there, that are found in a folder, and that cannot be used."""

from __future__ import annotations

import os
import warnings

import pytest

from gantools.errors import Note, UserError
from gantools.files import aside, find, left_out


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    path = tmp_path / "film.mp4"
    path.write_text("old")
    with aside(path) as temporary:
        assert temporary == tmp_path / f".film.{os.getpid()}.mp4"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["film.mp4"]


def half_of_it(file, error):
    file.parent.mkdir(exist_ok=True)
    file.write_text("half of")
    raise error


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("there", [True, False])
def test_what_ends_badly_leaves_nothing_and_the_old_file(tmp_path, error, there):
    path = tmp_path / "film.mp4"
    if there:
        path.write_text("old")
    with pytest.raises(error), aside(path) as temporary:
        half_of_it(temporary, error)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == (
        [("film.mp4", "old")] if there else []
    )


def test_it_is_flushed_to_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    done = []
    flush, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (done.append("flushed"), flush(number)))
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("renamed"), replace(*paths)))
    with aside(tmp_path / "text") as temporary:
        temporary.write_text("all of it")
    assert done == ["flushed", "renamed"]


def test_folders_may_be_made_aside_too(tmp_path):
    with aside(tmp_path / "pictures") as temporary:
        temporary.mkdir()
        (temporary / "one").touch()
    assert (tmp_path / "pictures" / "one").is_file()
    with pytest.raises(KeyboardInterrupt), aside(tmp_path / "more") as temporary:
        half_of_it(temporary / "one", KeyboardInterrupt)
    assert os.listdir(tmp_path) == ["pictures"]


def test_nothing_written_and_no_folder_are_errors_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError), aside(tmp_path / "text"):
        pass
    with pytest.raises(FileNotFoundError), aside(tmp_path / "no" / "text") as temporary:
        temporary.write_text("")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), aside(tmp_path / "file" / "text") as temporary:
        temporary.write_text("")


def test_files_are_found_by_their_suffixes_in_order_and_hidden_ones_passed_over(tmp_path):
    for name in ("b.PNG", "a.jpg", "c/b.jpg", "c/a.png", "notes.txt", ".a.png", ".git/a.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "nowhere.png").symlink_to("nothing")
    found = find(tmp_path, (".png", ".jpg"))
    assert [p.relative_to(tmp_path).as_posix() for p in found] == [
        "a.jpg",
        "b.PNG",
        "c/a.png",
        "c/b.jpg",
    ]


def test_a_folder_that_links_to_itself_ends(tmp_path):
    (tmp_path / "a.wav").touch()
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "b.wav").symlink_to(tmp_path / "a.wav")
    assert find(tmp_path, (".wav",)) == [tmp_path / "a.wav", tmp_path / "b.wav"]


def test_nothing_to_find(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"There are no films in the folder .* \(\.mp4, \.gif\)\."):
        find(tmp_path, (".mp4", ".gif"), "films")
    with pytest.raises(UserError, match=r"Cannot read .*: No such file"):
        find(tmp_path / "nowhere", (".mp4",))


def test_what_is_left_out_is_told_with_three_reasons():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        left_out([])
    with pytest.warns(Note, match=r"^Left out, 2 files: a is torn\. b is torn\.$"):
        left_out(["a is torn.", "b is torn."])
    with pytest.warns(Note, match=r"^Left out, 1 recording: a is torn\.$"):
        left_out(["a is torn."], "1 recording")
    with pytest.warns(Note, match=r"^Left out, 5 files: a\. b\. c\. And 2 more\.$"):
        left_out([f"{name}." for name in "abcde"])
