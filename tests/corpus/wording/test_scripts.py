"""Lengths and words over scripts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.wording.scripts import about_words, columns

CHARACTERS = st.characters(max_codepoint=0x2FFFF) | st.sampled_from("aé日カก한　，\u0301\u200d")


@settings(deadline=None)
@given(st.text(CHARACTERS, max_size=30))
def test_columns_are_those_of_unicode(text: str) -> None:
    def width(char: str) -> int:
        if unicodedata.category(char) in ("Mn", "Me", "Cf"):
            return 0
        return 2 if ord(char) >= 0x20000 or unicodedata.east_asian_width(char) in "WF" else 1

    assert columns(text) == sum(map(width, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [("", 0), ("two words - here", 3), ("今天天气很好，我们去公园。", 5.5), ("ไป Bangkok", 1.5), ("한국어 문장", 2)],
)
def test_words_are_counted_by_spaces_or_letters(text: str, words: float) -> None:
    assert about_words(text) == words
