"""The interface by which a stage reports its progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Receives the state of a stage; the command line shows it as one line."""

    def update(
        self,
        done: float,
        total: float | None = None,
        *,
        unit: str = "",
        note: str = "",
        numbers: Mapping[str, float] | None = None,
    ) -> None:
        """Reports how far the stage is.

        Args:
            done: Units finished so far.
            total: Units in all, where known.
            unit: What is counted, for example `steps` or `records`.
            note: Further information, for example `loss 4.21`.
            numbers: What was measured, by name, for programs: for example `{"loss": 4.21}`.
        """


class Silent:
    """A listener that shows nothing, for library use and tests."""

    def update(self, done: float, total: float | None = None, **said: object) -> None:
        """See `Progress.update`."""


def numbers_of(values: Mapping[str, object]) -> dict[str, float]:
    """Returns the numbers among some values, such as those of a row of metrics."""
    numbers = {name: value for name, value in values.items() if isinstance(value, (int, float))}
    return {name: float(value) for name, value in numbers.items() if not isinstance(value, bool)}
