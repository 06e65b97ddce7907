"""The first pass: reads file ranges as blocks of records, and writes what the steps leave of many blocks to a file."""

from __future__ import annotations

import collections
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import orjson
import xxhash
from apache_beam.pvalue import TaggedOutput
from apache_beam.transforms.window import GlobalWindows

from lstmlm.corpus.dedup.keys import Keys, block_keys
from lstmlm.corpus.passes.block import Block, Excluded
from lstmlm.corpus.passes.extents import DEAD, EXCLUDED
from lstmlm.corpus.passes.held_out import split_of
from lstmlm.corpus.passes.ids import longest_mark
from lstmlm.corpus.passes.part_files import BlockFile, PartFile
from lstmlm.corpus.passes.records import make_block, needed_columns
from lstmlm.corpus.reading.compression import first_damage
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import read_range
from lstmlm.corpus.reading.rows import blocks
from lstmlm.corpus.report.summary import repeated_lines, summarise
from lstmlm.corpus.sources.found import CorpusFile, Split
from lstmlm.corpus.steps.privacy.published import scrubbed_messages, scrubber_of
from lstmlm.publish.folder import replacing
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.record import Record, serialize
from lstmlm.task import load_task

EXCLUSION_LEVEL = 4  # of gzip


EXTENTS, LINES = "extents", "lines"
"""The further outputs of `WriteParts`."""


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
            for block in self._blocks(part):
                block.origin = part.first_line
                yield block

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
    """Writes what is left of blocks, many to a file, and yields the `Account` of each.

    Further outputs: `EXTENTS`, the rows of the extents of a file once it is closed, and `LINES`, pairs of a line and
    how often it occurs in a block, where that is more than once.
    """

    def __init__(self, recipe: Recipe, files: Sequence[CorpusFile], folder: Path) -> None:
        super().__init__()
        self._recipe, self._folder = recipe, folder
        self._splits = {file.index: file.split for file in files}
        self._further = load_task(recipe.task).further_texts
        corpus = recipe.corpus
        self._keyed = corpus.duplicates.exact or corpus.duplicates.near is not None
        self._marked = corpus.id is not None and any(part.weight > 1 for part in corpus.mixture)
        self._most = corpus.shard_bytes if corpus.shards is None else None

    def start_bundle(self) -> None:
        """Begins with no file: those of a bundle that failed are not used."""
        self._parts: dict[str, PartFile] = {}
        self._texts: dict[str, BlockFile] = {}

    def process(self, block: Block) -> Iterator[Any]:
        """See the class."""
        size: dict[str, int] = {}
        by_split = self._by_split(block)
        marks = large = 0
        for split, records in by_split.items():
            payloads = list(map(serialize, records))
            if split not in self._parts:
                self._parts[split] = PartFile(self._folder, split)
            part = self._parts[split]
            size[split] = part.add(block, payloads, self._keys(records), self._ids(records))
            if part.full:
                yield from self._closed(self._parts.pop(split))
            if self._marked:
                marks = max(marks, longest_mark(record.id for record in records))
            if self._most is not None and size[split] > self._most:
                large += sum(len(payload) > self._most for payload in payloads)
        if block.dead:
            self._add_text(DEAD, ".jsonl", block, [orjson.dumps(letter) + b"\n" for letter in block.dead])
        if block.excluded and self._recipe.corpus.exclusions:
            self._add_text(EXCLUDED, ".jsonl.gz", block, [exclusion_lines(block.excluded)])
        yield from (TaggedOutput(LINES, pair) for pair in repeated_lines(block.records).items())
        kept = {split: len(records) for split, records in by_split.items()}
        yield summarise(block, kept, size, self._lost(block), marks=marks, large=large)

    def finish_bundle(self) -> Iterator[Any]:
        """Closes all files."""
        files: list[PartFile | BlockFile] = [*self._parts.values(), *self._texts.values()]
        for file in files:
            for extent in self._closed(file):
                yield TaggedOutput(EXTENTS, GlobalWindows.windowed_value(extent.value))

    def _closed(self, file: PartFile | BlockFile) -> Iterator[TaggedOutput]:
        return (TaggedOutput(EXTENTS, extent.to_row()) for extent in file.close())

    def _add_text(self, kind: str, suffix: str, block: Block, pieces: list[bytes]) -> None:
        if kind not in self._texts:
            self._texts[kind] = BlockFile(self._folder, kind, suffix)
        self._texts[kind].add(block, 0, pieces, framed=False)

    def _keys(self, records: Sequence[Record]) -> Keys | None:
        if not self._keyed:
            return None
        return block_keys(records, self._recipe.corpus.duplicates, self._recipe.seed, self._further)

    def _ids(self, records: Sequence[Record]) -> list[bytes]:
        if self._recipe.corpus.id is None:
            return []
        return [xxhash.xxh3_128_digest(record.id) for record in records]

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
        """Returns `Account.lost`."""
        fixed = self._splits[block.file]
        if fixed is not None:
            return {fixed: dict(block.dropped)} if block.dropped else {}
        lost: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
        for gone in block.excluded:
            lost[self._split_of(gone.record)][gone.reason] += 1
        return {split: dict(reasons) for split, reasons in lost.items()}


def write_exclusions(path: Path, excluded: Iterable[Excluded]) -> None:
    """Writes dropped records with their reasons as one gzip member of JSON lines; the same bytes every time."""
    with replacing(path) as stream:
        stream.write(exclusion_lines(excluded))


def exclusion_lines(excluded: Iterable[Excluded]) -> bytes:
    """Returns dropped records with their reasons as one gzip member of JSON lines; the same bytes every time."""
    plain = io.BytesIO()
    with gzip.GzipFile("", "wb", EXCLUSION_LEVEL, plain, mtime=0) as stream:
        for item in excluded:
            record = item.record
            line = {"id": record.id, "reason": item.reason, "source": record.source, "targets": record.targets}
            stream.write(orjson.dumps(line) + b"\n")
    return plain.getvalue()
