"""A model that fails on one input costs the others nothing, at whatever step it fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import lstmlm
from lstmlm.decoding.meter import Meter
from lstmlm.serving.job import Job
from lstmlm.serving.lanes import BatchLane, SlotLane
from tests.tiny import TinyRun

pytestmark = pytest.mark.slow

TEXTS = ["The statement", "BAD", "a name of a class", "if"]


@pytest.fixture
def model(exported: TinyRun) -> lstmlm.Model:
    return lstmlm.load(exported.export, threads=1)


def finished(lane: Any, texts: list[str], limit: int | None = None) -> dict[str, Any]:
    """Computes texts that come one by one; returns what became of each."""
    loop, found = asyncio.new_event_loop(), {}
    left = [Job({"source": text}, 0, None, limit, loop.create_future()) for text in texts]
    while left or lane.busy:
        if left:
            lane.add(left.pop(0))
        found |= {job.fields["source"]: done for job, done in lane.step()}
    loop.close()
    return found


@pytest.mark.parametrize("way", ["slots", "batches"])
def test_a_failing_input_is_by_itself(model: lstmlm.Model, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = model.predictor.model
    right = {text: output.text for text, output in zip(TEXTS, engine.generate(TEXTS, [0] * 4), strict=True)}
    encode, bad = engine.backend.encode, engine.read("BAD")[0][:2]

    def failing(ids: Any, lengths: Any) -> Any:
        if any(bad[-1] in row for row in ids.tolist()):
            raise RuntimeError("cannot read this")
        return encode(ids, lengths)

    monkeypatch.setattr(engine.backend, "encode", failing)
    lane = SlotLane(engine, 16, Meter()) if way == "slots" else BatchLane(model.predictor, 16, Meter())
    found = finished(lane, TEXTS)
    assert found["BAD"].fields is None
    assert "cannot read this" in found["BAD"].error
    for text in set(TEXTS) - {"BAD"}:
        assert found[text].fields is None or found[text].fields["output"] == right[text]
    assert sum(done.fields is not None for done in found.values()) >= 2


def test_a_limit_is_that_of_the_input_in_the_same_batch(model: lstmlm.Model) -> None:
    engine = model.predictor.model
    found = finished(SlotLane(engine, 16, Meter()), TEXTS, limit=3)
    expected = engine.at_most(3).generate(TEXTS, [0] * len(TEXTS))
    assert [found[text].fields["output"] for text in TEXTS] == [one.text for one in expected]
    assert max(done.size for done in found.values()) <= 3
