"""Computes jobs: by the slots of the engine, which a job joins at any time, or batch after batch.

A lane is one way to decode. Lanes of one model share its weights and take turns.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from lstmlm.bases.text import TextPredictor, prediction_of
from lstmlm.decoding.meter import Meter
from lstmlm.inference.input.requests import Request
from lstmlm.inference.model.engine_model import EngineModel
from lstmlm.inference.model.isolation import predicted
from lstmlm.inference.model.live import LiveTexts
from lstmlm.serving.job import Done, Job
from lstmlm.task import BadRecord, Prediction, Predictor

Finished = list[tuple[Job, Done]]


class Lane(Protocol):
    """Computes jobs that are decoded in one way."""

    @property
    def busy(self) -> bool:
        """Whether there are jobs without a result."""

    def add(self, job: Job) -> None:
        """Takes a job."""

    def step(self) -> Finished:
        """Computes for a moment; returns the jobs that are finished."""


class SlotLane:
    """Decodes in the slots of the engine: a job waits for a free slot only.

    Args:
        model: The model, decoding as this lane does.
        slots: Rows decoded together.
        meter: Counts what is done.
        by_record: Jobs bring constraints of their own.
    """

    def __init__(self, model: EngineModel, slots: int, meter: Meter, *, by_record: bool = False) -> None:
        self._model, self._slots, self._meter, self._by_record = model, slots, meter, by_record
        self._numbers = itertools.count()
        self._restart()

    def _restart(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._live = LiveTexts(self._model, self._slots, self._meter, by_record=self._by_record)
        self._refused: Finished = []

    @property
    def busy(self) -> bool:
        """See `Lane`."""
        return bool(self._jobs or self._refused)

    def add(self, job: Job) -> None:
        """See `Lane`."""
        number = next(self._numbers)
        try:
            self._live.add(number, job.fields["source"], job.seed, job.limit, job.own)
        except BadRecord as problem:
            self._refused.append((job, Done(None, str(problem))))
            return
        except self._model.failures() as error:
            self._refused.append((job, Done(None, f"the model failed: {type(error).__name__}: {error}")))
            return
        self._jobs[number] = job

    def step(self) -> Finished:
        """See `Lane`; where the model fails, its jobs are computed again, one by one."""
        refused, self._refused = self._refused, []
        try:
            found = self._live.step()
        except self._model.failures():
            jobs = [*self._jobs.values()]
            self._restart()
            return [*refused, *self._one_by_one(jobs)]
        finished = refused
        for number, output in found:
            job = self._jobs.pop(number)
            if isinstance(output, ValueError):
                finished.append((job, Done(None, str(output))))
            else:
                finished.append((job, _done(prediction_of(job.fields["source"], output))))
        return finished

    def _one_by_one(self, jobs: Sequence[Job]) -> Finished:
        """Computes jobs by themselves: those that the model fails on have no output."""
        finished: Finished = []
        for job in jobs:
            model = self._model.at_most(job.limit)
            finished += computed([job], TextPredictor(model), self._meter)
        return finished


class BatchLane:
    """Predicts what waits, batch after batch; for models that are not decoded token by token by the engine.

    Args:
        model: The model.
        most: Jobs computed at once.
        meter: Counts what is done.
    """

    def __init__(self, model: Predictor, most: int, meter: Meter) -> None:
        self._model, self._most, self._meter = model, most, meter
        self._waiting: deque[Job] = deque()

    @property
    def busy(self) -> bool:
        """See `Lane`."""
        return bool(self._waiting)

    def add(self, job: Job) -> None:
        """See `Lane`."""
        self._waiting.append(job)

    def step(self) -> Finished:
        """See `Lane`."""
        taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        return computed(taken, self._model, self._meter)


def computed(jobs: Sequence[Job], model: Predictor, meter: Meter) -> Finished:
    """Computes jobs together; where the model fails on one, the others are not lost."""
    requests = [Request(n, n, job.fields, job.seed, "") for n, job in enumerate(jobs)]
    return [
        (jobs[one.request.index], Done(None, one.error) if one.output is None else _done(one.output))
        for one in predicted(requests, model, meter)
    ]


def _done(found: Prediction) -> Done:
    return Done(found.fields, size=found.size)
