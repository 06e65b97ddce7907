"""Scores of labels against their definitions."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.evaluation.labels.picture import draw_confusion
from lstmlm.evaluation.labels.scores import (
    calibration_error,
    confusion,
    cross_entropy,
    label_scores,
    macro_f1,
    micro_f1,
)

SETS = st.sets(st.sampled_from("abc"))


@given(st.lists(st.tuples(SETS, SETS), min_size=1, max_size=12))
def test_scores_are_those_counted_label_by_label(pairs: list[tuple[set[str], set[str]]]) -> None:
    truth, given_labels = [set(pair[0]) for pair in pairs], [set(pair[1]) for pair in pairs]
    scores = label_scores(truth, given_labels)
    every = set().union(*truth, *given_labels)
    assert set(scores) == every
    total = 0
    for label in every:
        right = sum(label in t and label in g for t, g in pairs)
        true, said = sum(label in t for t in truth), sum(label in g for g in given_labels)
        precision, recall = right / said if said else 0.0, right / true if true else 0.0
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        assert scores[label] == pytest.approx((precision, recall, f1, true))
        total += f1
    assert macro_f1(scores) == pytest.approx(total / len(every) if every else 0.0)
    right = sum(len(t & g) for t, g in pairs)
    both = sum(map(len, truth)) + sum(map(len, given_labels))
    assert micro_f1(truth, given_labels) == pytest.approx(2 * right / both if both else 1.0)


def test_the_confusion_matrix_and_its_picture(tmp_path: Path) -> None:
    names, counts = confusion(["a", "b", "b", "c"], ["a", "a", "b", "d"])
    assert names == ["a", "b", "c", "d"]
    assert counts == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]
    draw_confusion(names, counts, tmp_path / "confusion.png", "title")
    assert (tmp_path / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_calibration_error_and_cross_entropy() -> None:
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0)
    assert calibration_error([0.9] * 5 + [0.5] * 5, [True] * 5 + [False] * 5) == pytest.approx(0.3)
    assert calibration_error([], []) == cross_entropy([]) == 0.0
    assert cross_entropy([1.0, 0.25]) == pytest.approx(0.6931, abs=1e-4)
