"""The baseline answers by the words around a phrase."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lstmlm.evaluation.answers.sliding_window import sliding_window

PASSAGE = "Paris is large. Bert, who studied law, was born in Rome."


def test_it_takes_a_phrase_near_the_words_of_the_question() -> None:
    assert sliding_window("What is large?", PASSAGE) == "Paris"
    assert sliding_window("Where was Bert born, who studied law?", PASSAGE) == "Rome"
    assert sliding_window("Anything?", "") == ""


@given(st.text("ab AB東.,", max_size=30), st.text("ab AB東.,", max_size=40))
def test_an_answer_is_a_part_of_the_passage(question: str, passage: str) -> None:
    assert sliding_window(question, passage) in passage
