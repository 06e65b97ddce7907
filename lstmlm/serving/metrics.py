"""What Prometheus reads of a server: https://prometheus.io/docs/practices/naming/."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lstmlm.decoding.meter import Meter
from lstmlm.serving.job import Done

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds of the classes of the histogram."""


class Metrics:
    """Counts of one server.

    Args:
        meter: What the engine counts.
        open_inputs: Returns how many inputs are accepted and not answered.
    """

    def __init__(self, meter: Meter, open_inputs: Callable[[], int]) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("lstmlm_requests", "Requests by status code.", ["code"], registry=registry)
        self._seconds = Histogram(
            "lstmlm_request_seconds",
            "Seconds from the head of a request to its answer.",
            buckets=SECONDS,
            registry=registry,
        )
        self._inputs = Counter("lstmlm_inputs", "Inputs by what became of them.", ["outcome"], registry=registry)
        self._size = Counter(
            "lstmlm_outputs_size", "What was computed: tokens, frames, or 1 for a label.", registry=registry
        )
        for outcome in ("done", "failed"):
            self._inputs.labels(outcome)
        registry.register(_Running(meter, open_inputs))

    def answered(self, code: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(str(code)).inc()
        self._seconds.observe(seconds)

    def finished(self, done: Done) -> None:
        """Counts an input."""
        self._inputs.labels("failed" if done.fields is None else "done").inc()
        self._size.inc(done.size)

    def text(self) -> bytes:
        """Returns all of it in Prometheus's text format."""
        return generate_latest(self._registry)


class _Running(Collector):
    """Reads what changes all the time only when it is asked for."""

    def __init__(self, meter: Meter, open_inputs: Callable[[], int]) -> None:
        self._meter, self._open = meter, open_inputs

    def collect(self) -> Iterable[Metric]:
        """See `Collector`."""
        open_inputs = "Inputs that are accepted and not answered."
        yield GaugeMetricFamily("lstmlm_inputs_open", open_inputs, value=self._open())
        rows = "Rows that the engine computed, over all steps."
        yield CounterMetricFamily("lstmlm_slot_rows", rows, value=self._meter.rows)
        busy = "Rows of these in which an input was decoded."
        yield CounterMetricFamily("lstmlm_slot_rows_busy", busy, value=self._meter.busy)
