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
import xxhash

from lstmlm.corpus.passes.extents import Part, contiguous
from lstmlm.corpus.passes.join import Jobs
from lstmlm.publish.folder import replacing
from lstmlm.records.tfrecord import append_records, read_records
from lstmlm.runners.pipeline import run_jobs
from lstmlm.runners.runner import Runner

GROUP_BYTES = 64_000_000
"""Bytes of records that one task holds."""
FAN_OUT = 128
"""Pieces of a file at most."""

_SHUFFLE = 1 << 40  # keeps the draws of the shuffle apart from those of the mixture


@dataclasses.dataclass(frozen=True, slots=True)
class Piece:
    """Records for a range of shards, in a part of a file.

    Attributes:
        path: The file.
        at: The byte at which they begin.
        size: Their bytes.
    """

    path: Path
    at: int
    size: int


def shuffle(
    parts: Mapping[str, Sequence[Part]],
    jobs: Jobs,
    runner: Runner | None,
    group_bytes: int = GROUP_BYTES,
    fan_out: int = FAN_OUT,
) -> tuple[list[list[Any]], dict[str, collections.Counter[str]]]:
    """Shuffles the records of parts into shards.

    Args:
        parts: Split -> parts in corpus order; they are removed when they have been read.
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
    scatters: list[tuple[str, int, list[Part]]] = []
    for split, found in parts.items():
        groups = max(1, -(-sum(part.extent.size for part in found) // group_bytes))
        scatters += [(split, number, group) for number, group in enumerate(contiguous(found, groups))]
    lost: dict[str, collections.Counter[str]] = {split: collections.Counter() for split in parts}
    pieces: dict[tuple[str, int], list[Piece]] = collections.defaultdict(list)
    for split, _, dropped, written in run_jobs(scatters, Scatter(jobs, width), jobs.scratch / "0.scattered", runner):
        lost[split].update(dropped)
        _collect(pieces, split, written)
    for path in {part.extent.path for found in parts.values() for part in found}:
        Path(path).unlink()
    for level in itertools.count(1):
        if width == 1:
            break
        pieces, width = _spread(pieces, jobs, level, width, (group_bytes, fan_out), runner)
    gathers = [(split, shard, pieces[split, shard]) for split in parts for shard in range(jobs.shards)]
    return run_jobs(gathers, Gather(jobs), jobs.scratch / "shards.json", runner), lost


def _spread(
    pieces: dict[tuple[str, int], list[Piece]],
    jobs: Jobs,
    level: int,
    width: int,
    bounds: tuple[int, int],
    runner: Runner | None,
) -> tuple[dict[tuple[str, int], list[Piece]], int]:
    """Spreads the records of each range of shards over narrower ranges; returns their pieces and width."""
    group_bytes, fan_out = bounds
    tasks: list[tuple[str, str, list[Piece]]] = []
    for (split, first), found in sorted(pieces.items()):
        for number, group in enumerate(_groups(found, group_bytes)):
            tasks.append((split, f"{level}-{first:06d}-{number:06d}", group))
    narrower = max(1, width // fan_out)
    after: dict[tuple[str, int], list[Piece]] = collections.defaultdict(list)
    results = jobs.scratch / f"{level}.scattered"
    for split, _, _, written in run_jobs(tasks, Respread(jobs, narrower), results, runner):
        _collect(after, split, written)
    for path in {piece.path for found in pieces.values() for piece in found}:
        path.unlink()
    return after, narrower


def _groups(pieces: Sequence[Piece], group_bytes: int) -> Iterator[list[Piece]]:
    """Yields consecutive pieces of about so many bytes together."""
    held: list[Piece] = []
    for piece in pieces:
        held.append(piece)
        if sum(one.size for one in held) >= group_bytes:
            yield held
            held = []
    if held:
        yield held


def _collect(pieces: dict[tuple[str, int], list[Piece]], split: str, written: list[Any]) -> None:
    path, found = written
    for first, at, size in found:
        pieces[split, first].append(Piece(Path(path), at, size))


class _Spread(beam.DoFn):
    """Writes a file with a piece for each range of `width` shards that gets records."""

    def __init__(self, jobs: Jobs, width: int) -> None:
        super().__init__()
        self._jobs, self._width = jobs, width

    def write(self, name: str, payloads: Iterable[bytes]) -> list[Any]:
        """Writes the file, and returns its path and the first shard, place and bytes of each piece."""
        by_range: dict[int, list[bytes]] = collections.defaultdict(list)
        for payload in payloads:
            shard = shuffle_key(payload, self._jobs.seed) % self._jobs.shards
            by_range[shard - shard % self._width].append(payload)
        path = self._jobs.scratch / f"scattered-{name}.tfrecord"
        written: list[list[int]] = []
        with replacing(path) as stream:
            for first, records in sorted(by_range.items()):
                at = stream.tell()
                append_records(stream, records)
                written.append([first, at, stream.tell() - at])
        return [str(path), written]


class Scatter(_Spread):
    """First step of a shuffle: takes `(split, group, parts)`; yields the row of what became of them.

    Holds the records of one group.
    """

    def process(self, job: tuple[str, int, list[Part]]) -> Iterator[list[Any]]:
        """See the class."""
        split, group, parts = job
        losses = self._jobs.losses(split, group)
        written = self.write(f"{split}-0-{group:06d}", self._jobs.payloads(parts, losses))
        losses.close()
        yield [split, group, losses.dropped, written]


class Respread(_Spread):
    """A further step, for very many shards: takes `(split, name, pieces)` of one range of shards."""

    def process(self, job: tuple[str, str, list[Piece]]) -> Iterator[list[Any]]:
        """See the class; holds the records of the pieces."""
        split, name, pieces = job
        yield [split, name, {}, self.write(f"{split}-{name}", read_pieces(pieces))]


class Gather(beam.DoFn):
    """Last step of a shuffle: orders the records of one shard, given as `(split, shard, pieces)`.

    Holds the records of one shard; yields the row of the shard.
    """

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def process(self, job: tuple[str, int, list[Piece]]) -> Iterator[list[Any]]:
        """See the class."""
        split, shard, pieces = job
        jobs = self._jobs
        records = sorted(read_pieces(pieces), key=lambda payload: (shuffle_key(payload, jobs.seed), payload))
        path = jobs.sink.path(split, shard, jobs.shards)
        written = jobs.sink.write(path, records)
        yield [split, shard, written, path.stat().st_size, {}]


def read_pieces(pieces: Iterable[Piece]) -> Iterator[bytes]:
    """Yields the records of pieces, in order."""
    return itertools.chain.from_iterable(read_records(piece.path, piece.at, piece.at + piece.size) for piece in pieces)


def shuffle_key(payload: bytes, seed: int) -> int:
    """Returns a hash of a record only: neither the others nor the shape of the job change its place among them."""
    return xxhash.xxh3_64_intdigest(payload, seed + _SHUFFLE)
