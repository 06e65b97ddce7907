"""The rows to leave out, in files that workers read a part of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import apache_beam as beam
import numpy as np

from lstmlm.corpus.dedup.buckets import Buckets, BucketWriter, read_bucket, unique_pairs
from lstmlm.corpus.dedup.search import EDGES_AT_ONCE, EdgeFile, read_edges
from lstmlm.corpus.wording.words import Offsets
from lstmlm.publish.folder import replacing
from lstmlm.storage.arrays import load_array

REASON_EXACT = "duplicate_exact"
REASON_NEAR = "duplicate_near"

_DROP = np.dtype([("row", "<i8"), ("kept", "<i8"), ("exact", "?")])


@dataclasses.dataclass(frozen=True, slots=True)
class Drops:
    """The rows of a corpus that are copies; rows are numbered over the whole corpus.

    Attributes:
        folder: A file for each bucket: its copies, ascending, and the row that is kept in place of each.
        buckets: How rows are divided.
    """

    folder: Path
    buckets: Buckets

    def path(self, bucket: int) -> Path:
        """Returns the path of the copies of a bucket."""
        return self.folder / f"{bucket:05d}.drops"

    def between(self, first: int, end: int) -> dict[int, str]:
        """Returns the reason for each copy from row `first` to below `end`; its key is the row less `first`."""
        found: dict[int, str] = {}
        for drops in self.read(first, end):
            rows = (drops["row"] - first).tolist()
            found.update(
                (row, REASON_EXACT if exact else REASON_NEAR)
                for row, exact in zip(rows, drops["exact"].tolist(), strict=True)
            )
        return found

    def read(self, first: int, end: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.void]]]:
        """Yields the copies from row `first` to below `end`: `row`, `kept`, and whether they are `exact`."""
        width = self.buckets.width
        for bucket in range(first // width, -(-end // width)):
            drops = load_array(self.path(bucket), _DROP)
            start, last = np.searchsorted(drops["row"], [first, end])
            yield drops[start:last]


class ExactRows(beam.DoFn):
    """Writes the later rows of pairs of equal texts into buckets, given as `(number, files)`."""

    def __init__(self, folder: Path, buckets: Buckets) -> None:
        super().__init__()
        self._folder, self._buckets = folder, buckets

    def process(self, job: tuple[int, list[EdgeFile]]) -> Iterator[list[int]]:
        """See the class."""
        number, files = job
        with BucketWriter(exact_path(self._folder, number), self._buckets, EDGES_AT_ONCE) as writer:
            for edges in (chunk for file in files for chunk in read_edges(file.path)):
                writer.add(edges[:, [1, 1]])
        yield [number]


def exact_path(folder: Path, number: int) -> Path:
    """Returns the path of what `ExactRows` writes."""
    return folder / f"{number:05d}.exact"


class WriteDrops(beam.DoFn):
    """Writes the copies of a bucket, given by its number; yields `[bucket, copies]`."""

    def __init__(self, drops: Drops, stars: Sequence[Path], exact: Sequence[Path]) -> None:
        super().__init__()
        self._drops, self._stars, self._exact = drops, stars, exact

    def process(self, bucket: int) -> Iterator[list[int]]:
        """See the class; holds the copies of the bucket."""
        pairs = self._read(self._stars, bucket)
        pairs = unique_pairs(pairs[pairs[:, 0] > pairs[:, 1]])
        found = np.empty(len(pairs), _DROP)
        found["row"], found["kept"] = pairs.T
        found["exact"] = np.isin(pairs[:, 0], self._read(self._exact, bucket)[:, 0])
        with replacing(self._drops.path(bucket)) as stream:
            stream.write(found.tobytes())
        yield [bucket, len(pairs)]

    def _read(self, paths: Sequence[Path], bucket: int) -> Offsets:
        return np.concatenate([np.empty((0, 2), np.int64), *read_bucket(paths, bucket, self._drops.buckets)])
