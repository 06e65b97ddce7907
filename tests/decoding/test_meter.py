"""Counting what an engine does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstmlm.decoding.engine import Engine
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from tests.decoding.toy import Toy


@given(st.lists(st.floats(1e-5, 1e3), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles_are_right_to_an_eighth(seconds: list[float], share: float) -> None:
    meter = Meter()
    for one in seconds:
        meter.finished(one)
    exact = float(np.quantile(seconds, share, method="inverted_cdf"))
    assert exact * 0.999 <= meter.percentile(share) <= exact * 1.13


def test_meters_of_workers_add_up() -> None:
    one, other = Meter(), Meter()
    one.step(8, 6)
    one.finished(0.1)
    other.step(2, 2)
    other.finished(0.1)
    other.finished(5.0)
    one.add(other.facts())
    assert (one.rows, one.busy, one.fill) == (10, 8, 0.8)
    assert sum(one.latencies.values()) == 3


def test_nothing_done_is_no_error() -> None:
    assert (Meter().fill, Meter().percentile(0.5)) == (0, 0)


@pytest.mark.parametrize("method", ["greedy", "beam"])
def test_the_engine_counts_rows_and_every_record(method: str) -> None:
    toy, meter = Toy(), Meter()
    options = SearchOptions(method, max_tokens=9, beam=3)
    engine = Engine(toy, options, rows=12)
    found = engine.decode([SearchRequest([4 + n % 3, 5, 3]) for n in range(50)], meter)
    assert meter.rows == toy.rows
    assert sum(meter.latencies.values()) == 50
    if method == "greedy":  # a step for each token, and one for the end where it came before the limit
        assert meter.busy == sum(min(len(best.tokens) + 1, 9) for best, *_ in found)
