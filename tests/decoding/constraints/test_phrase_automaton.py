"""Phrases in texts: against a regular expression where one can say it, and in scripts where none can."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.decoding.constraints.phrase_automaton import PhraseAutomaton

CASES = [
    ("the", "in the end", True),
    ("the", "the", True),
    ("the", "The end", False),
    ("the", "there", False),
    ("the", "bathe", False),
    ("the", "(the)", True),
    ("the", "the\u00e9 ", False),
    ("the", "the\u0301", False),  # an accent makes it another letter
    ("the", "the_end", False),
    ("the", "the-end", True),
    ("the", "the\u200b", True),
    ("a word", "a  word", True),
    ("a word", "a\nword.", True),
    ("a word", "a wordy", False),
    ("a word", "a, word", False),
    ("  padded ", "padded", True),
    ("C++", "C++11", True),
    ("C++", "ObjC++", False),
    ("->", "a->b", True),
    ("\u6771\u4eac", "\u6771\u4eac\u90fd", True),  # Han: nothing shows where a word ends
    ("\u0e44\u0e17\u0e22", "\u0e1b\u0e23\u0e30\u0e40\u0e17\u0e28\u0e44\u0e17\u0e22", True),  # Thai
    ("the", "the\u6771", True),
    ("\uc774", "\uc774\uac83", False),  # Korean has spaces
    ("\u0915\u093f", "\u0915\u093f\u0938", False),  # so has Hindi, with vowel signs
    ("\u0915\u093f", "\u0915\u093f \u0938", True),
]


@pytest.mark.parametrize(("phrase", "text", "there"), CASES)
def test_a_phrase_is_found_where_it_is_not_part_of_longer_words(phrase, text, there):
    assert PhraseAutomaton([phrase]).finds(text) is there


WORDS = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=4), st.text("ab .-", max_size=20))
def test_equals_a_regular_expression(phrases, text):
    pattern = "|".join(r"(?<!\w)" + r"\s+".join(map(re.escape, p.split())) + r"(?!\w)" for p in phrases)
    assert PhraseAutomaton(phrases).finds(text) == bool(re.search(pattern, text))


def test_thousands_of_phrases_make_a_table_in_proportion():
    small, large = (PhraseAutomaton(f"word{n:06d}" for n in range(count)) for count in (100, 1000))
    assert len(large.table) < 12 * len(small.table)
