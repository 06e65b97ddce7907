"""Log-count ratios against a case by hand, and what holds for all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lstmlm.models.labels.naive_bayes import log_count_ratios


def test_two_labels_by_hand() -> None:
    # With one more for each of three things, the first label has 10 in all and the second 6.
    found = log_count_ratios(np.array([[5.0, 1.0], [2.0, 2.0], [0.0, 0.0]]))
    first = np.log((6 / 10) / (2 / 6))
    second = np.log((3 / 10) / (3 / 6))
    assert found == pytest.approx(np.array([[first, -first], [second, -second], [0.0, 0.0]]), abs=1e-6)


@given(arrays.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(2, 4)), elements=st.integers(0, 50)))
def test_more_with_a_label_is_more_and_what_never_occurs_is_nothing(counts: np.ndarray) -> None:
    found = log_count_ratios(counts)
    assert np.isfinite(found).all()
    assert not found[~counts.any(axis=1)].any()
    more = counts.copy()
    more[0, 0] += 100
    assert log_count_ratios(more)[0, 0] >= found[0, 0] - 1e-6
