"""Which failures end a training at once, and which are retried."""

from __future__ import annotations

import pytest
from ray.train import FailureConfig
from ray.train.v2._internal.execution.failure_handling import FailureDecision
from ray.train.v2.api.exceptions import WorkerGroupError

from lstmlm.errors import UserError
from lstmlm.training.workers.failures import FailOnMistake, summary


def wrapped(inner: Exception) -> WorkerGroupError:
    outer = RuntimeError("RayTaskError: a report of many lines")
    outer.cause = inner  # type: ignore[attr-defined]
    return WorkerGroupError("Training failed due to worker errors:\n...", {1: outer})


@pytest.mark.parametrize(
    ("error", "decision"),
    [
        (UserError("the loss is not a finite number"), FailureDecision.RAISE),
        (RuntimeError("worker 1 of 2 has ended"), FailureDecision.RETRY),
        (ConnectionError("connection reset"), FailureDecision.RETRY),
    ],
)
def test_only_what_may_go_well_is_tried_again(error: Exception, decision: FailureDecision) -> None:
    assert FailOnMistake(FailureConfig(max_failures=2)).make_decision(wrapped(error)) is decision


def test_a_lost_worker_is_replaced_as_often_as_the_recipe_says() -> None:
    policy = FailOnMistake(FailureConfig(max_failures=1))
    lost = wrapped(RuntimeError("worker 1 of 2 has ended"))
    assert [policy.make_decision(lost) for _ in range(2)] == [FailureDecision.RETRY, FailureDecision.RAISE]


def test_the_first_failure_of_a_worker_is_the_message() -> None:
    assert str(summary(wrapped(RuntimeError("the peer\nis gone")))) == "worker 1 failed: RuntimeError: the peer"
    assert len(str(summary(wrapped(RuntimeError("x" * 5000))))) < 400
