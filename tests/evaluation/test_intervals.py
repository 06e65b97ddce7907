"""Bootstrap intervals."""

from __future__ import annotations

import math

import numpy as np

from lstmlm.evaluation import intervals
from lstmlm.evaluation.intervals import mean_interval


def test_the_interval_is_that_of_the_normal_distribution_for_many_records() -> None:
    values = np.random.default_rng(1).normal(10, 2, 2000).tolist()
    low, high = mean_interval(values, 3)
    wide = 1.96 * float(np.std(values)) / math.sqrt(len(values))
    assert abs(low - (np.mean(values) - wide)) < 0.1 * wide
    assert abs(high - (np.mean(values) + wide)) < 0.1 * wide


def test_one_record_has_no_spread() -> None:
    assert mean_interval([4.5], 1) == (4.5, 4.5)


def test_a_share_of_the_means_is_inside() -> None:
    values = list(range(50))
    narrow, wide = mean_interval(values, 1, 0.5), mean_interval(values, 1)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_blocks_change_nothing_in_how_many_means_there_are(monkeypatch) -> None:
    monkeypatch.setattr(intervals, "_BLOCK", 70)
    low, high = mean_interval([1.0, 2.0, 3.0], 1)
    assert 1.0 <= low < high <= 3.0
