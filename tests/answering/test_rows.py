"""Answers get their places in the passage, or a reason why not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.answering.rows import answer_places, answer_spans, answer_texts, occurrences, required_text
from lstmlm.records.columns import Span
from lstmlm.task import BadRecord

PASSAGE = "Rome is old. Anna saw Rome in 1990; Romeo did not."


@pytest.mark.parametrize(
    ("answers", "places", "found"),
    [
        (["Anna"], [13], ["13-17"]),
        (["Anna"], [12], ["13-17"]),  # a wrong place, but the text occurs once
        (["Anna"], [-4], ["13-17"]),
        (["Anna"], [], ["13-17"]),
        ([" Anna "], [12], ["13-17"]),
        (["Rome"], [22], ["22-26"]),
        (["Rome in 1990", "Rome"], [22], ["22-34", "22-26"]),  # the nearest one
        (["1990", "Rome"], [30, 0], ["30-34", "0-4"]),
        (["Anna", "Anna"], [13], ["13-17"]),
        (["omeo"], [], ["37-41"]),  # a part of a word, as it is no whole one
        ([], [], []),
    ],
)
def test_places_are_found(answers: list[str], places: list[int], found: list[str]) -> None:
    spans = answer_spans(PASSAGE, answers, places, "refuse")
    assert [f"{span.start}-{span.end}" for span in spans] == found
    assert all(PASSAGE[span.start : span.end].strip() in [answer.strip() for answer in answers] for span in spans)


@pytest.mark.parametrize(
    ("answers", "places", "reason"),
    [
        (["Paris"], [3], "answer 'Paris' is not in the passage"),
        (["anna"], [], "answer 'anna' is not in the passage"),
        (["x" * 70], [], f"answer '{'x' * 60}...' is not in the passage"),
        (["Anna", "Paris"], [13], "answer 'Paris' is not in the passage"),
        (["Rome"], [], "answer 'Rome' occurs 2 times in the passage, and no answer_start says where"),
        (["Rome"], [5], "answer 'Rome' occurs 2 times in the passage, and answer_start 5 is none of them"),
    ],
)
def test_what_has_no_place_is_refused(answers: list[str], places: list[int], reason: str) -> None:
    with pytest.raises(BadRecord) as caught:
        answer_spans(PASSAGE, answers, places, "refuse")
    assert str(caught.value) == reason


def test_all_occurrences_count_where_the_recipe_says_so() -> None:
    assert answer_spans(PASSAGE, ["Rome"], [], "any") == [Span(0, 4), Span(22, 26)]
    assert answer_spans(PASSAGE, ["Rome"], [22], "any") == [Span(22, 26)]


@given(st.text("ab c東", max_size=20), st.text("ab c東", min_size=1, max_size=3))
def test_occurrences_are_those_of_whole_words_if_there_are_any(passage: str, text: str) -> None:
    every = [place for place in range(len(passage)) if passage.startswith(text, place)]
    found = list(occurrences(passage, text))
    assert set(found) <= set(every)
    assert bool(found) == bool(every)


@pytest.mark.parametrize(
    ("value", "found"),
    [("a", ["a"]), (["a", "b"], ["a", "b"]), ([], []), (None, []), ("", []), (float("nan"), [])],
)
def test_answers_are_a_text_or_a_list(value: Any, found: list[str]) -> None:
    assert answer_texts({"answers": value}, "answers") == found


@pytest.mark.parametrize(
    ("value", "found"),
    [(3, [3]), ([3, 4], [3, 4]), ("[3, 4]", [3, 4]), ("7", [7]), (2.0, [2]), (None, []), ("", []), ([], [])],
)
def test_places_are_numbers_or_lists_also_as_text(value: Any, found: list[int]) -> None:
    assert answer_places({"at": value}, "at") == found
    assert answer_places({"at": value}, None) == []


@pytest.mark.parametrize("value", [True, [True], "x", [1.5], {"a": 1}, ["x"]])
def test_other_places_are_refused(value: Any) -> None:
    with pytest.raises(BadRecord, match="column 'at' is neither a whole number nor a list of them"):
        answer_places({"at": value}, "at")


@pytest.mark.parametrize("value", [3, ["a", 3], ["a", " "]])
def test_other_answers_are_refused(value: Any) -> None:
    with pytest.raises(BadRecord, match="column 'answers'"):
        answer_texts({"answers": value}, "answers")


def test_a_text_must_be_there() -> None:
    assert required_text({"q": " Who? "}, "q", "question") == " Who? "
    for row, reason in [
        ({}, "no question: column 'q' is missing"),
        ({"q": None}, "no question: column 'q' is empty"),
        ({"q": " \n"}, "no question: column 'q' is empty"),
        ({"q": 3}, "column 'q' (question) is not text"),
    ]:
        with pytest.raises(BadRecord) as caught:
            required_text(row, "q", "question")
        assert str(caught.value) == reason
