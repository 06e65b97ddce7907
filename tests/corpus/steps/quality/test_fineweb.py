"""Each FineWeb rule."""

from __future__ import annotations

import pytest

from lstmlm.corpus.steps.quality.fineweb import fineweb
from lstmlm.corpus.steps.quality.sentences import TERMINAL_MARKS
from lstmlm.corpus.steps.quality.texts import Texts
from tests.corpus.languages import SENTENCES


def lines(count: int, end: str, length: int = 40) -> list[str]:
    """Distinct lines of `length` characters and the end."""
    return [f"line {index:03d} of {end or 'none'}".ljust(length, "x") + end for index in range(count)]


def reason(*parts: str) -> str | None:
    return fineweb(Texts(["\n".join(parts)]))[0]


def test_lines_must_end_in_punctuation() -> None:
    assert reason(*lines(11, "."), *lines(89, "")) == "fineweb_unpunctuated_lines"
    assert reason(*lines(12, "。"), *lines(88, "")) != "fineweb_unpunctuated_lines"


def test_lines_must_not_be_short() -> None:
    assert reason(*lines(68, ".", 29), *lines(32, ".", 90)) == "fineweb_short_lines"
    assert reason(*lines(67, ".", 29), *lines(33, ".", 90)) != "fineweb_short_lines"
    assert reason(*lines(68, ".", 30), *lines(32, ".", 90)) != "fineweb_short_lines"


def test_lines_must_not_repeat() -> None:
    once = "x" * 9 + "."
    assert reason(*lines(20, ".", 48), once, once) != "fineweb_duplicate_lines"
    assert reason(*lines(18, ".", 48), once, once, once) == "fineweb_duplicate_lines"


def test_a_text_must_not_be_a_list() -> None:
    two_words = [f"{'a' * 25}{index} {'b' * 25}." for index in range(20)]
    assert reason(*two_words) == "fineweb_list"  # 3 tokens a line
    assert reason(*[f"one {line}" for line in two_words]) is None


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_nothing_is_dropped_as_empty(text: str) -> None:
    assert reason(text) == "fineweb_empty"


def test_terminal_marks_are_those_that_end_sentences() -> None:
    assert {".", "!", "?", "。", "।", "؟", "‼"} <= set(TERMINAL_MARKS)
    assert not set(",;:\"'”…-") & set(TERMINAL_MARKS)


@pytest.mark.parametrize("language", sorted(set(SENTENCES) - {"th"}))
def test_documents_of_other_scripts_are_kept(language: str) -> None:
    sentence = SENTENCES[language]
    assert reason(*[f"{number}{sentence[number:]}" for number in range(6)]) is None


def test_short_lines_are_measured_in_columns() -> None:
    assert reason(*[f"{'短' * 14}{number}。" for number in range(9)]) is None
    assert reason(*[f"{'短' * 13}{number}。" for number in range(9)]) == "fineweb_short_lines"
