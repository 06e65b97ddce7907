"""The last pass in corpus order: joins parts to shards and leaves out the duplicate rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam

from lstmlm.corpus.dedup.drops import Drops
from lstmlm.corpus.passes.block import Excluded
from lstmlm.corpus.passes.extents import Part, Section
from lstmlm.corpus.passes.parts import write_exclusions
from lstmlm.corpus.passes.sinks import Sink
from lstmlm.corpus.sources.mixture import times
from lstmlm.records.record import deserialize, serialize
from lstmlm.records.tfrecord import read_records


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


@dataclasses.dataclass(frozen=True)
class Jobs:
    """What all jobs of the last pass share.

    Attributes:
        sink: The form of the shards.
        shards: Shards of a split.
        seed: `recipe.seed`.
        scratch: Folder of the parts.
        exclusions: Whether to write what is left out.
        mark: Between a record's id and the number of a further use.
        drops: The rows that are left out; None where none were looked for.
    """

    sink: Sink
    shards: int
    seed: int
    scratch: Path
    exclusions: bool
    mark: str = "#"
    drops: Drops | None = None

    def losses(self, split: str, number: int) -> Losses:
        """Returns the account of one job."""
        name = self.scratch / f"late-{split}-{number:06d}.excluded.jsonl.gz"
        return Losses(name if self.exclusions else None)

    def reasons(self, section: Section) -> dict[int, str]:
        """Returns why rows of a section are left out; rows are numbered in the section."""
        return {} if self.drops is None else self.drops.between(section.row, section.row_end)

    def payloads(self, parts: Iterable[Part], losses: Losses) -> Iterator[bytes]:
        """Yields the serialized records that parts contribute; a further use of a record gets an id of its own.

        Args:
            parts: The parts, in order.
            losses: Counts each record that is left out.
        """
        for part in parts:
            section = part.section()
            reasons = self.reasons(section)
            for row, payload in enumerate(read_records(section.path, section.at, section.at_end)):
                reason = reasons.get(row, "")
                uses = 0 if reason else times(payload, part.weight, self.seed)
                if not uses:
                    losses.add(payload, reason or "mixture_weight")
                    continue
                yield payload
                if uses > 1:
                    record = deserialize(payload)
                    for use in range(2, uses + 1):
                        yield serialize(dataclasses.replace(record, id=f"{record.id}{self.mark}{use}"))


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
        sections = [part.section() for part in parts]
        plain = all(part.weight == 1.0 for part in parts) and not any(map(jobs.reasons, sections))
        written = sum(section.row_end - section.row for section in sections)
        if not (plain and jobs.sink.concatenate(path, sections)):
            written = jobs.sink.write(path, jobs.payloads(parts, losses))
        losses.close()
        yield [split, shard, written, path.stat().st_size, losses.dropped]
