"""The last pass: joins parts to shards and leaves out the duplicate rows.

Records are shuffled through files, not through a GroupByKey: runners that keep groups in memory would need as much of
it as the corpus has bytes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import xxhash

from lstmlm.corpus.passes.block import Excluded
from lstmlm.corpus.passes.parts import write_exclusions
from lstmlm.corpus.passes.sinks import Sink
from lstmlm.corpus.sources.mixture import times
from lstmlm.records.record import deserialize, serialize
from lstmlm.records.tfrecord import read_records, write_records
from lstmlm.runners.pipeline import WriteJson, read_json, run_pipeline
from lstmlm.runners.runner import Runner

_SHUFFLE = 1 << 40  # keeps the draws of the shuffle apart from those of the mixture


@dataclasses.dataclass(frozen=True)
class Part:
    """Records of one block and split on their way into a shard.

    Attributes:
        path: The TFRecord file.
        records: Records in it.
        weight: How often each is used; see `lstmlm.corpus.sources.mixture`.
        drops: A JSON file, row -> reason, of the rows that are left out; None where there are none.
    """

    path: Path
    records: int
    weight: float = 1.0
    drops: Path | None = None

    @property
    def untouched(self) -> bool:
        """Whether every record is used once, as it is."""
        return self.weight == 1.0 and self.drops is None

    def rows_to_drop(self) -> dict[int, str]:
        """Reads `drops`."""
        if self.drops is None:
            return {}
        return {int(row): reason for row, reason in json.loads(self.drops.read_text(encoding="utf-8")).items()}


class Losses:
    """Counts the records that a job leaves out, and writes them to a file where the recipe asks for it."""

    def __init__(self, path: Path | None) -> None:
        self.dropped: dict[str, int] = {}
        self._path, self._excluded = path, list[Excluded]()

    def add(self, payload: bytes, reason: str) -> None:
        """Takes one serialized record."""
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        if self._path is not None:
            self._excluded.append(Excluded(deserialize(payload), reason))

    def close(self) -> None:
        """Writes what was taken."""
        if self._path is not None and self._excluded:
            write_exclusions(self._path, self._excluded)


def payloads(parts: Iterable[Part], seed: int, losses: Losses, mark: str = "#") -> Iterator[bytes]:
    """Yields the serialized records that parts contribute; a further use of a record gets an id of its own.

    Args:
        parts: The parts, in order.
        seed: `recipe.seed`.
        losses: Counts each record that is left out.
        mark: Between a record's id and the number of a further use.
    """
    for part in parts:
        drops = part.rows_to_drop()
        for row, payload in enumerate(read_records(part.path)):
            reason = drops.get(row, "")
            uses = 0 if reason else times(payload, part.weight, seed)
            if not uses:
                losses.add(payload, reason or "mixture_weight")
                continue
            yield payload
            if uses > 1:
                record = deserialize(payload)
                for use in range(2, uses + 1):
                    yield serialize(dataclasses.replace(record, id=f"{record.id}{mark}{use}"))


@dataclasses.dataclass(frozen=True)
class Jobs:
    """What all jobs of the last pass share.

    Attributes:
        sink: The form of the shards.
        shards: Shards of a split.
        seed: `recipe.seed`.
        scratch: Folder of the parts.
        exclusions: Whether to write what is left out.
        mark: See `payloads`.
    """

    sink: Sink
    shards: int
    seed: int
    scratch: Path
    exclusions: bool
    mark: str = "#"

    def losses(self, split: str, number: int) -> Losses:
        """Returns the account of one job."""
        name = self.scratch / f"late-{split}-{number:06d}.excluded.jsonl.gz"
        return Losses(name if self.exclusions else None)

    def scattered(self, split: str, shard: int, group: int) -> Path:
        """Returns the path of the records that a group has for a shard."""
        return self.scratch / f"scattered-{split}-{shard:05d}-{group:06d}.tfrecord"


class JoinShard(beam.DoFn):
    """Writes one shard from its parts, given as `(split, shard, parts)`; yields the row of what became of them."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def process(self, job: tuple[str, int, list[Part]]) -> Iterator[list[Any]]:
        """See the class; holds one record at a time."""
        split, shard, parts = job
        jobs, losses = self._jobs, self._jobs.losses(split, shard)
        path = jobs.sink.path(split, shard, jobs.shards)
        written = sum(part.records for part in parts)
        plain = all(part.untouched for part in parts)
        if not (plain and jobs.sink.concatenate(path, [part.path for part in parts])):
            written = jobs.sink.write(path, payloads(parts, jobs.seed, losses, jobs.mark))
        losses.close()
        yield [split, shard, written, path.stat().st_size, losses.dropped]


class Scatter(beam.DoFn):
    """First half of a shuffle: spreads the records of a group of parts over one file a shard.

    Takes `(split, group, parts)`; yields the row of what became of them. Holds the records of one group.
    """

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def process(self, job: tuple[str, int, list[Part]]) -> Iterator[list[Any]]:
        """See the class."""
        split, group, parts = job
        jobs, losses = self._jobs, self._jobs.losses(split, group)
        found: list[list[bytes]] = [[] for _ in range(jobs.shards)]
        for payload in payloads(parts, jobs.seed, losses, jobs.mark):
            found[_shuffle_key(payload, jobs.seed) % jobs.shards].append(payload)
        losses.close()
        for shard, records in enumerate(found):
            write_records(jobs.scattered(split, shard, group), records)
        yield [split, group, sum(map(len, found)), 0, losses.dropped]


class Gather(beam.DoFn):
    """Second half of a shuffle: orders the records of one shard, given as `(split, shard, groups)`.

    Holds the records of one shard; yields the row of the shard.
    """

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self._jobs = jobs

    def process(self, job: tuple[str, int, int]) -> Iterator[list[Any]]:
        """See the class."""
        split, shard, groups = job
        jobs = self._jobs
        files = [jobs.scattered(split, shard, group) for group in range(groups)]
        records = [payload for file in files for payload in read_records(file)]
        records.sort(key=lambda payload: (_shuffle_key(payload, jobs.seed), payload))
        path = jobs.sink.path(split, shard, jobs.shards)
        written = jobs.sink.write(path, records)
        for file in files:
            file.unlink()
        yield [split, shard, written, path.stat().st_size, {}]


def _shuffle_key(payload: bytes, seed: int) -> int:
    # A function of the record only: neither the other records nor the shape of the job move it among its fellows.
    return xxhash.xxh3_64_intdigest(payload, seed + _SHUFFLE)


def run_jobs(jobs: Sequence[Any], work: beam.DoFn, results: Path, runner: Runner | None) -> list[list[Any]]:
    """Runs jobs on a DoFn and returns the rows it yields, in order."""

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Jobs" >> beam.Create(list(jobs))
            | beam.Reshuffle()
            | "Work" >> beam.ParDo(work)
            | "Results" >> WriteJson(results)
        )

    run_pipeline(build, runner)
    return list(read_json(results))


def contiguous(parts: Sequence[Part], groups: int) -> Iterator[list[Part]]:
    """Cuts parts into consecutive groups: part b goes to group floor(b * groups / parts)."""
    for group in range(groups):
        first, last = (-(-len(parts) * bound // groups) for bound in (group, group + 1))
        yield list(parts[first:last])
