"""Counts over the tokens of many texts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.steps.quality.words import segment

TEXTS = st.lists(st.text(alphabet="abZ 5.,'-é日the\n", max_size=40), max_size=6)


@settings(deadline=None)
@given(texts=TEXTS)
def test_counts_are_those_of_the_strings(texts: list[str]) -> None:
    words = segment(texts)
    strings = [words.strings(index) for index in range(len(texts))]
    assert words.tokens.tolist() == [len(tokens) for tokens in strings]
    assert words.total(words.lengths).tolist() == [sum(map(len, tokens)) for tokens in strings]
    alphabetic = [sum(any(c.isalpha() for c in token) for token in tokens) for tokens in strings]
    assert words.total(words.is_alphabetic).tolist() == alphabetic
    real = [sum(any(c.isalnum() for c in token) for token in tokens) for tokens in strings]
    assert words.total(words.is_word).tolist() == real


@settings(deadline=None)
@given(texts=TEXTS)
def test_distinct_words_are_counted_once_a_text(texts: list[str]) -> None:
    words = segment(texts)
    looked_for = ("the", "b", "ab", "t")
    expected = [len(set(looked_for) & set(words.strings(index))) for index in range(len(texts))]
    assert words.count_distinct(looked_for).tolist() == expected


@settings(deadline=None)
@given(texts=TEXTS)
def test_hashes_are_equal_where_tokens_are(texts: list[str]) -> None:
    words = segment(texts)
    strings = [token for index in range(len(texts)) for token in words.strings(index)]
    hashes = words.hashes.tolist()
    assert len(set(zip(strings, hashes, strict=True))) == len(set(strings)) == len(set(hashes))


def test_no_texts_have_no_words() -> None:
    words = segment([])
    assert words.tokens.tolist() == []
    assert words.count_distinct(("the",)).tolist() == []


def test_punctuation_is_no_word() -> None:
    words = segment(["Well , ( this ) is + 1 — !", "...", "$ £ 5"])
    assert words.total(words.is_word).tolist() == [4, 0, 2]
    assert words.tokens.tolist() == [10, 1, 3]


def test_lone_surrogates_and_nulls_are_characters_like_others() -> None:
    assert segment(["a\ud800b \x00 c"]).strings(0) == ["a\ud800b", "\x00", "c"]
