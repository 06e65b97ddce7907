"""Decides which rows of a corpus are exact or near duplicates of an earlier row.

Equal and similar rows are pairs (`lstmlm.corpus.dedup.edges`); rows that pairs connect, over however many others, are
copies of one text, and the first of them in corpus order is kept. The search is one Beam element for each range of each
key column and holds about 75 bytes for a row of a range; joining what was found holds about 150 bytes for a row that is
in a pair, nothing for the others, and 100 MB of pairs at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from lstmlm.corpus.dedup.edges import KeyIndex, find_edges
from lstmlm.corpus.dedup.keys import EXACT, key_columns
from lstmlm.corpus.dedup.minhash import least_matches
from lstmlm.corpus.wording.words import Offsets
from lstmlm.publish.folder import replacing
from lstmlm.recipe.sections.corpus import Duplicates

REASON_EXACT = "duplicate_exact"
REASON_NEAR = "duplicate_near"
ROWS_OF_A_RANGE = 1 << 20

_EDGES_AT_ONCE = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class DuplicateRows:
    """The rows to leave out. Rows are numbered over the whole corpus; `index` locates them.

    Attributes:
        index: The key files.
        rows: `int64[dropped]`, ascending.
        kept: `int64[dropped]`: the row that is kept instead; it is never dropped itself.
        exact: `bool[dropped]`: the same text occurred before; otherwise a similar one.
    """

    index: KeyIndex
    rows: Offsets
    kept: Offsets
    exact: NDArray[np.bool_]

    def in_file(self, position: int) -> Iterator[tuple[int, str, tuple[int, int]]]:
        """Yields the duplicates in one block.

        Args:
            position: Which of the key files of the index.

        Yields:
            The row in the block, the reason, and the file position and row of the one that is kept.
        """
        first, end = np.searchsorted(self.rows, self.index.first[position : position + 2])
        local = self.rows[first:end] - self.index.first[position]
        places = zip(*(array.tolist() for array in self.index.place(self.kept[first:end])), strict=True)
        for row, exact, place in zip(local.tolist(), self.exact[first:end].tolist(), places, strict=True):
            yield row, REASON_EXACT if exact else REASON_NEAR, place


class FindEdges(beam.PTransform):
    """Searches the key files: `pipeline | FindEdges(index, recipe.corpus.duplicates, folder)`.

    Gives the paths of the files it writes to the folder; `duplicate_rows` reads them when the pipeline is done.
    """

    def __init__(
        self, index: KeyIndex, duplicates: Duplicates, folder: Path, rows_of_a_range: int = ROWS_OF_A_RANGE
    ) -> None:
        super().__init__()
        self._search = _Search(index, duplicates.near, folder)
        parts = max(1, -(-index.rows // rows_of_a_range))
        self._jobs = [(column, part, parts) for column in key_columns(duplicates) for part in range(parts)]

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """See the class."""
        return pipeline | "Ranges" >> beam.Create(self._jobs) | beam.Reshuffle() | beam.ParDo(self._search)


class _Search(beam.DoFn):
    def __init__(self, index: KeyIndex, near: float | None, folder: Path) -> None:
        super().__init__()
        self._index = index
        hashes = index.files[0].hashes if index.files else 0
        self._least = least_matches(near, hashes) if near is not None and hashes else 0
        self._folder = folder

    def process(self, job: tuple[int, int, int]) -> list[str]:
        column, part, parts = job
        path = self._folder / f"{column:05d}-{part:08d}.edges"
        edges = find_edges(self._index, column, part, parts, self._least)
        with replacing(path) as stream:
            stream.write(edges.astype("<i8").tobytes())
        return [str(path)]


def duplicate_rows(index: KeyIndex, folder: Path) -> DuplicateRows:
    """Joins the pairs that `FindEdges` wrote to a folder to the rows to leave out."""
    rows = kept = np.empty(0, np.int64)
    again = [np.empty(0, np.int64)]
    for edges in _together(sorted(folder.glob("*.edges")), again):
        # What is known so far is itself a set of pairs, one for each row.
        rows, kept = components(np.concatenate([edges, np.stack([kept, rows], axis=1)]))
    dropped = rows != kept
    rows, kept = rows[dropped], kept[dropped]
    return DuplicateRows(index, rows, kept, np.isin(rows, np.concatenate(again)))


def _together(paths: Iterable[Path], again: list[Offsets]) -> Iterator[Offsets]:
    """Yields the pairs of files, `_EDGES_AT_ONCE` or more at a time; adds the later rows of exact ones to a list."""
    held: list[Offsets] = []
    for path in paths:
        edges = np.fromfile(path, "<i8").reshape(-1, 2)
        if path.name.startswith(f"{EXACT:05d}-"):
            again.append(edges[:, 1])
        held.append(edges)
        if sum(map(len, held)) >= _EDGES_AT_ONCE:
            yield np.concatenate(held)
            held = []
    if held:
        yield np.concatenate(held)


def components(edges: Offsets) -> tuple[Offsets, Offsets]:
    """Returns the rows in pairs, ascending, and for each the smallest row it is connected with.

    Union-find over arrays: roots hook onto smaller roots, then all paths are halved until they end at a root.

    Args:
        edges: `int64[pairs, 2]`.
    """
    rows, ends = np.unique(edges, return_inverse=True)
    ends = ends.reshape(-1, 2)
    parents = np.arange(len(rows))
    while len(ends):
        np.minimum.at(parents, ends.max(axis=1), ends.min(axis=1))
        while not np.array_equal(halved := parents[parents], parents):
            parents = halved
        ends = parents[ends]
        ends = ends[ends[:, 0] != ends[:, 1]]
    return rows, rows[parents]
