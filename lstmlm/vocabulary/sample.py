"""Draws a random sample of the train split in Beam, in bounded memory, independent of workers and bundles.

Each record has a pseudo-random number made of its id; the sample is the records with the smallest numbers (bottom-k
sampling, Cohen and Kaplan 2007). Samples of parts merge into the sample of the whole.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import apache_beam as beam

from lstmlm.records.record import deserialize, stable_hash
from lstmlm.records.tfrecord import read_records, write_records
from lstmlm.runners.pipeline import run_pipeline
from lstmlm.storage import place

_BLOCK_RECORDS = 1024

Candidate = tuple[int, bytes]
"""A record's pseudo-random number, and the record serialized: it breaks ties between equal numbers."""


def draw_sample(files: Sequence[Path], limit: int, seed: int, output: Path) -> None:
    """Writes at most `limit` records of some shards to a TFRecord file, in the order of their numbers.

    Args:
        files: Shards of records.
        limit: Records drawn at most; about twice as many are held in memory.
        seed: Decides the draw.
        output: The file to write.

    Raises:
        UserError: A shard is damaged.
    """

    def build(pipeline: beam.Pipeline) -> None:
        _ = (
            pipeline
            | "Shards" >> beam.Create([str(file) for file in files])
            | "Spread" >> beam.Reshuffle()
            | "Candidates" >> beam.FlatMap(_candidates, seed=seed)
            | "Sample" >> beam.CombineGlobally(SmallestNumbers(limit))
            | "Write" >> beam.Map(_write, path=str(output))
        )

    run_pipeline(build)


def _candidates(file: str, seed: int) -> Iterator[list[Candidate]]:
    """Yields the records of a shard with their numbers, in blocks: an element costs Beam more than a record."""
    payloads = read_records(place(file))
    while block := list(itertools.islice(payloads, _BLOCK_RECORDS)):
        yield [(stable_hash("sample", seed, deserialize(payload).id), payload) for payload in block]


def _write(sample: list[Candidate], path: str) -> None:
    write_records(place(path), (payload for _, payload in sample))


@dataclasses.dataclass(slots=True)
class Smallest:
    """The smallest candidates so far, and some more that are not sorted out yet.

    Attributes:
        candidates: In any order.
        bound: Nothing above it can be among the smallest; None while there are too few.
    """

    candidates: list[Candidate] = dataclasses.field(default_factory=list)
    bound: Candidate | None = None


class SmallestNumbers(beam.CombineFn):
    """Combines lists of candidates into the sorted list of the `limit` smallest."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def create_accumulator(self) -> Smallest:
        """Returns the sample of nothing."""
        return Smallest()

    def add_input(self, smallest: Smallest, block: Sequence[Candidate]) -> Smallest:
        """Adds a block; sorts when twice the limit is reached, so that each candidate costs the same in the mean."""
        bound = smallest.bound
        smallest.candidates += [found for found in block if bound is None or found < bound]
        return self._sorted_out(smallest) if len(smallest.candidates) >= 2 * self._limit else smallest

    def merge_accumulators(self, parts: Iterable[Smallest]) -> Smallest:
        """Joins samples of parts to the sample of the whole."""
        merged = Smallest()
        for part in parts:
            merged = self.add_input(merged, part.candidates)
        return merged

    def compact(self, smallest: Smallest) -> Smallest:
        """Drops what is not needed before the sample is sent to another worker."""
        return self._sorted_out(smallest)

    def extract_output(self, smallest: Smallest) -> list[Candidate]:
        """Returns the sample, the smallest number first."""
        return self._sorted_out(smallest).candidates

    def _sorted_out(self, smallest: Smallest) -> Smallest:
        kept = sorted(smallest.candidates)[: self._limit]
        return Smallest(kept, kept[-1] if len(kept) == self._limit else None)
