"""The rows of a global batch that one worker takes."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """One of several workers that share every batch by its rows; rows beyond the last are of padding.

    Attributes:
        rank: The worker's number.
        world: Number of workers.
        slices: The parts that a worker takes its rows in (`training.accumulate`); all have the same number of rows.
    """

    rank: int = 0
    world: int = 1
    slices: int = 1

    def rows(self, rows: Any) -> Any:
        """Returns how many rows a worker takes of a batch, padding included; of a number, or of a tensor of one."""
        return -(-rows // (self.world * self.slices)) * self.slices

    def place(self, rows: Any) -> tuple[Any, Any]:
        """Returns the index of this worker's first row of a batch, and how many it takes; see `rows`."""
        return self.rank * self.rows(rows), self.rows(rows)


WHOLE = Share()
"""Of a single worker: the batch itself."""
