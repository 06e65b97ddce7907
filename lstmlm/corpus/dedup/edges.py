"""Finds pairs of equal or similar rows, one range of one key column at a time.

What is found does not depend on how rows are divided into files or how keys are divided into ranges: all rows of a key
are in one range.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.dedup.key_index import OpenKeys
from lstmlm.corpus.dedup.keys import EXACT, KeyFile
from lstmlm.corpus.wording.words import Hashes, Offsets

LEADERS = 64
"""Rows of a key that others are compared with at most: a key shared by more unlike texts says nothing about them."""

MOST_ROWS = 1 << 22
"""Rows of a range that are held at once. A range with more is halved; a single key with more is read bit by bit."""

_PAIRS = 1 << 18  # pairs compared at a time


def find_edges(
    keys: OpenKeys, column: int, low: int, high: int, least: int, most: int = MOST_ROWS
) -> Iterator[Offsets]:
    """Yields the pairs of rows that share a key of a column and agree beyond it.

    The rows of a key are compared with the first of them. Those that agree are joined to it; the others are compared
    with the first of themselves, and so on.

    Args:
        keys: The keys of the corpus.
        column: The key column: `EXACT` or a band.
        low: The first key of the range.
        high: The key after the range, up to 2 ** 64.
        least: Bytes of the sketches of similar rows that agree at least; of no use to the exact column.
        most: Rows that are held at once.

    Yields:
        `int64[pairs, 2]`: the earlier row, the later row.
    """
    ranges = [(low, high)]
    while ranges:
        low, high = ranges.pop()
        if keys.count(column, low, high) <= most:
            yield _edges_of_range(keys, column, low, high, least)
        elif high - low > 1:
            middle = (low + high) // 2
            ranges += [(middle, high), (low, middle)]
        else:
            yield from _edges_of_key(keys, column, low, least)


def _edges_of_range(keys: OpenKeys, column: int, low: int, high: int, least: int) -> Offsets:
    values, rows = _shared(*keys.column(column, low, high))
    edges = []
    for _ in range(LEADERS):
        if not len(rows):
            break
        firsts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
        leaders = np.repeat(rows[firsts], np.diff(np.append(firsts, len(rows))))
        agree = leaders == rows
        others = np.flatnonzero(~agree)
        agree[others] = _agree(keys, leaders[others], rows[others], column, least)
        joined = others[agree[others]]
        edges.append(np.stack([leaders[joined], rows[joined]], axis=1))
        values, rows = values[~agree], rows[~agree]
    return np.concatenate(edges) if edges else np.empty((0, 2), np.int64)


def _shared(values: Hashes, rows: Offsets) -> tuple[Hashes, Offsets]:
    """Returns the keys that more than one row has, sorted, and their rows, ascending for equal keys."""
    order = np.argsort(values, kind="stable")
    values, rows = values[order], rows[order]
    again = values[1:] == values[:-1]
    shared = np.zeros(len(values), np.bool_)
    shared[1:] = again
    shared[:-1] |= again
    values, rows = values[shared], rows[shared]
    order = np.lexsort((rows, values))
    return values[order], rows[order]


def _edges_of_key(keys: OpenKeys, column: int, key: int, least: int) -> Iterator[Offsets]:
    """Yields the pairs of one key of very many rows: each is compared with the leaders so far, in one pass."""
    leaders: list[int] = []
    for rows in keys.rows_of_key(column, key):
        place = 0
        while len(rows) and place < LEADERS:
            if place == len(leaders):
                leaders.append(int(rows[0]))
                rows = rows[1:]
            earlier = np.full(len(rows), leaders[place], np.int64)
            agree = _agree(keys, earlier, rows, column, least)
            yield np.stack([earlier[agree], rows[agree]], axis=1)
            rows = rows[~agree]
            place += 1


def _agree(keys: OpenKeys, earlier: Offsets, later: Offsets, column: int, least: int) -> NDArray[np.bool_]:
    agree = np.empty(len(earlier), np.bool_)
    for start in range(0, len(earlier), _PAIRS):
        pairs = slice(start, start + _PAIRS)
        if column == EXACT:
            halves = [keys.gather(rows[pairs], KeyFile.second_halves) for rows in (earlier, later)]
            agree[pairs] = halves[0] == halves[1]
        else:
            sketches = [keys.gather(rows[pairs], KeyFile.read_sketches) for rows in (earlier, later)]
            agree[pairs] = np.count_nonzero(sketches[0] == sketches[1], axis=1) >= least
    return agree
