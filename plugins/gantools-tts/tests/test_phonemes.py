"""Sounds of sentences: against what the CMU dictionary says, by hand."""

import re

import pytest
from gantools_tts.phonemes import phones, written
from gantools_tts.recordings import PHONES, VOWELS


def spoken(sentence):
    """Words between spaces, stresses behind vowels; pauses by their marks, _ without any."""
    said = ""
    for phone in phones(sentence):
        if phone.name == "sil":
            said += f" {phone.mark or '_'} "
        else:
            said += phone.name + (str(phone.stress) if phone.name in VOWELS else "")
            said += " " if phone.last else "-"
    return " ".join(said.split())


@pytest.mark.parametrize(
    ("sentence", "sounds"),
    [
        ("Hello, world!", "_ HH-EH0-L-OW1 , W-ER1-L-D !"),
        ("Judge those young boys.", "_ JH-AH1-JH DH-OW1-Z Y-AH1-NG B-OY1-Z ."),
        ("vision which thing put", "_ V-IH1-ZH-AH0-N W-IH1-CH TH-IH1-NG P-UH1-T ."),
        ("now five fat cars pay two fees", None),
        ("international", "_ IH2-N-T-ER0-N-AE1-SH-AH0-N-AH0-L ."),
        ("NASA and FBI", "_ N-AE1-S-AH0 AE1-N-D EH1-F B-IY1 AY1 ."),
        ("No (not) now -- so?!", "_ N-OW1 , N-AA1-T , N-AW1 , S-OW1 ?"),
        ('He said "Stop!" and', "_ HH-IY1 S-EH1-D S-T-AA1-P ! AE1-N-D ."),
        ("1,500", "_ W-AH1-N TH-AW1-Z-AH0-N-D F-AY1-V HH-AH1-N-D-R-IH0-D ."),
        ("%% yes ~~", "_ Y-EH1-S ."),
        ("...", "_ ."),
        ("", "_ ."),
    ],
)
def test_sounds_are_those_of_the_dictionary(sentence, sounds):
    sounds = sounds or "_ N-AW1 F-AY1-V F-AE1-T K-AA1-R-Z P-EY1 T-UW1 F-IY1-Z ."
    assert spoken(sentence) == sounds


def test_a_word_is_spoken_by_its_part_of_speech():
    record = re.findall(r"R-\S+", spoken("I have a record. I will record it."))
    assert record == ["R-EH1-K-ER0-D", "R-IH0-K-AO1-R-D"]


def test_dates_and_money_are_put_into_words():
    assert spoken("$3.50 on 3/4/2021") == spoken(
        "three dollars fifty cents on March fourth, twenty twenty one"
    )


@pytest.mark.parametrize(
    "word", ["glorbification", "xkcdq", "B", "zzzz", "Qqq", "x" * 200, "aeiou"]
)
def test_any_word_of_english_letters_is_spoken(word):
    said = phones(word)
    assert {phone.name for phone in said} <= set(PHONES)
    assert any(phone.name in VOWELS for phone in said)
    assert sum(phone.last for phone in said) >= 1


def test_what_has_no_vowel_is_spelt():
    assert spoken("xkcdq") == "_ EH1-K-S-K-EY1-S-IY1-D-IY1-K-Y-UW1 ."
    assert spoken("2.0.1") == "_ T-UW1-Z-IH1-R-OW0-W-AH1-N ."


def test_every_sound_of_gruut_has_a_name_and_every_name_a_sound():
    import sqlite3

    import gruut_lang_en
    from gantools_tts.phonemes import ARPABET

    with sqlite3.connect(f"{gruut_lang_en.__path__[0]}/lexicon.db") as file:
        rows = file.execute("SELECT phonemes FROM word_phonemes").fetchall()
    sounds = {sound.lstrip("ˈˌ") for (row,) in rows for sound in row.split()}
    assert sounds == set(ARPABET)
    assert set(ARPABET.values()) == set(PHONES) - {"sil"}


def test_words_are_written_as_they_are_spoken():
    assert written("Press 7 to hear Dr. Smith.") == [
        "press",
        "seven",
        "to",
        "hear",
        "doctor",
        "smith",
    ]
