"""Measures how long training takes to recover from a fault; `benchmarks/train_faults.py` makes rows of it."""

from __future__ import annotations

import time
from pathlib import Path


class Recovery:
    """The seconds from a fault on until training, begun anew, is further than it was.

    Attributes:
        seconds: None until then.

    Args:
        checkpoints: The run's folder of checkpoints.
    """

    def __init__(self, checkpoints: Path) -> None:
        self.seconds: float | None = None
        self._checkpoints, self._began, self._reached, self._pid = checkpoints, 0.0, 0.0, ""

    def begin(self, done: float) -> None:
        """Says that the fault is now, and which step training has reached."""
        self._began, self._reached, self._pid = time.monotonic(), done, self._worker()

    def look(self, done: float) -> None:
        """Says which step training has reached some time after the fault."""
        if self.seconds is None and done > self._reached and self._worker() != self._pid:
            self.seconds = time.monotonic() - self._began

    def _worker(self) -> str:
        """Returns the process of the first worker: every restart of the group has another."""
        pids = sorted(self._checkpoints.glob("*/worker-0.pid"))
        return pids[0].read_text() if pids else ""
