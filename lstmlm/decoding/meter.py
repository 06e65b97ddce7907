"""Metrics of the engine: batch occupancy, and latency per record."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

STEPS_A_DECADE = 20
"""Latencies are counted in classes, each 12 % wider than the one before: the size of what is kept never grows."""


@dataclasses.dataclass(slots=True)
class Meter:
    """Adds up over any number of batches; meters of several workers add up to one.

    Attributes:
        rows: Rows computed, over all steps.
        busy: Those of them that a record was decoded in.
        latencies: Class -> records whose decoding, from its slot to its last token, took that long; class n holds what
            is shorter than 10 ** (n / 20) seconds and not shorter than a class less.
    """

    rows: int = 0
    busy: int = 0
    latencies: dict[int, int] = dataclasses.field(default_factory=dict)

    def step(self, rows: int, busy: int) -> None:
        """Counts a step of the model over `rows` rows, `busy` of which hold a record."""
        self.rows += rows
        self.busy += busy

    def finished(self, seconds: float, records: int = 1) -> None:
        """Counts records that took that long."""
        place = math.ceil(math.log10(max(seconds, 1e-6)) * STEPS_A_DECADE)
        self.latencies[place] = self.latencies.get(place, 0) + records

    def add(self, facts: Mapping[str, Any]) -> None:
        """Adds what another meter's `facts` returned."""
        self.step(facts["rows"], facts["busy"])
        for place, records in facts["latencies"].items():
            self.latencies[int(place)] = self.latencies.get(int(place), 0) + records

    def facts(self) -> dict[str, Any]:
        """Returns the counts as JSON values."""
        return {"rows": self.rows, "busy": self.busy, "latencies": {str(n): k for n, k in self.latencies.items()}}

    @property
    def fill(self) -> float:
        """Share of the computed rows in which a record was decoded."""
        return self.busy / self.rows if self.rows else 0.0

    def percentile(self, share: float) -> float:
        """Returns the seconds within which that share of the records was decoded, up to 12 % more."""
        wanted, seen = share * sum(self.latencies.values()), 0
        for place in sorted(self.latencies):
            seen += self.latencies[place]
            if seen >= wanted:
                return float(10 ** (place / STEPS_A_DECADE))
        return 0.0
