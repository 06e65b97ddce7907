"""The interface by which a stage reports its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the state of a stage; the command line shows it as one line."""

    def update(self, done: float, total: float | None = None, *, unit: str = "", note: str = "") -> None:
        """Reports how far the stage is.

        Args:
            done: Units finished so far.
            total: Units in all, where known.
            unit: What is counted, for example `steps` or `records`.
            note: Further information, for example `loss 4.21`.
        """


class Silent:
    """A listener that shows nothing, for library use and tests."""

    def update(self, done: float, total: float | None = None, *, unit: str = "", note: str = "") -> None:
        """See `Progress.update`."""
