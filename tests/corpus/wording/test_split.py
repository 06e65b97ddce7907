"""Words of any script."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.wording.scripts import SPACED, letters_per_word
from lstmlm.corpus.wording.split import first_words, split_words, terms

MIXED = st.text(st.sampled_from("aé 日カกิ้ा한，。'9\n\u3000\u0301\u200d-_"), max_size=20)


def test_letters_without_spaces_between_words_are_words_with_their_marks() -> None:
    assert split_words("今天，去 Paris吧") == ["今", "天", "，", "去", "Paris", "吧"]
    assert split_words("ที่บ้าน") == ["ที่", "บ้", "า", "น"]
    assert split_words("नमस्ते दुनिया l'été") == ["नमस्ते", "दुनिया", "l'été"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("L'été, à Noël!", ["l", "été", "à", "noël"]),
        ("今天，去 Ｐaris。", ["今", "天", "去", "paris"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("snake_case 3.5%", ["snake_case", "3", "5"]),
        (" — _ 。", []),
    ],
)
def test_terms_are_words_without_punctuation_and_case(text: str, found: list[str]) -> None:
    assert terms(text) == found


@settings(deadline=None)
@given(st.text())
def test_text_of_scripts_with_spaces_is_split_as_by_python(text: str) -> None:
    if not letters_per_word()[[ord(letter) for letter in text]].any():
        assert split_words(text) == text.split()


@settings(deadline=None)
@given(MIXED)
def test_no_character_but_white_space_is_lost(text: str) -> None:
    words = split_words(text)
    assert "".join(words) == "".join(text.split())
    for word in words:  # a letter without spaces begins a word, and only marks follow it
        assert all(letters_per_word()[ord(letter)] == SPACED for letter in word[1:]) or len(split_words(word)) == 1


@settings(deadline=None)
@given(MIXED, st.integers(-1, 25))
def test_first_words_are_the_beginning_of_the_text(text: str, count: int) -> None:
    beginning = first_words(text, count)
    assert text.lstrip().startswith(beginning)
    assert split_words(beginning) == split_words(text)[: max(count, 0)]
