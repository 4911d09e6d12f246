"""The default corpus' text: many distinct sentences, and tests of words that training lacks."""

import re

import pytest
from gantools_tts import sentences
from gantools_tts.sentences import CLOSED, FAMILIES, HELD_OUT, OPEN, corpus, split, unseen, words

from gantools import UserError


def test_sentences_are_distinct_short_and_of_all_families():
    drawn = corpus(10_000, 0)
    assert len({text for _, text in drawn}) == 10_000
    assert {family for family, _ in drawn} == set(FAMILIES)
    assert len(FAMILIES) >= 40
    for _, text in drawn:
        assert 3 <= len(text.split()) <= len(words(text)) <= 12
        assert re.fullmatch(r"[A-Z][A-Za-z, -]+[.?!]", text)
        assert len(set(text.split())) > 2


def test_a_family_is_filled_from_its_lists():
    for family, text in corpus(80, 1):
        pattern = re.escape(FAMILIES[family])
        for kind, listed in {**CLOSED, **OPEN}.items():
            pattern = pattern.replace(rf"\{{{kind}\}}", f"({'|'.join(listed.split())})")
        assert re.fullmatch(pattern, text, re.IGNORECASE)


def test_lists_have_no_word_twice():
    for listed in (*CLOSED.values(), *OPEN.values()):
        assert len(set(listed.split())) == len(listed.split())


def test_the_seed_decides():
    assert corpus(200, 3) == corpus(200, 3) == corpus(300, 3)[:200]
    assert corpus(200, 3) != corpus(200, 4)
    assert corpus(2, 0)[0] == ("past", "Timothy poured the tasty bone jointly.")


def test_tests_are_of_families_and_words_that_training_lacks():
    train, test = split(3000, 300, 0)
    assert {family for family, _ in test} == set(HELD_OUT)
    assert {family for family, _ in train} == set(FAMILIES) - set(HELD_OUT)
    open_words = {word.lower() for listed in OPEN.values() for word in listed.split()}
    fresh = {word for word in open_words if sentences._for_tests(word)}
    drawn = {word for _, text in train for word in words(text)}
    fixed = {word for made in FAMILIES.values() for word in words(re.sub(r"\{\w+\}", "", made))}
    closed = {word for listed in CLOSED.values() for word in words(listed)}
    assert not (fresh - fixed - closed) & drawn
    assert unseen([text for _, text in train], [text for _, text in test]) > 0.3
    assert split(30, 30, 5) != split(30, 30, 6)


def test_the_share_of_unseen_words():
    assert unseen(["Hold the line."], ["Hold the tall, tall tower!"]) == pytest.approx(3 / 5)


def test_there_may_not_be_so_many(monkeypatch):
    monkeypatch.setattr(sentences, "FAMILIES", {"day": "It is {day}."})
    assert len(corpus(7, 0)) == 7
    with pytest.raises(UserError, match="no 8 sentences to draw, only 7"):
        corpus(8, 0)


def test_what_a_training_is_watched_by_is_no_test():
    assert set(sentences.VALIDATION) < set(FAMILIES) - set(HELD_OUT)
    train, _ = split(50, 50, 0)
    assert {family for family, _ in train} & set(sentences.VALIDATION)
