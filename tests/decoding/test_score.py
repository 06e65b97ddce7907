"""Scores against sums over the toy's own table."""

import numpy as np
import pytest

from lstmlm.decoding.score import score
from lstmlm.decoding.search.request import SearchRequest
from tests.decoding.toy import END, Toy, sources


@pytest.mark.parametrize("rows", [1, 3, 32])
def test_scores_are_the_sums_of_the_log_probabilities(rows):
    toy, rng = Toy(), np.random.default_rng(1)
    inputs = sources(15)
    targets = [[*rng.integers(1, 7, rng.integers(0, 9)).tolist(), END] for _ in inputs]
    targets[4] = []
    found = score(toy, [SearchRequest(ids) for ids in inputs], targets, rows)
    for ids, target, scored in zip(inputs, targets, found, strict=True):
        history, total = toy.first(ids), 0.0
        for token in target:
            total += float(toy.log_table()[history, token])
            history = (history * 31 + token) % 997
        assert scored.tokens == len(target)
        np.testing.assert_allclose(scored.log_probability, total, rtol=1e-5)


def test_rows_are_left_out_at_the_end_of_the_input():
    toy, rng = Toy(), np.random.default_rng(1)
    texts = [*([[1, END]] * 40), [*rng.integers(1, 7, 500).tolist(), END]]
    score(toy, [SearchRequest([]) for _ in texts], texts, 64)
    assert toy.rows < 10 * 502  # 64 rows for each of 501 steps would be 32,064
