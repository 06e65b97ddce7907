"""The first pass: reads file ranges as blocks of records, cleans them, and writes each block to part files."""

from __future__ import annotations

import collections
import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import orjson
import xxhash

from lstmlm.corpus.dedup.keys import block_keys, write_keys
from lstmlm.corpus.passes.block import Block, Excluded
from lstmlm.corpus.passes.held_out import split_of
from lstmlm.corpus.passes.records import make_block, needed_columns
from lstmlm.corpus.reading.compression import first_damage
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import read_range
from lstmlm.corpus.reading.rows import blocks
from lstmlm.corpus.report.summary import summarise
from lstmlm.corpus.sources.found import CorpusFile, Split
from lstmlm.corpus.steps.privacy.published import scrubbed_messages, scrubber_of
from lstmlm.publish.folder import replacing
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, serialize
from lstmlm.records.tfrecord import write_records
from lstmlm.task import load_task

EXCLUSION_LEVEL = 4  # of gzip


def part_path(folder: Path, file: int, block: int, split: str) -> Path:
    """Returns the path of the records of one block and split until they are joined to shards."""
    return folder / f"{file:05d}-{block:012d}.{split}.tfrecord"


def keys_path(part: Path) -> Path:
    """Returns the path of the keys by which copies of the part's records are found."""
    return part.with_suffix(".keys")


def ids_path(part: Path) -> Path:
    """Returns the path of the hashes of the ids of the part's records."""
    return part.with_suffix(".ids")


def dead_path(folder: Path, file: int, block: int) -> Path:
    """Returns the path of the dead letters of one block until they are joined."""
    return folder / f"{file:05d}-{block:012d}.dead.jsonl"


def excluded_path(folder: Path, file: int, block: int) -> Path:
    """Returns the path of the exclusions of one block until they are joined."""
    return folder / f"{file:05d}-{block:012d}.excluded.jsonl.gz"


class ReadBlocks(beam.DoFn):
    """Reads a `FileRange` into blocks of records."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe

    def setup(self) -> None:
        """Imports the task once per worker."""
        self._task = load_task(self._recipe.task)
        self._scrubber = scrubber_of(self._recipe.corpus.privacy) if self._recipe.corpus.id is not None else None

    def process(self, part: FileRange) -> Iterator[Block]:
        """See the class; holds one block at a time."""
        # Here too, for a worker process logs its errors by itself.
        with scrubbed_messages(self._recipe.corpus.privacy):
            yield from self._blocks(part)

    def _blocks(self, part: FileRange) -> Iterator[Block]:
        corpus, file = self._recipe.corpus, part.file
        if file.compression and corpus.damaged == "dead":
            damage = first_damage(file.path, file.size, file.compression, corpus.max_expansion)
            if damage:
                yield Block(file.index, 1, 1, [], dead=[{"file": file.name, "line": 1, "reason": damage}])
                return
        found = read_range(part, corpus, needed_columns(self._recipe, self._task))
        for rows in blocks(found, self._task.block_rows):
            yield make_block(rows, file, self._task, self._recipe, self._scrubber)


class WriteParts(beam.DoFn):
    """Writes what is left of a block, and yields the row of its `Summary`.

    A part is written under its final name: its folder is removed unless all of the stage succeeds, and
    a retried element writes the same bytes again.
    """

    def __init__(self, recipe: Recipe, files: Sequence[CorpusFile], folder: Path) -> None:
        super().__init__()
        self._recipe, self._folder = recipe, folder
        self._splits = {file.index: file.split for file in files}
        self._further = load_task(recipe.task).further_texts

    def process(self, block: Block) -> Iterator[list[Any]]:
        """See the class."""
        corpus = self._recipe.corpus
        size: dict[str, int] = {}
        by_split = self._by_split(block)
        for split, records in by_split.items():
            path = part_path(self._folder, block.file, block.index, split)
            write_records(path, map(serialize, records))
            size[split] = path.stat().st_size
            if corpus.duplicates.exact or corpus.duplicates.near is not None:
                write_keys(keys_path(path), block_keys(records, corpus.duplicates, self._recipe.seed, self._further))
            if corpus.id is not None:
                with replacing(ids_path(path)) as stream:
                    stream.writelines(xxhash.xxh3_128_digest(record.id) for record in records)
        if block.dead:
            with replacing(dead_path(self._folder, block.file, block.index)) as stream:
                stream.writelines(orjson.dumps(letter) + b"\n" for letter in block.dead)
        if block.excluded and corpus.exclusions:
            write_exclusions(excluded_path(self._folder, block.file, block.index), block.excluded)
        kept = {split: len(records) for split, records in by_split.items()}
        yield summarise(block, kept, size, self._lost(block)).row()

    def _by_split(self, block: Block) -> dict[str, list[Record]]:
        fixed = self._splits[block.file]
        if fixed is not None:
            return {fixed: block.records} if block.records else {}
        by_split: dict[str, list[Record]] = {}
        for record in block.records:
            by_split.setdefault(self._split_of(record), []).append(record)
        return by_split

    def _split_of(self, record: Record) -> Split:
        return split_of(record.group or record.id, self._recipe.seed, self._recipe.corpus.valid_fraction)

    def _lost(self, block: Block) -> dict[str, dict[str, int]]:
        """Returns `Summary.lost`."""
        fixed = self._splits[block.file]
        if fixed is not None:
            return {fixed: dict(block.dropped)} if block.dropped else {}
        lost: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for gone in block.excluded:
            lost[self._split_of(gone.record)][gone.reason] += 1
        return {split: dict(reasons) for split, reasons in lost.items()}


def write_exclusions(path: Path, excluded: Iterable[Excluded]) -> None:
    """Writes dropped records with their reasons as one gzip member of JSON lines; the same bytes every time."""
    with replacing(path) as plain, gzip.GzipFile("", "wb", EXCLUSION_LEVEL, plain, mtime=0) as stream:
        for item in excluded:
            record = item.record
            line = {"id": record.id, "reason": item.reason, "source": record.source, "targets": record.targets}
            stream.write(orjson.dumps(line) + b"\n")
