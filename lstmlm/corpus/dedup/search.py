"""The search of the key files as a pipeline: one element for each range of each key column."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam

from lstmlm.corpus.dedup.edges import MOST_ROWS, find_edges
from lstmlm.corpus.dedup.key_index import KeyIndex, OpenKeys
from lstmlm.corpus.dedup.keys import EXACT, banding, key_columns
from lstmlm.corpus.dedup.merge import MOST_FILES, merged
from lstmlm.corpus.dedup.minhash import NO_KEY, least_matches
from lstmlm.corpus.wording.words import Offsets
from lstmlm.publish.folder import replacing
from lstmlm.recipe.sections.corpus import Duplicates
from lstmlm.runners.pipeline import run_jobs
from lstmlm.runners.runner import Runner
from lstmlm.storage import place
from lstmlm.storage.arrays import read_array

ROWS_OF_A_RANGE = 1 << 20
"""Rows of a range of keys, about: it takes about 75 bytes of memory for each."""

EDGES_AT_ONCE = 1 << 20
"""Pairs that are held at once where they are read."""


@dataclasses.dataclass(frozen=True, slots=True)
class EdgeFile:
    """Pairs of rows in a file.

    Attributes:
        path: The file, `int64[pairs, 2]`.
        exact: Whether they are pairs of equal texts; otherwise of similar ones.
        count: Pairs in it.
    """

    path: Path
    exact: bool
    count: int


def search(
    index: KeyIndex,
    duplicates: Duplicates,
    folder: Path,
    runner: Runner | None,
    rows_of_a_range: int = ROWS_OF_A_RANGE,
    most: int = MOST_ROWS,
    most_files: int = MOST_FILES,
) -> list[EdgeFile]:
    """Writes the pairs of equal or similar rows to files in a folder.

    Args:
        index: The keys of the corpus.
        duplicates: What counts as a copy.
        folder: Where the files are written.
        runner: Where the search runs; None: in this process.
        rows_of_a_range: About how many rows a range of keys has.
        most: Rows that are held at once.
        most_files: Key files that are searched; more are merged before.
    """
    index = merged(index, folder, runner, most_files)
    parts = max(1, -(-index.rows // rows_of_a_range))
    jobs = [(column, part, parts) for column in key_columns(duplicates) for part in range(parts)] if index.rows else []
    found = run_jobs(jobs, FindEdges(index, duplicates, folder, most), folder / "edges.json", runner)
    return [EdgeFile(place(path), bool(exact), count) for path, exact, count in found]


class FindEdges(beam.DoFn):
    """Searches one range, given as `(column, part, parts)`; yields the row of an `EdgeFile`."""

    def __init__(self, index: KeyIndex, duplicates: Duplicates, folder: Path, most: int = MOST_ROWS) -> None:
        super().__init__()
        self._index, self._folder, self._most = index, folder, most
        bands, rows = banding(duplicates)
        self._least = 0 if duplicates.near is None else least_matches(duplicates.near, bands * rows)

    def setup(self) -> None:
        """Opens the key files, once per worker."""
        self._keys = OpenKeys(self._index)

    def teardown(self) -> None:
        """Closes them."""
        del self._keys

    def process(self, job: tuple[int, int, int]) -> Iterator[list[object]]:
        """See the class."""
        column, part, parts = job
        path = self._folder / f"{column:05d}-{part:08d}.edges"
        low, high = ((number << 64) // parts for number in (part, part + 1))
        count = 0
        with replacing(path) as stream:
            low = low if column == EXACT else max(low, NO_KEY + 1)
            for edges in find_edges(self._keys, column, low, high, self._least, self._most):
                stream.write(edges.astype("<i8").tobytes())
                count += len(edges)
        yield [str(path), column == EXACT, count]


def read_edges(path: Path, at_once: int = EDGES_AT_ONCE) -> Iterator[Offsets]:
    """Yields the pairs of a file, so many at a time."""
    with path.open("rb") as stream:
        while True:
            edges = read_array(stream, "<i8", 2 * at_once).reshape(-1, 2)
            if not len(edges):
                return
            yield edges
