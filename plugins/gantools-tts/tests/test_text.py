"""Text: where it is cut, what is put into words, what is left out and what is refused."""

import itertools
import warnings

import pytest
from gantools_tts.text import LONGEST, sentences

from gantools import Note, UserError


@pytest.fixture(autouse=True)
def _no_other_notes():
    """A Note that a test does not expect fails it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Note)
        yield


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Smith vs. Mr. Lee. Next.", ["Dr. Smith vs. Mr. Lee.", "Next."]),
        (
            "At 5 p.m. on Monday. At 6 p.m. The end.",
            ["At 5 p.m. on Monday.", "At 6 p.m.", "The end."],
        ),
        ("J. R. R. Tolkien, 3.5 stars.", ["J. R. R. Tolkien, 3.5 stars."]),
        ("He said no. Then he left.", ["He said no.", "Then he left."]),
        ('"Really?" he said. "Yes." So.', ['"Really?" he said.', '"Yes."', "So."]),
        ("Well... maybe. all small. yes", ["Well... maybe.", "all small.", "yes"]),
        ("A title\n\nA line\nthat goes on.", ["A title", "A line that goes on."]),
        ("Buy:\n- milk\n- two eggs\n2. tea", ["Buy:", "- milk", "- two eggs", "2.", "tea"]),
    ],
)
def test_text_is_cut_where_sentences_end(text, pieces):
    assert list(sentences(text)) == pieces


def test_long_sentences_are_cut_at_the_last_mark_that_leaves_them_short_enough():
    clause, words = "a" * 90 + ", ", "word " * 60
    first, second, *rest = sentences(clause * 3 + words)
    assert (first, second) == (clause + clause.strip(), clause.strip())
    assert [len(piece) for piece in rest] == [199, 99]  # 40 words and 20


def test_a_word_of_any_length_is_cut_somewhere():
    pieces = list(sentences("x" * 100_000))
    assert "".join(pieces) == "x" * 100_000
    assert max(map(len, pieces)) == LONGEST


def test_however_text_comes_it_is_cut_alike():
    text = (
        "It was 5 p.m. Then, e.g. on 3/4/2021, she paid $3.50 -- no more!\r\n\r\n(Really?) he "
        "asked; \n\n\n and cafe\u0301s closed…   The St. John's - long ago - was No. 7. " * 4
    )
    whole = list(sentences(text))
    assert len(whole) > 8
    for width in (1, 2, 7, 64):
        assert list(sentences(text[i : i + width] for i in range(0, len(text), width))) == whole


def test_a_text_without_end_is_spoken_holding_little_of_it():
    drawn = itertools.count()
    endless = sentences(f"This is line {number} of it.\n" for number in drawn)
    for number in range(300):
        assert next(endless) == f"This is line {number} of it."
    assert next(drawn) - 300 < 5


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("“Don’t” — said the café’s naïve Łukasz", "\"Don't\" - said the cafe's naive Lukasz"),
        ("ﬁne\u200b so\u00adft\x07 ２", "fine soft 2"),
        (
            "It rains, e.g. No. 7, Jan. 5, etc.",
            "It rains, for example Number 7, January 5, et cetera.",
        ),
        ("-5°C and 70 °F", "minus 5 degrees Celsius and 70 degrees Fahrenheit"),
        ("1/2, 3/4, 1½ and 3/16", "1 half, 3 quarters, 1 and 1 half and 3 over 16"),
        (
            "1 km, 3cm, 1 ft, 6 ft, 60 mph",
            "1 kilometer, 3 centimeters, 1 foot, 6 feet, 60 miles per hour",
        ),
        (
            "50%, $5 million, AT&T, #1, 2+2=4",
            "50 percent, 5 million dollars, AT and T, number 1, 2 plus 2 equals 4",
        ),
        (
            "555-0199 or (212) 555-0199 or 123.4567",
            "5 5 5, 0 1 9 9 or 2 1 2, 5 5 5, 0 1 9 9 or 123.4567",
        ),
        ("007 at 17:45:10", "0 0 7 at 17 45 10"),
        (
            "10^6, 2 ^ n or 10^-3",
            "10 to the power of 6, 2 to the power of n or 10 to the power of minus 3",
        ),
        ("3-5 days, 1990–1995", "3 to 5 days, 1990 to 1995"),
        ("the 1980s, '90s and 1900s", "the 19 eighties, nineties and 19 hundreds"),
        ("https://www.a-b.com/c?d=e", "www dot a dash b dot com slash c"),
        ("bob.j@mail.example.org", "bob dot j at mail dot example dot org"),
        ("St. John in 2nd St. with an mp3", "Saint John in 2nd St. with an mp 3"),
        ("STOP RIGHT NOW", "stop right now"),
        ("NASA, FBI and/or WiFi", "NASA, FBI and or WiFi"),
        ("*this* is `code_like` <b>", "this is code like b"),
        # What gruut reads well is left to it.
        ("Dr. Smith paid $3.50 on 3/4/2021 at 5:30 p.m.", None),
        ("1,234,567 and the 3rd on 2021-03-04", None),
    ],
)
def test_what_gruut_misreads_is_put_into_words(written, spoken):
    assert list(sentences(written)) == [spoken or written]


def test_emoji_are_left_out_with_one_note():
    pieces = []
    with pytest.warns(Note, match="no sound: 😀 👍 →") as notes:
        pieces += sentences("Good😀morning 👍. It is → here 😀!")
    assert pieces == ["Good morning .", "It is here !"]
    assert len(notes) == 1


@pytest.mark.parametrize("text", ["", " \n\t", "?! ... -", "😀👍", "\x00\u200b", [], ["", "\n"]])
def test_nothing_to_say_is_refused(text):
    with pytest.raises(UserError, match="nothing to say"):
        list(sentences(text))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("I say привет", r"п р и \(Cyrillic\)"),
        ("你好", r"你 好 \(CJK\)"),
        ("λ = 1", r"λ \(Greek\)"),
    ],
)
def test_other_scripts_are_refused_by_name(text, named):
    with pytest.raises(UserError, match=named):
        list(sentences(text))
