"""Logs the loss and the speed of training steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from lstmlm.training.checkpoints.checkpoint import Position

LOG_EVERY = 10


class MetricsLogger:
    """Writes the running mean of the loss and the speed every few steps.

    The sums of the mean are in the position, and so in checkpoints: a resumed run logs the same losses.

    Args:
        write: Writes a row; None: another worker is the one that writes.
        steps: The last step.
    """

    def __init__(self, write: Callable[[Mapping[str, Any]], None] | None, steps: int) -> None:
        self._row, self._steps = write, steps
        self._tokens = 0.0
        self._since = time.perf_counter()

    def count(self, position: Position, loss: float, tokens: float, facts: Mapping[str, Any]) -> None:
        """Adds a step, and what else is known of it."""
        position.unlogged_nats += loss * tokens
        position.unlogged_tokens += tokens
        self._tokens += tokens
        if position.step % LOG_EVERY == 0 or position.step == self._steps:
            if self._row is not None:
                self._row(self._measured(position, facts))
            position.unlogged_nats = position.unlogged_tokens = self._tokens = 0.0
            self._since = time.perf_counter()

    def _measured(self, position: Position, facts: Mapping[str, Any]) -> dict[str, Any]:
        seconds = time.perf_counter() - self._since
        mean = position.unlogged_nats / max(1.0, position.unlogged_tokens)
        row = {"step": position.step, "epoch": position.epoch, "loss": mean}
        return row | dict(facts) | {"tokens_per_second": self._tokens / max(seconds, 1e-9)}

    def resume(self) -> None:
        """Leaves the time since the last step out of the speed: an evaluation took it."""
        self._since = time.perf_counter()
