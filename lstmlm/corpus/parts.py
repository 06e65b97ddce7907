"""The first half of ingest: each block of a file becomes part files, one a split, and a summary."""

from __future__ import annotations

import collections
import dataclasses
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam

from lstmlm.corpus.files import CorpusFile
from lstmlm.corpus.readers import read_file
from lstmlm.corpus.rows import Row, blocks
from lstmlm.corpus.shards import write_examples
from lstmlm.corpus.split import split_of
from lstmlm.errors import UserError
from lstmlm.recipe import Recipe
from lstmlm.records import Record, stable_hash, to_example
from lstmlm.task import BadRecord, Task, load_task

ID_BUCKETS = 64


@dataclasses.dataclass(slots=True)
class Block:
    """What became of a block of consecutive lines.

    Attributes:
        file: `CorpusFile.index`.
        index: Position of the block in its file.
        lines: Lines read.
        kept: Split -> records, in corpus order.
        dropped: Reason -> lines left out.
        dead: Lines that could not be used: `file`, `line`, `reason`.
    """

    file: int
    index: int
    lines: int
    kept: dict[str, list[Record]]
    dropped: dict[str, int]
    dead: list[dict[str, Any]]

    def summary(self) -> list[Any]:
        """Returns `[file, index, lines, {split: records}, dropped, {reason: dead lines}, first dead letter]`."""
        kept = {split: len(records) for split, records in self.kept.items()}
        reasons = collections.Counter(reason_kind(letter["reason"]) for letter in self.dead)
        first = self.dead[0] if self.dead else None
        return [self.file, self.index, self.lines, kept, self.dropped, dict(reasons), first]


def part_path(folder: Path, file: int, block: int, split: str) -> Path:
    """Returns where the records of one block and split lie until they are joined to shards."""
    return folder / f"{file:05d}-{block:08d}.{split}.tfrecord"


def dead_path(folder: Path, file: int, block: int) -> Path:
    """Returns where the dead letters of one block lie until they are joined."""
    return folder / f"{file:05d}-{block:08d}.dead.jsonl"


def reason_kind(reason: str) -> str:
    """Returns a reason without the details after a colon or in brackets, so that equal causes count together."""
    return re.split(r": | \(", reason, maxsplit=1)[0]


def make_block(rows: Iterable[Row], index: int, file: CorpusFile, task: Task, recipe: Recipe) -> Block:
    """Turns the rows of a block into records by split, dropped lines and dead letters."""
    corpus = recipe.corpus
    block = Block(file.index, index, 0, {}, {}, [])
    for row in rows:
        block.lines += 1
        if row.dropped:
            block.dropped[row.dropped] = block.dropped.get(row.dropped, 0) + 1
            continue
        try:
            record = _record(row, file, task, recipe)
        except BadRecord as problem:
            block.dead.append({"file": file.name, "line": row.line, "reason": str(problem)})
            continue
        split = file.split or split_of(record.id, recipe.seed, corpus.valid_fraction)
        block.kept.setdefault(split, []).append(record)
    return block


def _record(row: Row, file: CorpusFile, task: Task, recipe: Recipe) -> Record:
    if row.fields is None:
        raise BadRecord(row.dead)
    record_id = f"{file.name}:{row.line}"
    if recipe.corpus.id is not None and file.format != ".txt":
        record_id = _named_id(row.fields, recipe.corpus.id)
    return task.record(row.fields, record_id, recipe.corpus)


def _named_id(fields: Mapping[str, Any], column: str) -> str:
    value = fields.get(column)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadRecord(f"no id in column {column!r}")
    return str(value)


class MakeParts(beam.DoFn):
    """Reads a corpus file and writes its blocks; yields their summaries, and on output `ids` the ids by bucket."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        super().__init__()
        self._recipe = recipe
        self._folder = folder

    def setup(self) -> None:
        """Imports the task once a worker."""
        self._task = load_task(self._recipe.task)

    def process(self, file: CorpusFile) -> Iterator[Any]:
        """See the class; holds one block at a time."""
        corpus = self._recipe.corpus
        needed = [corpus.source]
        needed += [corpus.target] if self._task.has_targets and corpus.target is not None else []
        needed += [corpus.id] if corpus.id is not None else []
        for index, lines in enumerate(blocks(read_file(file, corpus, needed))):
            block = make_block(lines, index, file, self._task, self._recipe)
            self._write(block)
            yield block.summary()
            if corpus.id is not None:
                for bucket, ids in _by_bucket(block).items():
                    yield beam.pvalue.TaggedOutput("ids", (bucket, ids))

    def _write(self, block: Block) -> None:
        for split, records in block.kept.items():
            write_examples(part_path(self._folder, block.file, block.index, split), map(to_example, records))
        if block.dead:
            letters = "".join(json.dumps(letter, ensure_ascii=False) + "\n" for letter in block.dead)
            dead_path(self._folder, block.file, block.index).write_text(letters, encoding="utf-8")


def _by_bucket(block: Block) -> dict[int, list[str]]:
    buckets: dict[int, list[str]] = collections.defaultdict(list)
    for records in block.kept.values():
        for record in records:
            buckets[stable_hash("id", record.id) % ID_BUCKETS].append(record.id)
    return buckets


class RefuseDuplicates(beam.DoFn):
    """Fails on an id that two records have. Takes `(bucket, lists of ids)`, yields nothing."""

    def process(self, element: tuple[int, Iterable[list[str]]]) -> Iterator[Any]:
        """See the class; holds the ids of one bucket."""
        _, lists = element
        seen: set[str] = set()
        for ids in lists:
            for record_id in ids:
                if record_id in seen:
                    cure = "Make the ids unique, or leave out corpus.id"
                    raise UserError(f"two records have the id {record_id!r}", where="corpus.id", cure=cure)
                seen.add(record_id)
        yield from ()
