"""The keys of a whole corpus: which file holds those of which rows.

Rows are numbered over the whole corpus, in corpus order. Each key file has the rows of some extents.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.dedup.keys import KeyFile
from lstmlm.corpus.passes.extents import Part
from lstmlm.corpus.wording.words import Hashes, Offsets
from lstmlm.storage import place


@dataclasses.dataclass(frozen=True, slots=True)
class KeyIndex:
    """Where the keys of each row are stored; small, and sent to the workers.

    Attributes:
        paths: The key files.
        first: Number of the first row of each extent in corpus order, and the number of rows in all.
        file: Position among `paths` of the file of each extent.
        local: Row of that file with which the extent begins.
    """

    paths: tuple[Path, ...]
    first: Offsets
    file: Offsets
    local: Offsets

    @staticmethod
    def of(parts: Sequence[Part], path_of: Callable[[Path], Path]) -> KeyIndex:
        """Returns the index of parts.

        Args:
            parts: One for each extent, in corpus order.
            path_of: Path of the records -> path of their keys.
        """
        parts = [part for part in parts if part.extent.records]
        positions: dict[str, int] = {}
        for part in parts:
            positions.setdefault(part.extent.path, len(positions))
        ends = np.cumsum([part.extent.records for part in parts], dtype=np.int64)
        return KeyIndex(
            tuple(path_of(place(path)) for path in positions),
            np.concatenate([[0], ends]),
            np.array([positions[part.extent.path] for part in parts], np.int64),
            np.array([part.extent.row for part in parts], np.int64),
        )

    @property
    def rows(self) -> int:
        """Rows in all."""
        return int(self.first[-1])

    def place(self, rows: Offsets) -> tuple[Offsets, Offsets]:
        """Returns the position among the files, and the row in that file, of each row."""
        extents = np.searchsorted(self.first, rows, side="right") - 1
        return self.file[extents], rows - self.first[extents] + self.local[extents]


class OpenKeys:
    """The key files of an index, each opened once; for one thread."""

    def __init__(self, index: KeyIndex) -> None:
        """Maps the files.

        Raises:
            ValueError: A file is damaged, or they were not written with the same settings.
        """
        self.index = index
        self.files = [KeyFile.open(path) for path in index.paths]
        if len({(file.columns, file.hashes) for file in self.files}) > 1:
            raise ValueError("the key files were written with different settings")
        order = np.lexsort((index.local, index.file))
        bounds = np.searchsorted(index.file[order], np.arange(len(self.files) + 1))
        # For each file, where its extents begin in it and in the corpus.
        self._starts = [
            (index.local[order[start:end]], index.first[order[start:end]]) for start, end in itertools.pairwise(bounds)
        ]

    def count(self, column: int, low: int, high: int) -> int:
        """Returns how many keys of a column are from `low` to below `high`."""
        return sum(last - first for first, last in (file.bounds(column, low, high) for file in self.files))

    def column(self, column: int, low: int, high: int) -> tuple[Hashes, Offsets]:
        """Returns the keys of a column from `low` to below `high` and their rows, in the order of the files."""
        found = [file.column(column, low, high) for file in self.files]
        keys = np.concatenate([keys for keys, _ in found] or [np.empty(0, np.uint64)])
        rows = [self._rows(position, local) for position, (_, local) in enumerate(found)]
        return keys, np.concatenate(rows or [np.empty(0, np.int64)])

    def rows_of_key(self, column: int, key: int) -> Iterator[Offsets]:
        """Yields the rows of one key, ascending, those of an extent at a time: there may be very many."""
        index = self.index
        for first, end, position, local in zip(index.first[:-1], index.first[1:], index.file, index.local, strict=True):
            _, rows = self.files[position].column(column, key, key + 1)
            start, last = np.searchsorted(rows, [local, local + end - first])
            yield rows[start:last].astype(np.int64) - local + first

    def gather(self, rows: Offsets, read: Callable[[KeyFile, Offsets], NDArray[Any]]) -> NDArray[Any]:
        """Returns what `read` gives for each row; reads from each file once."""
        unique, inverse = np.unique(rows, return_inverse=True)
        positions, local = self.index.place(unique)
        order = np.argsort(positions, kind="stable")
        used, starts = np.unique(positions[order], return_index=True)
        parts = np.split(local[order], starts[1:])
        read_parts = [read(self.files[position], part) for position, part in zip(used, parts, strict=True)]
        return np.concatenate(read_parts)[np.argsort(order)][inverse]

    def _rows(self, position: int, local: NDArray[np.uint32]) -> Offsets:
        starts, first = self._starts[position]
        rows = local.astype(np.int64)
        extents = np.searchsorted(starts, rows, side="right") - 1
        return rows - starts[extents] + first[extents]
