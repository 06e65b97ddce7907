"""The sentence of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.answering.sentences import evidence, sentences


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Anna lives here. Bert left!  Did he?", ["Anna lives here.", "Bert left!", "Did he?"]),
        ('She said "No." Then she left.', ['She said "No."', "Then she left."]),
        (
            "In 1.5 hours, Dr. Smith and J. Doe of the U.S. army met.",
            ["In 1.5 hours, Dr. Smith and J. Doe of the U.S. army met."],
        ),
        ("關島是屬地。人口最多的城市是迪迪多！", ["關島是屬地。", "人口最多的城市是迪迪多！"]),
        ("A title\n\nA text.", ["A title", "A text."]),
        ("no end", ["no end"]),
        ("  ", []),
    ],
)
def test_sentences(text: str, parts: list[str]) -> None:
    assert [text[start:end] for start, end in sentences(text)] == parts


def test_evidence_is_the_sentence_of_the_span() -> None:
    text = "Anna lives here. Bert left. Carl stays."
    assert evidence(text, 17, 21) == "Bert left."
    assert evidence(text, 11, 21) == "Anna lives here. Bert left."
    assert evidence(text, 0, 0) == ""


@given(st.text('ab. !。\n"A', max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_evidence_holds_the_span_unless_it_is_white_space(text: str, start: int, end: int) -> None:
    found = evidence(text, start, min(end, len(text)))
    span = text[start : min(end, len(text))].strip()
    assert span in found
    assert found in text
