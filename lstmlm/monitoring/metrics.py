"""How far the stages of a process are, for Prometheus: https://prometheus.io/docs/practices/naming/.

A batch job has no server of its own, so a command that is asked to (`lstmlm --metrics ADDRESS`) opens one.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Outcome = Literal["done", "cached", "failed"]


@dataclasses.dataclass(slots=True)
class _Stage:
    """How far one stage is; `seconds` is None while it works."""

    began: float
    done: float = 0.0
    total: float | None = None
    unit: str = ""
    seconds: float | None = None
    numbers: dict[str, float] = dataclasses.field(default_factory=dict)


class StageMetrics(Collector):
    """Counts and measurements of the stages that ran, or run, in this process. Threads may report at the same time.

    Args:
        now: Returns a time in seconds that never goes back.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.registry = CollectorRegistry()
        self._now, self._lock = now, threading.Lock()
        self._stages: dict[str, _Stage] = {}
        self._ended: dict[tuple[str, Outcome], int] = {}
        self.registry.register(self)

    def started(self, stage: str) -> None:
        """Notes that a stage starts, again perhaps."""
        with self._lock:
            self._stages[stage] = _Stage(self._now())

    def progress(
        self, stage: str, done: float, total: float | None, unit: str, numbers: Mapping[str, float] | None = None
    ) -> None:
        """Notes how far it is; see `lstmlm.progress.Progress.update`."""
        with self._lock:
            seen = self._stages.setdefault(stage, _Stage(self._now()))
            seen.done, seen.total, seen.unit = done, total, unit
            seen.numbers.update(numbers or {})

    def finished(self, stage: str, outcome: Outcome) -> None:
        """Notes how it ended."""
        with self._lock:
            seen = self._stages.setdefault(stage, _Stage(self._now()))
            seen.seconds = self._now() - seen.began
            self._ended[stage, outcome] = self._ended.get((stage, outcome), 0) + 1

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        done = GaugeMetricFamily("lstmlm_stage_done", "Units of a stage that are done.", labels=["stage", "unit"])
        total = GaugeMetricFamily("lstmlm_stage_units", "Units in all, where known.", labels=["stage", "unit"])
        running = GaugeMetricFamily("lstmlm_stage_running", "1 while a stage works, else 0.", labels=["stage"])
        seconds = GaugeMetricFamily("lstmlm_stage_seconds", "Seconds that a stage took so far.", labels=["stage"])
        value = GaugeMetricFamily(
            "lstmlm_stage_value", "What a stage measured last, such as a loss.", labels=["stage", "name"]
        )
        ended = CounterMetricFamily("lstmlm_stages_ended", "Stages by how they ended.", labels=["stage", "outcome"])
        with self._lock:
            for name, stage in self._stages.items():
                running.add_metric([name], float(stage.seconds is None))
                seconds.add_metric([name], self._now() - stage.began if stage.seconds is None else stage.seconds)
                if stage.unit:
                    done.add_metric([name, stage.unit], stage.done)
                if stage.unit and stage.total is not None:
                    total.add_metric([name, stage.unit], stage.total)
                for number, found in stage.numbers.items():
                    value.add_metric([name, number], found)
            for (name, outcome), count in self._ended.items():
                ended.add_metric([name, outcome], count)
        return [done, total, running, seconds, value, ended]
