"""Files of pairs of rows that are sorted into buckets by their first row: the shuffle of the rounds of `components`.

A worker writes one file, however many buckets there are, and an index of where each bucket is in it. So there are as
many files as workers' tasks, and the next round reads one bucket of each.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lstmlm.corpus.wording.words import Offsets
from lstmlm.publish.folder import replacing
from lstmlm.storage.arrays import load_array, read_array

AT_ONCE = 1 << 20
"""Pairs that a writer holds before it sorts and writes them."""


@dataclasses.dataclass(frozen=True, slots=True)
class Buckets:
    """How rows are divided into buckets: `width` consecutive rows in each of `count`."""

    width: int
    count: int

    def first(self, bucket: int) -> int:
        """Returns the first row of a bucket."""
        return bucket * self.width


class BucketWriter:
    """Writes pairs to a file; equal pairs that are held at the same time are written once."""

    def __init__(self, path: Path, buckets: Buckets, at_once: int = AT_ONCE) -> None:
        self._path, self._at_once = path, at_once
        self._bounds = np.arange(buckets.count + 1, dtype=np.int64) * buckets.width
        self._held: list[Offsets] = []
        self._index: list[Offsets] = []
        self._written = 0

    def __enter__(self) -> BucketWriter:
        self._file = replacing(self._path)
        self._stream: BinaryIO = self._file.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            self._flush()
            with replacing(index_path(self._path)) as stream:
                stream.write(np.array(self._index, "<i8").tobytes())
        self._file.__exit__(*error)  # type: ignore[arg-type]

    def add(self, pairs: Offsets) -> None:
        """Takes pairs, `int64[pairs, 2]`."""
        self._held.append(pairs)
        if sum(map(len, self._held)) >= self._at_once:
            self._flush()

    def _flush(self) -> None:
        pairs = unique_pairs(np.concatenate([np.empty((0, 2), np.int64), *self._held]))
        self._held = []
        self._stream.write(pairs.astype("<i8").tobytes())
        self._index.append(self._written + np.searchsorted(pairs[:, 0], self._bounds))
        self._written += len(pairs)


def unique_pairs(pairs: Offsets) -> Offsets:
    """Returns each pair once, sorted."""
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    new = np.ones(len(pairs), np.bool_)
    new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
    return pairs[new]


def index_path(path: Path) -> Path:
    """Returns the path of the index of a file of buckets."""
    return path.with_suffix(".index")


def read_bucket(paths: Sequence[Path], bucket: int, buckets: Buckets) -> Iterator[Offsets]:
    """Yields the pairs of a bucket, those that a writer held together at a time: sorted, each once."""
    for path in paths:
        index = load_array(index_path(path), "<i8").reshape(-1, buckets.count + 1)
        with path.open("rb") as stream:
            for start, end in index[:, bucket : bucket + 2].tolist():
                if start < end:
                    stream.seek(16 * start)
                    yield read_array(stream, "<i8", 2 * (end - start)).reshape(-1, 2)
