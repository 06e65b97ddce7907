"""Finds pairs of equal or similar rows, one range of one key column at a time.

Rows are numbered over the whole corpus, in corpus order. What is found does not depend on how rows are divided into
blocks or how keys are divided into ranges: all rows of a key are in one range.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.dedup.keys import EXACT, KeyFile
from lstmlm.corpus.dedup.minhash import NO_KEY
from lstmlm.corpus.wording.words import Hashes, Offsets

LEADERS = 64
"""Rows of a key that others are compared with at most: a key shared by more unlike texts says nothing about them."""

_PAIRS = 1 << 18  # pairs compared at a time


@dataclasses.dataclass(frozen=True, slots=True)
class KeyIndex:
    """The key files of a corpus.

    Attributes:
        files: In corpus order.
        first: Number of the first row of each file, and the number of rows in all.
    """

    files: tuple[KeyFile, ...]
    first: Offsets

    @staticmethod
    def open(paths: Sequence[Path]) -> KeyIndex:
        """Reads the headers of key files, given in corpus order.

        Raises:
            ValueError: A file is damaged, or they were not written with the same settings.
        """
        files = tuple(KeyFile.open(path) for path in paths)
        if len({(file.columns, file.hashes) for file in files}) > 1:
            raise ValueError("the key files were written with different settings")
        return KeyIndex(files, np.concatenate([[0], np.cumsum([file.rows for file in files], dtype=np.int64)]))

    @property
    def rows(self) -> int:
        """Rows in all."""
        return int(self.first[-1])

    def place(self, rows: Offsets) -> tuple[Offsets, Offsets]:
        """Returns the position among the files, and the row in that file, of each row."""
        positions = np.searchsorted(self.first, rows, side="right") - 1
        return positions, rows - self.first[positions]

    def column(self, column: int, low: int, high: int) -> tuple[Hashes, Offsets]:
        """Returns the keys of a column from `low` to below `high`, sorted, and their rows, ascending for equal keys."""
        found = [file.column(column, low, high) for file in self.files]
        keys = np.concatenate([keys for keys, _ in found] or [np.empty(0, np.uint64)])
        rows = [rows.astype(np.int64) + first for (_, rows), first in zip(found, self.first, strict=False)]
        order = np.argsort(keys, kind="stable")
        return keys[order], np.concatenate(rows or [np.empty(0, np.int64)])[order]

    def gather(self, rows: Offsets, read: Callable[[KeyFile, Offsets], NDArray[Any]]) -> NDArray[Any]:
        """Returns what `read` gives for each row; opens each file once."""
        unique, inverse = np.unique(rows, return_inverse=True)
        positions, local = self.place(unique)
        used, starts = np.unique(positions, return_index=True)
        parts = np.split(local, starts[1:])
        read_parts = [read(self.files[position], part) for position, part in zip(used, parts, strict=True)]
        return np.concatenate(read_parts)[inverse]


def find_edges(index: KeyIndex, column: int, part: int, parts: int, least: int) -> Offsets:
    """Returns the pairs of rows that share a key of a column and agree beyond it.

    The rows of a key are compared with the first of them. Those that agree are joined to it; the others are compared
    with the first of themselves, and so on.

    Args:
        index: The key files.
        column: The key column: `EXACT` or a band.
        part: Which of the equal ranges of keys to search.
        parts: How many there are.
        least: Bytes of the sketches of similar rows that agree at least; of no use to the exact column.

    Returns:
        `int64[pairs, 2]`: the earlier row, the later row.
    """
    low, high = ((number << 64) // parts for number in (part, part + 1))
    keys, rows = index.column(column, low if column == EXACT else max(low, NO_KEY + 1), high)
    again = keys[1:] == keys[:-1]
    shared = np.zeros(len(keys), np.bool_)
    shared[1:] = again
    shared[:-1] |= again
    keys, rows = keys[shared], rows[shared]
    edges = []
    for _ in range(LEADERS):
        if not len(rows):
            break
        firsts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        leaders = np.repeat(rows[firsts], np.diff(np.append(firsts, len(rows))))
        agree = leaders == rows
        others = np.flatnonzero(~agree)
        agree[others] = _agree(index, leaders[others], rows[others], column, least)
        joined = others[agree[others]]
        edges.append(np.stack([leaders[joined], rows[joined]], axis=1))
        keys, rows = keys[~agree], rows[~agree]
    return np.concatenate(edges) if edges else np.empty((0, 2), np.int64)


def _agree(index: KeyIndex, earlier: Offsets, later: Offsets, column: int, least: int) -> NDArray[np.bool_]:
    agree = np.empty(len(earlier), np.bool_)
    for start in range(0, len(earlier), _PAIRS):
        pairs = slice(start, start + _PAIRS)
        if column == EXACT:
            halves = [index.gather(rows[pairs], KeyFile.second_halves) for rows in (earlier, later)]
            agree[pairs] = halves[0] == halves[1]
        else:
            sketches = [index.gather(rows[pairs], KeyFile.read_sketches) for rows in (earlier, later)]
            agree[pairs] = np.count_nonzero(sketches[0] == sketches[1], axis=1) >= least
    return agree
