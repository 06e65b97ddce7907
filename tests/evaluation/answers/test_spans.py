"""Spans of tokens are compared with the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from lstmlm.evaluation.answers.spans import span_scores


def test_the_best_of_the_right_spans_counts() -> None:
    batch = {
        "starts": np.array([[2, 6], [4, 0], [0, 0], [1, 0]]),
        "ends": np.array([[3, 6], [5, 0], [0, 0], [1, 0]]),
        "starts_length": np.array([2, 1, 0, 1]),  # the third has no answer
        "is_example": np.array([1, 1, 1, 0]),  # the fourth fills up
    }
    found = span_scores({"start": np.array([6, 5, 0, 1]), "end": np.array([6, 7, 0, 1])}, batch)
    assert found["exact"] == (100.0, 2.0)
    assert found["f1"] == (pytest.approx(100.0 * (1.0 + 2 * 1 / (3 + 2))), 2.0)
