"""The last pass with a shuffle: spreads the records over shards, and orders each by a hash of its records.

Records are shuffled through files, not through a GroupByKey: runners that keep groups in memory would need as much of
it as the corpus has bytes. A task writes one file for all shards, with an index (as the map tasks of MapReduce do), so
there are as many files as tasks. With more than `FAN_OUT` shards the records are spread over ranges of shards first and
over the shards of each range then: the pieces that a task reads stay large, and their number grows as the corpus does.
"""

from __future__ import annotations

import collections
import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import xxhash

from lstmlm import storage
from lstmlm.corpus.passes.extents import Part, contiguous
from lstmlm.corpus.passes.join import Jobs
from lstmlm.publish.folder import replacing
from lstmlm.records.tfrecord import append_records, read_records
from lstmlm.runners.pipeline import run_jobs
from lstmlm.runners.runner import Runner
from lstmlm.storage.arrays import read_array

GROUP_BYTES = 64_000_000
"""Bytes of records that one task holds, about."""
FAN_OUT = 128
"""Pieces of a file at most."""

_SHUFFLE = 1 << 40  # keeps the draws of the shuffle apart from those of the mixture


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """Files in which the records for some consecutive shards are; a file has a piece for each range of shards.

    Attributes:
        split: The split.
        level: How often the records have been spread before.
        first: The first of the shards.
        count: How many shards.
        width: Shards of a range.
        files: How many files.
    """

    split: str
    level: int
    first: int
    count: int
    width: int
    files: int

    @property
    def ranges(self) -> int:
        """Pieces of a file."""
        return -(-self.count // self.width)

    def path(self, scratch: Path, number: int) -> Path:
        """Returns the path of one of the files."""
        return scratch / f"scattered-{self.split}-{self.level}-{self.first:06d}-{number:06d}.tfrecord"

    def narrower(self, place: int, fan_out: int) -> Spread:
        """Returns how the records of one of the ranges are spread further."""
        first = self.first + place * self.width
        count = min(self.width, self.first + self.count - first)
        # A piece has a share of what a task holds: so many pieces together are as much.
        files = -(-self.files // self.ranges)
        return Spread(self.split, self.level + 1, first, count, max(1, self.width // fan_out), files)

    def taken(self, files: int, number: int) -> range:
        """Returns the files whose pieces one of `files` tasks takes."""
        return range(number * self.files // files, (number + 1) * self.files // files)


def shuffle(
    parts: Mapping[str, Sequence[Part]],
    jobs: Jobs,
    runner: Runner | None,
    group_bytes: int = GROUP_BYTES,
    fan_out: int = FAN_OUT,
) -> tuple[list[list[Any]], dict[str, collections.Counter[str]]]:
    """Shuffles the records of parts into shards.

    Args:
        parts: Split -> parts in corpus order; their files are removed when they have been read.
        jobs: What all jobs share.
        runner: Where this runs; None: in this process.
        group_bytes: Bytes of records that a task holds, about.
        fan_out: Pieces of a file at most.

    Returns:
        The rows of the shards (split, shard, records, bytes, nothing), and reason -> records left out of each split.
    """
    width = 1
    while -(-jobs.shards // width) > fan_out:
        width *= fan_out
    scatters: list[tuple[Spread, int, list[Part]]] = []
    spreads: list[Spread] = []
    for split, found in parts.items():
        groups = max(1, -(-sum(part.extent.size for part in found) // group_bytes))
        spreads.append(Spread(split, 0, 0, jobs.shards, width, groups))
        scatters += [(spreads[-1], number, group) for number, group in enumerate(contiguous(found, groups))]
    lost: dict[str, collections.Counter[str]] = {split: collections.Counter() for split in parts}
    for split, _, dropped in run_jobs(scatters, Scatter(jobs), jobs.scratch / "scattered.json", runner):
        lost[split].update(dropped)
    for path in {part.extent.path for found in parts.values() for part in found}:
        storage.place(path).unlink()
    while spreads[0].width > 1:
        spreads = _spread_further(spreads, jobs, fan_out, runner)
    gathers = [(spread, place) for spread in spreads for place in range(spread.ranges)]
    return run_jobs(gathers, Gather(jobs), jobs.scratch / "shards.json", runner), lost


def _spread_further(spreads: Sequence[Spread], jobs: Jobs, fan_out: int, runner: Runner | None) -> list[Spread]:
    """Spreads the records of each range of shards over narrower ranges."""
    after: list[Spread] = []
    tasks: list[tuple[Spread, int, Spread, int]] = []
    for spread in spreads:
        for place in range(spread.ranges):
            after.append(spread.narrower(place, fan_out))
            tasks += [(spread, place, after[-1], number) for number in range(after[-1].files)]
    run_jobs(tasks, Respread(jobs), jobs.scratch / "scattered.json", runner)
    for spread in spreads:
        for number in range(spread.files):
            spread.path(jobs.scratch, number).unlink()
    return after


class _Spread(beam.DoFn):
    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def write(self, spread: Spread, number: int, payloads: Iterable[bytes]) -> None:
        """Writes one file: the pieces, and at its end the byte at which each of them begins and the last one ends."""
        pieces: list[list[bytes]] = [[] for _ in range(spread.ranges)]
        for payload in payloads:
            shard = shuffle_key(payload, self._jobs.seed) % self._jobs.shards
            pieces[(shard - spread.first) // spread.width].append(payload)
        bounds = [0]
        with replacing(spread.path(self._jobs.scratch, number)) as stream:
            for records in pieces:
                append_records(stream, records)
                bounds.append(stream.tell())
            stream.write(np.array(bounds, "<i8").tobytes())


class Scatter(_Spread):
    """First step of a shuffle: takes `(spread, number, parts)`; yields `[split, number, dropped]`.

    Holds the records of the parts.
    """

    def process(self, job: tuple[Spread, int, list[Part]]) -> Iterator[list[Any]]:
        """See the class."""
        spread, number, parts = job
        losses = self._jobs.losses(spread.split, number)
        self.write(spread, number, self._jobs.payloads(parts, losses))
        losses.close()
        yield [spread.split, number, losses.dropped]


class Respread(_Spread):
    """A further step, for very many shards: takes `(spread, place, spread, number)`, from where and where to.

    Holds the records of the pieces that it takes.
    """

    def process(self, job: tuple[Spread, int, Spread, int]) -> Iterator[list[Any]]:
        """See the class."""
        before, place, after, number = job
        files = before.taken(after.files, number)
        self.write(after, number, read_pieces(before, place, files, self._jobs.scratch))
        yield [after.split, after.first, number]


class Gather(beam.DoFn):
    """Last step of a shuffle: orders the records of one shard, given as `(spread, place)`.

    Holds the records of one shard; yields the row of the shard.
    """

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def process(self, job: tuple[Spread, int]) -> Iterator[list[Any]]:
        """See the class."""
        spread, place = job
        jobs, shard = self._jobs, spread.first + place
        records = list(read_pieces(spread, place, range(spread.files), jobs.scratch))
        records.sort(key=lambda payload: (shuffle_key(payload, jobs.seed), payload))
        path = jobs.sink.path(spread.split, shard, jobs.shards)
        written = jobs.sink.write(path, records)
        yield [spread.split, shard, written, path.stat().st_size, {}]


def read_pieces(spread: Spread, place: int, files: Iterable[int], scratch: Path) -> Iterator[bytes]:
    """Yields the records for one range of shards, in the order of the files."""
    return itertools.chain.from_iterable(_piece(spread, place, spread.path(scratch, number)) for number in files)


def _piece(spread: Spread, place: int, path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(8 * (place - spread.ranges - 1), 2)
        start, end = read_array(stream, "<i8", 2).tolist()
    return read_records(path, start, end) if start < end else iter(())


def shuffle_key(payload: bytes, seed: int) -> int:
    """Returns a hash of a record only: neither the others nor the shape of the job change its place among them."""
    return xxhash.xxh3_64_intdigest(payload, seed + _SHUFFLE)
