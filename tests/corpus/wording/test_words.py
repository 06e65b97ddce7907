"""Hashes of words: equal words and different ones, whatever is around them."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.corpus.wording.scripts import letters_per_word
from lstmlm.corpus.wording.words import WORD, word_hashes

IGNORED = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
SIGNS = "#%&*/@\\§†‡‰‱′″‴٪"
FORMS = ("<wide>", "<narrow>", "<font>", "<initial>", "<medial>", "<final>", "<isolated>")


def simple(char: str) -> str:
    """A character, or the one it counts as."""
    same = unicodedata.normalize("NFKC", char)
    if unicodedata.decomposition(char).startswith(FORMS) and len(same) == 1:
        char = same
    lower = char.lower().replace("ς", "σ").replace("\u2212", "-")
    return lower if len(lower) == 1 else char


def reference_words(text: str) -> list[tuple[str, int]]:
    """The same words and weights, a character at a time."""
    text = unicodedata.normalize("NFC", text)
    if re.search("[ıİğĞ]", text):
        text = text.replace("I", "ı").replace("İ", "i")
    text = "".join(c for c in text if unicodedata.category(c) != "Cf" and not IGNORED.match(c))
    words: list[tuple[str, int]] = [("", WORD)]
    for place, char in enumerate(text):
        letter, category = simple(char), unicodedata.category(simple(char))
        if char == "\u2212" or category[0] == "S" or category in ("Co", "Cn") or letter in SIGNS or minus(text, place):
            words += [("-" if minus(text, place) else letter, 0), ("", WORD)]
        elif category[0] not in "LNM" and not in_number(text, place):
            words.append(("", WORD))
        elif letters_per_word()[ord(letter)] and category != "Nd" and category[0] in "LNM":
            words += [(letter, WORD // int(letters_per_word()[ord(letter)])), ("", WORD)]
        else:
            words[-1] = (words[-1][0] + letter, WORD)
    return [word for word in words if word[0]]


def is_digit(text: str, place: int) -> bool:
    return 0 <= place < len(text) and unicodedata.category(simple(text[place])) == "Nd"


def in_number(text: str, place: int) -> bool:
    return unicodedata.category(text[place])[0] == "P" and is_digit(text, place - 1) and is_digit(text, place + 1)


def minus(text: str, place: int) -> bool:
    if text[place] not in "-‐‑‒–﹣－":
        return False
    if not is_digit(text, place + 1) and not (text[place + 1 : place + 2] == " " and is_digit(text, place + 2)):
        return False
    before = text[place - 1] if place else " "
    category = unicodedata.category(simple(before))
    return category[0] not in "LNM" or (category != "Nd" and letters_per_word()[ord(simple(before))] > 0)


FLAG = "\U0001f3f4"


def tags(letters: str) -> str:
    """The invisible letters that say whose flag it is."""
    return "".join(chr(0xE0000 + ord(letter)) for letter in letters)


def hashes_of(text: str) -> list[int]:
    hashes, offsets, weights = word_hashes([text])
    assert offsets.tolist() == [0, len(hashes)] == [0, len(weights)]
    return hashes.tolist()


@pytest.mark.parametrize(
    "other", ["The  café’s\nmenu!", "(the) cafe\u0301: s — menu", "THE CAFÉ'S ME\u00adNU", "\u200bthe café s menu"]
)
def test_case_punctuation_normal_form_and_space_do_not_matter(other: str) -> None:
    assert hashes_of(other) == hashes_of("the café s menu")


def test_numbers_and_order_matter() -> None:
    assert hashes_of("3 plus 5") != hashes_of("3 plus 6")
    assert hashes_of("a b") == hashes_of("b a")[::-1]
    assert len(set(hashes_of("a aa aaa aab baa ab ba 0 00 1"))) == 10


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("मेल का नाम", "मूल का नाम"),
        ("মূল কথা", "মুল কথা"),
        ("ปูอยู่ในนา", "ปีอยู่ในนา"),
        ("គឺ ទឹក", "គុ ទក"),
        ("con ma", "con mã"),
        ("か", "が"),
        ("か", "か\u3099"),
        ("كَتَبَ", "كُتُب"),
        ("KIL ğ", "KİL ğ"),
        ("kıl", "kil"),
        ("written in C", "written in C++"),
        ("written in C#", "written in C++"),
        ("-5 degrees", "5 degrees"),
        ("it is - 5", "it is 5"),
        ("温度-5度", "温度5度"),
        ("2 + 3", "2 - 3"),
        ("$5", "€5"),
        ("5%", "5‰"),
        ("1.5", "15"),
        ("1.5", "1 5"),
        ("12:30", "12.30"),
        ("10²", "102"),
        ("x < y", "x > y"),
        ("great 👍", "great 👎"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👦"),
        ("٣ كتب", "٤ كتب"),
        ("\U0001fa77", "\U0001fae8"),
        ("\ue001", "\ue002"),
        (FLAG + tags("gbeng"), FLAG + tags("gbsct")),
    ],
)
def test_marks_and_signs_make_other_words(one: str, other: str) -> None:
    assert hashes_of(one) != hashes_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("−5", "-5"),
        ("Ｔｅｘｔ １２", "text 12"),
        ("ΟΔΟΣ", "οδος"),
        ("İstanbul", "istanbul"),
        ("KIZIL dağ", "kızıl dağ"),
        ("❤\ufe0f", "❤"),
        ("a-b", "a b"),
        ("COVID-19", "covid 19"),
        ("tiê\u0301ng Viê\u0323t", "tiếng Việt"),
        ("\u1112\u1161\u11ab", "한"),
        ("か\u3099", "が"),
    ],
)
def test_case_width_and_form_make_no_other_words(one: str, other: str) -> None:
    assert hashes_of(one) == hashes_of(other)


def test_scripts_without_spaces_give_a_word_a_letter() -> None:
    assert len(hashes_of("東京tower、です。")) == 5
    assert hashes_of("東京") == hashes_of("東 京")


def test_letters_of_such_scripts_weigh_less_than_a_word_and_signs_nothing() -> None:
    _, _, weights = word_hashes(["word 東カก 5 %"])
    assert weights.tolist() == [WORD, WORD // 2, WORD // 3, WORD // 4, WORD, 0]


CHARACTERS = st.characters(exclude_categories=["Cs"], max_codepoint=0x1FFFF) | st.sampled_from(
    "ab é\u0301東ガก A.-\u2013+%1２٣\u00ad𠀀ıIİ\u3099\ufe0f"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(CHARACTERS, max_size=30), max_size=8))
def test_same_words_as_a_character_at_a_time(texts: list[str]) -> None:
    hashes, offsets, weights = word_hashes(texts)
    words = [reference_words(text) for text in texts]
    assert np.diff(offsets).tolist() == [len(found) for found in words]
    assert weights.tolist() == [weight for found in words for _, weight in found]
    # Equal hashes where, and only where, the words are equal.
    flat = [word for found in words for word in found]
    assert len(set(zip(flat, hashes.tolist(), strict=True))) == len(set(flat)) == len(set(hashes.tolist()))


def test_groups_make_no_difference() -> None:
    texts = [f"word{number} " * (number % 700) for number in range(900)]
    texts[3] = "long " * 100_000
    hashes, offsets, _ = word_hashes(texts)
    for number in (0, 1, 3, 4, 699, 701, 899):
        assert hashes[offsets[number] : offsets[number + 1]].tolist() == hashes_of(texts[number])


def test_no_collisions_among_many_words() -> None:
    words = [
        f"{a}{b}{c}{d}" for a in "abcdefghijkl" for b in "abcdefghijkl" for c in "0123456789xyz" for d in range(100)
    ]
    assert len(set(hashes_of(" ".join(words)))) == len(set(words))


def test_no_texts() -> None:
    hashes, offsets, weights = word_hashes([])
    assert hashes.tolist() == weights.tolist() == []
    assert offsets.tolist() == [0]
