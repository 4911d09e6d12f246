"""Tables of files with texts: what is read, what is left out with which reason, what is told."""

from __future__ import annotations

import json
import warnings

import pytest

from gantools.data import Table, find_table, read_table
from gantools.errors import Note, UserError


@pytest.fixture
def folder(tmp_path):
    """A folder beside a file, with three files in it and below it."""
    (tmp_path / "beside.wav").touch()
    for name in ("a.wav", "b.wav", "sub/c.wav"):
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "folder"


def jsonl(folder, *rows):
    """Write metadata.jsonl; a str is a line as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file = folder / "metadata.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def row(name, text="some words"):
    return {"file_name": name, "text": text}


def test_csv_with_a_byte_order_mark_and_several_texts_of_one_file(folder):
    text = (
        "text,file_name\n"
        '"red, square",a.wav\nred  square,b.wav\nabove,sub/c.wav\nagain,a.wav\nagain,a.wav\n'
    )
    (folder / "metadata.csv").write_text(text, encoding="utf-8-sig")
    table = read_table(folder / "metadata.csv")
    assert table.rows == 5
    assert table.left_out == []
    assert table.texts == {
        "a.wav": ["red, square", "again"],
        "b.wav": ["red square"],
        "sub/c.wav": ["above"],
    }


def test_every_row_that_cannot_be_used_has_its_reason(folder):
    table = read_table(
        jsonl(
            folder,
            row("../beside.wav"),
            row(str(folder.parent / "beside.wav")),
            row("gone.wav"),
            row("sub"),
            row("x" * 1000),
            row("\0"),
            "",
            {"text": "x"},
            row(" "),
            row(7),
            {"file_name": "a.wav"},
            row("b.wav", "  "),
            row("b.wav", 3),
            "[1, 2]",
            "{not json",
            row("sub/c.wav"),
        )
    )
    assert table.texts == {"sub/c.wav": ["some words"]}
    assert table.rows == 15
    assert table.left_out == [
        "../beside.wav (outside the folder)",
        f"{folder.parent}/beside.wav (outside the folder)",
        "gone.wav (no such file)",
        "sub (no such file)",
        "x" * 1000 + " (no such file)",
        "\0 (no such file)",
        "line 8 (no file_name)",
        "line 9 (no file_name)",
        "line 10 (no file_name)",
        "a.wav (no text)",
        "b.wav (no text)",
        "b.wav (no text)",
        "line 14 (not a JSON object)",
        "line 15 (not a JSON object)",
    ]


def test_other_columns(folder):
    file = jsonl(folder, {"audio": "a.wav", "said": "well"}, {"said": "whose?"})
    table = read_table(file, columns=("audio", "said"))
    assert table.texts == {"a.wav": ["well"]}
    assert table.left_out == ["line 2 (no audio)"]
    expected = r"no column 'said' \(it has file_name, text\); name the columns 'text' and 'said'"
    with pytest.raises(UserError, match=expected):
        read_table(jsonl(folder, row("a.wav")), columns=("text", "said"))


def test_a_missing_column_is_named_with_those_there_are(folder):
    with pytest.raises(UserError, match=r"has no column 'text' \(it has file_name, caption\)"):
        read_table(jsonl(folder, {"file_name": "a.wav", "caption": "red"}))
    (folder / "metadata.csv").write_text("image,words\na.wav,red\n")
    expected = r"no column 'file_name' and no column 'text' \(it has image, words\)"
    with pytest.raises(UserError, match=expected):
        read_table(folder / "metadata.csv")


@pytest.mark.parametrize("content", [b"", b"{}\n", b"nonsense\n"])
def test_a_table_without_a_usable_row(folder, content):
    (folder / "metadata.jsonl").write_bytes(content)
    assert read_table(folder / "metadata.jsonl").texts == {}


def test_a_table_that_is_not_utf8(folder):
    (folder / "metadata.jsonl").write_bytes(b'{"file_name": "a.wav", "text": "caf\xe9"}')
    with pytest.raises(UserError, match=r"cannot be read.*Save it as UTF-8 text"):
        read_table(folder / "metadata.jsonl")


def test_the_table_of_a_folder(folder):
    with pytest.raises(
        UserError, match=r"neither metadata.jsonl nor metadata.csv; .* file: A ROW$"
    ):
        find_table(folder, "A ROW")
    file = jsonl(folder, row("a.wav"))
    assert find_table(folder, "A ROW") == file
    (folder / "metadata.csv").write_text("file_name,text\n")
    with pytest.raises(UserError, match=r"has both metadata.jsonl and metadata.csv; remove one"):
        find_table(folder, "A ROW")


def test_what_is_left_out_is_told_with_the_first_three():
    table = Table(rows=9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table.say_left_out("the folder")
    table.add("a", ["one", 2, " one ", ""])
    table.add("b", [None])
    table.drop("a", "unreadable")
    assert table.texts == {}
    with pytest.warns(Note, match=r"^the folder: left out 2 of 9 rows: b .*, a \(unreadable\)$"):
        table.say_left_out("the folder")
    table.add("word " * 99, [])
    table.add("d", [])
    assert table.first_left_out().startswith("b (no text), a (unreadable), word word")
    assert table.first_left_out().endswith("word…, …")


def test_a_table_of_another_form_takes_a_line_for_each_row(folder):
    """As LJSpeech has it: no names of columns, and quotation marks that are not in pairs."""
    lines = ['a|Dr. "Who|Doctor "Who', "b|9|nine", "gone|1|one"]
    table = Table(rows=len(lines))
    for line in lines:
        name, *_, said = line.split("|")
        table.add_file(folder, f"{name}.wav", [said])
    assert table.texts == {"a.wav": ['Doctor "Who'], "b.wav": ["nine"]}
    assert table.left_out == ["gone.wav (no such file)"]
