"""Measures the training time of a `lstmlm run` from outside, by following its metrics file while it is written.

A row of `metrics.jsonl` covers the steps since the row before. When it appeared says how long they took; an
evaluation's row begins the count anew, so that evaluations are left out, and checkpoints are not. Nobody saw the first
steps begin: their time, in which the graph is built too, follows from the tokens per second that they report and from
the tokens of a mean step.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

POLL_SECONDS = 0.2
LOG_EVERY = 10
"""Steps between rows of a training; evaluations have to fall on one."""

Seen = tuple[float, Mapping[str, Any]]
"""When a row appeared, in seconds, and the row."""


@dataclasses.dataclass(frozen=True)
class Timing:
    """What a training took.

    Attributes:
        seconds: All its steps, evaluations left out.
        per_step: Seconds of a step, once it is under way.
        start: Seconds that the first steps took longer than others: the graph is built.
        steps: How many there were.
    """

    seconds: float
    per_step: float
    start: float
    steps: int

    def steps_within(self, seconds: float) -> int:
        """Returns how many steps fit into a time, in whole rows of the metrics; two at least."""
        rows = int((seconds - self.start) / self.per_step) // LOG_EVERY
        return LOG_EVERY * max(2, rows)


def timing(seen: Sequence[Seen]) -> Timing:
    """Adds up what a training took.

    Args:
        seen: The rows of its metrics, in order; two of training at least, and one of them first.
    """
    if not seen or seen[-1][1]["step"] <= seen[0][1]["step"]:
        raise SystemExit("the training was too short to be timed")
    before, first = seen[0]
    seconds, tokens, last = 0.0, 0.0, first
    for now, row in seen[1:]:
        if "valid_loss" not in row:
            seconds += now - before
            tokens += (now - before) * float(row["tokens_per_second"])
            last = row
        before = now
    later = int(last["step"]) - int(first["step"])
    beginning = int(first["step"]) * (tokens / later) / float(first["tokens_per_second"])
    per_step = seconds / later
    return Timing(beginning + seconds, per_step, beginning - int(first["step"]) * per_step, int(last["step"]))


class Clock:
    """Follows the metrics of the one training below a run's folder, in the background; used with `with`.

    Args:
        run: The run's folder; it need not exist yet.
    """

    def __init__(self, run: Path) -> None:
        self.seen: list[Seen] = []
        self._run, self._read = run, 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            for path in self._run.glob("checkpoints/*/metrics.jsonl"):
                with contextlib.suppress(FileNotFoundError):  # published since
                    self._look(path)

    def _look(self, path: Path) -> None:
        """Takes the lines that are new; one that is not whole yet is left for later."""
        if path.stat().st_size == self._read:
            return
        with path.open("rb") as stream:
            stream.seek(self._read)
            new = stream.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        self.seen += [(time.monotonic(), json.loads(line)) for line in whole.splitlines()]
