"""Requests that join a running batch are decoded as they are by themselves, whenever they come."""

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstmlm.decoding.arrivals import Arrivals
from lstmlm.decoding.constraints.constraints import Constraints
from lstmlm.decoding.constraints.forbidden import Forbidden
from lstmlm.decoding.engine import Engine
from lstmlm.decoding.meter import Meter
from lstmlm.decoding.running import LEAST_SLOTS
from lstmlm.decoding.search.request import SearchOptions, SearchRequest
from tests.decoding.toy import PIECES, Toy, sources

GREEDY = SearchOptions(max_tokens=12)
WAYS = {
    "greedy": GREEDY,
    "sample": SearchOptions("sample", max_tokens=12, temperature=1.3),
    "beam": SearchOptions("beam", max_tokens=9, beam=3, n_best=3, coverage_penalty=0.2, align=True),
    "words": dataclasses.replace(GREEDY, constraints=Constraints(words=Forbidden(["a", "b b"], PIECES))),
}


def live(toy, options, rows, requests, groups):
    """Decodes requests that come in groups, one group at every step; a group may be empty."""
    arrivals, left, found, meter = Arrivals(toy, rows), list(enumerate(requests)), {}, Meter()
    batch, groups = Engine(toy, options, rows).running(arrivals), list(groups)
    while left or batch.busy or arrivals.waiting:
        size = groups.pop(0) if groups else len(left)
        for owner, request in left[:size]:
            arrivals.add(owner, request)
        del left[:size]
        if batch.fill():
            for owner, hypotheses in batch.advance(meter):
                assert owner not in found
                found[owner] = hypotheses
    return [found[owner] for owner in range(len(requests))], meter


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
@settings(max_examples=15)
@given(data=st.data())
def test_equals_the_batch_whenever_requests_come(options, data):
    count, rows = data.draw(st.integers(1, 60)), data.draw(st.sampled_from([3, 16, 48, 64]))
    groups = data.draw(st.lists(st.integers(0, 30), max_size=20))
    requests = [SearchRequest(ids, seed) for seed, ids in enumerate(sources(count))]
    found, _ = live(Toy(), options, rows, requests, groups)
    assert found == Engine(Toy(), options, rows).decode(requests)


def test_few_requests_take_few_rows_and_many_take_all():
    requests = [SearchRequest(ids) for ids in sources(200)]
    _, few = live(Toy(), GREEDY, 64, requests[:20], [1, *([0] * 12)] * 20)
    _, many = live(Toy(), GREEDY, 64, requests, [1, *([0] * 12), 199])
    toy = Toy()
    live(toy, GREEDY, 64, requests[:1], [1])
    assert toy.rows == toy.steps * LEAST_SLOTS
    assert few.rows < 20 * 13 * 2 * LEAST_SLOTS
    assert many.fill > 0.7


def test_no_request_is_kept_after_its_turn():
    toy, arrivals = Toy(), Arrivals(Toy(), 8)
    batch, order = Engine(toy, GREEDY, 8).running(arrivals), random.Random(3)
    for owner, ids in enumerate(sources(50)):
        arrivals.add(owner, SearchRequest(ids))
        for _ in range(order.randrange(4)):
            if batch.fill():
                batch.advance(Meter())
    while batch.fill():
        batch.advance(Meter())
    assert (arrivals.waiting, len(arrivals._requests), len(arrivals._queue)) == (0, 0, 0)
