"""Hashes of words: equal words and different ones, whatever stands around them."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.words import word_hashes

ALONE = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff]|[\U00020000-\U0003ffff]"
)


def reference_words(text: str) -> list[str]:
    """The same words, a character at a time."""
    out = []
    for char in text:
        category = unicodedata.category(char)
        if category in ("Mn", "Me", "Cf"):
            continue
        parts = "".join(p for p in unicodedata.normalize("NFKD", char) if unicodedata.category(p) != "Mn").lower()
        letter = parts if len(parts) == 1 else char
        out.append(ALONE.sub(r" \g<0> ", letter) if category[0] in "LNM" else " ")
    return "".join(out).split(" ")


def hashes_of(text: str) -> list[int]:
    hashes, offsets = word_hashes([text])
    assert offsets.tolist() == [0, len(hashes)]
    return hashes.tolist()


@pytest.mark.parametrize(
    "other", ["The  café’s\nmenu!", "(the) cafe\u0301: s — menu", "THE CAFÉ'S ME\u00adNU", "\u200bthe cafe s menu"]
)
def test_case_accents_punctuation_and_space_do_not_matter(other: str) -> None:
    assert hashes_of(other) == hashes_of("the cafe s menu")


def test_numbers_and_order_matter() -> None:
    assert hashes_of("3 plus 5") != hashes_of("3 plus 6")
    assert hashes_of("a b") == hashes_of("b a")[::-1]
    assert len(set(hashes_of("a aa aaa aab baa ab ba 0 00 1"))) == 10


def test_scripts_without_spaces_give_a_word_a_letter() -> None:
    assert len(hashes_of("東京tower、です。")) == 5
    assert hashes_of("東京") == hashes_of("東 京")


CHARACTERS = st.characters(exclude_categories=["Cs"], max_codepoint=0x1FFFF) | st.sampled_from(
    "ab é\u0301東 A.\u00ad𠀀"
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(CHARACTERS, max_size=30), max_size=8))
def test_same_words_as_a_character_at_a_time(texts: list[str]) -> None:
    hashes, offsets = word_hashes(texts)
    words = [[word for word in reference_words(text) if word] for text in texts]
    assert np.diff(offsets).tolist() == [len(found) for found in words]
    # Equal hashes where, and only where, the words are equal.
    flat = [word for found in words for word in found]
    assert len(set(zip(flat, hashes.tolist(), strict=True))) == len(set(flat)) == len(set(hashes.tolist()))


def test_groups_make_no_difference() -> None:
    texts = [f"word{number} " * (number % 700) for number in range(900)]
    texts[3] = "long " * 100_000
    hashes, offsets = word_hashes(texts)
    for number in (0, 1, 3, 4, 699, 701, 899):
        assert hashes[offsets[number] : offsets[number + 1]].tolist() == hashes_of(texts[number])


def test_no_collisions_among_many_words() -> None:
    words = [
        f"{a}{b}{c}{d}" for a in "abcdefghijkl" for b in "abcdefghijkl" for c in "0123456789xyz" for d in range(100)
    ]
    assert len(set(hashes_of(" ".join(words)))) == len(set(words))


def test_no_texts() -> None:
    hashes, offsets = word_hashes([])
    assert hashes.tolist() == []
    assert offsets.tolist() == [0]
