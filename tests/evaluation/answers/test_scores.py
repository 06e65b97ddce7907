"""Exact match and F1 as the official script of SQuAD 1.1 computes them, and by characters for Chinese."""

from __future__ import annotations

import collections
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.evaluation.answers.scores import calibration_error, exact, f1, mean_of_best, words


def squad_words(text: str) -> list[str]:
    """Steps of the official script: lower case, punctuation out, articles out, white space."""
    text = "".join(letter for letter in text.lower() if letter not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


@given(st.text(st.sampled_from("aAnNthe .,'-1é\u2014"), max_size=30))
def test_words_are_those_of_the_official_script(text: str) -> None:
    assert words(text) == squad_words(text)


@given(st.text("abc the", max_size=12), st.text("abc the", max_size=12))
def test_f1_is_that_of_the_official_script(output: str, answer: str) -> None:
    found, right = squad_words(output), squad_words(answer)
    common = sum((collections.Counter(found) & collections.Counter(right)).values())
    if common == 0:
        expected = float(found == right)
    else:
        precision, recall = common / len(found), common / len(right)
        expected = 2 * precision * recall / (precision + recall)
    assert f1(output, answer) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("output", "answer", "exactly", "share"),
    [
        ("The Normans", "normans", 1, 1.0),
        ("美軍基地", "美軍基地。", 1, 1.0),
        ("美軍", "美軍基地", 0, 2 / 3),
        ("2015年", "2015", 0, 2 / 3),
        ("", "", 1, 1.0),
        ("", "x", 0, 0.0),
    ],
)
def test_scripts_without_spaces_count_by_character(output: str, answer: str, exactly: int, share: float) -> None:
    assert exact(output, answer) == exactly
    assert f1(output, answer) == pytest.approx(share)


def test_the_best_of_the_accepted_answers_counts() -> None:
    assert mean_of_best(exact, ["a b", "c", ""], [["x", "B"], ["d"], []]) == pytest.approx(200 / 3)
    assert mean_of_best(f1, [], []) == 0.0


def test_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    assert calibration_error([0.75] * 4, [1, 1, 1, 0]) == pytest.approx(0.0)
    assert calibration_error([0.9] * 4, [0, 0, 0, 0]) == pytest.approx(0.9)
    assert calibration_error([1.0, 0.05], [1, 1]) == pytest.approx(0.475)
    assert calibration_error([], []) == 0.0
