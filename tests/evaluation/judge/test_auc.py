"""The area under the curve, against counting all pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.evaluation.judge.auc import auc, with_interval

SCORES = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)


@given(real=SCORES, generated=SCORES)
def test_it_is_the_share_of_pairs_in_order(real: list[float], generated: list[float]) -> None:
    won = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a in real for b in generated)
    assert np.isclose(auc(np.array(real), np.array(generated)), won / (len(real) * len(generated)))


def test_the_interval_narrows_with_more_texts_and_holds_the_truth() -> None:
    draws = np.random.default_rng(1)
    widths = []
    for size in (100, 1600):
        found = with_interval(draws.normal(size=size), draws.normal(size=size), seed=1)
        assert found.low < 0.5 < found.high
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert 3 < widths[0] / widths[1] < 5  # as the square root of the number
    assert with_interval(np.ones(5), np.zeros(5), seed=1).low == 1
