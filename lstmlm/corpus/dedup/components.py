"""Connected components of pairs of rows, in rounds of a shuffle; no process holds all pairs.

Large-star and small-star operations by turns (Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii: Connected Components
in MapReduce and Beyond, SoCC 2014) until a round changes nothing: then every row is joined to the smallest row of its
component. That takes O(log^2 n) rounds at most, and the number of pairs does not grow. A task has the pairs of one
bucket of consecutive rows. It holds eight bytes for each row of the bucket and reads the pairs bit by bit, so a row
with very many neighbours takes time and no memory. Pairs of few rows are joined by one task, with union-find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np

from lstmlm.corpus.dedup.buckets import Buckets, BucketWriter, read_bucket
from lstmlm.corpus.dedup.search import EDGES_AT_ONCE, EdgeFile, read_edges
from lstmlm.corpus.wording.words import Offsets
from lstmlm.publish.durable import remove_folder
from lstmlm.runners.pipeline import run_jobs
from lstmlm.runners.runner import Runner

ROWS_OF_A_BUCKET = 1 << 22
MOST_BUCKETS = 256
"""Buckets at most: every task of a round reads from the file of every other."""

_CHUNKS = 16  # times a task of the start reads as many pairs as it may hold


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


def stars(edges: Offsets) -> Offsets:
    """Returns the pairs of each row and the smallest row it is connected with, where that is another one."""
    rows, roots = components(edges)
    return np.stack([rows, roots], axis=1)[rows != roots]


def buckets_of(rows: int, rows_of_a_bucket: int = ROWS_OF_A_BUCKET) -> Buckets:
    """Returns how many buckets a corpus is divided into."""
    count = min(MOST_BUCKETS, max(1, -(-rows // rows_of_a_bucket)))
    return Buckets(max(1, -(-rows // count)), count)


def joined(
    found: Sequence[EdgeFile], buckets: Buckets, folder: Path, runner: Runner | None, at_once: int = EDGES_AT_ONCE
) -> list[Path]:
    """Writes pairs of each row and the smallest row of its component, where that is another one, from either side.

    Args:
        found: The pairs of connected rows.
        buckets: How rows are divided.
        folder: Where the files are written.
        runner: Where the rounds run; None: in this process.
        at_once: Pairs that one task may hold.

    Returns:
        Files of buckets; a pair may occur more than once, from either side or from that of its larger row only.
    """
    folder.mkdir()
    groups = _groups(found, -(-sum(edges.count for edges in found) // (_CHUNKS * at_once)))
    started = folder / "0"
    started.mkdir()
    work = Start(started, buckets, at_once)
    spilled = sum(count for _, count in run_jobs(list(enumerate(groups)), work, folder / "start.json", runner))
    paths = [started / f"{group:05d}.pairs" for group in range(len(groups))]
    if len(groups) <= 1 and not spilled:
        return paths
    every = list(range(buckets.count))
    number = 0
    while True:
        changed = 0
        for star in (LargeStar, SmallStar):
            number += 1
            after = folder / str(number)
            after.mkdir()
            rows = run_jobs(every, star(paths, after, buckets, at_once), folder / f"{number}.json", runner)
            changed += sum(count for _, count in rows)
            # The small-star's own output has both directions, for the next large-star; its input is the result.
            before, paths = paths, [after / f"{bucket:05d}.pairs" for bucket in every]
        if not changed:
            return before
        remove_folder(folder / str(number - 2))
        remove_folder(folder / str(number - 1))


def _groups(found: Sequence[EdgeFile], count: int) -> list[list[EdgeFile]]:
    return [group for group in (list(found[start::count]) for start in range(count)) if group]


class Start(beam.DoFn):
    """Joins what a group of files has, as much as can be held at a time, and writes it into buckets, from either side.

    Takes `(number, files)`; yields `[number, times]`: how often it had to write before the end.
    """

    def __init__(self, folder: Path, buckets: Buckets, at_once: int) -> None:
        super().__init__()
        self._folder, self._buckets, self._at_once = folder, buckets, at_once

    def process(self, job: tuple[int, list[EdgeFile]]) -> Iterator[list[int]]:
        """See the class."""
        number, files = job
        spilled = 0
        with BucketWriter(self._folder / f"{number:05d}.pairs", self._buckets, self._at_once) as writer:
            held = np.empty((0, 2), np.int64)
            for edges in (chunk for file in files for chunk in read_edges(file.path, self._at_once)):
                if len(held) >= self._at_once:
                    writer.add(_both(held))
                    held, spilled = np.empty((0, 2), np.int64), spilled + 1
                # What is known so far is itself a set of pairs, one for each row.
                held = stars(np.concatenate([held, edges]))
            writer.add(_both(held))
        yield [number, spilled]


class Star(beam.DoFn):
    """One operation on the rows of a bucket, given by its number; yields `[bucket, changes]`."""

    def __init__(self, paths: Sequence[Path], folder: Path, buckets: Buckets, at_once: int) -> None:
        super().__init__()
        self._paths, self._folder, self._buckets, self._at_once = paths, folder, buckets, at_once

    def process(self, bucket: int) -> Iterator[list[int]]:
        """See the class."""
        least = np.arange(self._buckets.width, dtype=np.int64) + self._buckets.first(bucket)
        for pairs in read_bucket(self._paths, bucket, self._buckets):
            firsts = np.flatnonzero(np.concatenate([[True], pairs[1:, 0] != pairs[:-1, 0]]))
            places = pairs[firsts, 0] - self._buckets.first(bucket)
            least[places] = np.minimum(least[places], pairs[firsts, 1])
        changed = 0
        with BucketWriter(self._folder / f"{bucket:05d}.pairs", self._buckets, self._at_once) as writer:
            for pairs in read_bucket(self._paths, bucket, self._buckets):
                out, changes = self.joined(pairs, least[pairs[:, 0] - self._buckets.first(bucket)])
                writer.add(out)
                changed += changes
        yield [bucket, changed]

    def joined(self, pairs: Offsets, least: Offsets) -> tuple[Offsets, int]:
        """Returns the pairs that take the place of some, and how many of these changed.

        Args:
            pairs: Rows of the bucket and a neighbour of each.
            least: The smallest row among each row and all of its neighbours.
        """
        raise NotImplementedError


class LargeStar(Star):
    """Joins the neighbours of a row that are larger than it to the smallest one."""

    def joined(self, pairs: Offsets, least: Offsets) -> tuple[Offsets, int]:
        """See `Star`; every pair is given from both sides, and is in the bucket of its larger row then."""
        larger = pairs[:, 1] > pairs[:, 0]
        out = np.stack([pairs[larger, 1], least[larger]], axis=1)
        return out, int(np.count_nonzero(least[larger] != pairs[larger, 0]))


class SmallStar(Star):
    """Joins a row and the neighbours that are smaller than it to the smallest one."""

    def joined(self, pairs: Offsets, least: Offsets) -> tuple[Offsets, int]:
        """See `Star`; pairs are given from the side of their larger row, and are in both buckets then."""
        others = pairs[:, 1] != least
        smaller = np.stack([pairs[others, 1], least[others]], axis=1)
        own = np.stack([pairs[:, 0], least], axis=1)
        return _both(np.concatenate([smaller, own])), len(smaller)


def _both(pairs: Offsets) -> Offsets:
    return np.concatenate([pairs, pairs[:, ::-1]])
