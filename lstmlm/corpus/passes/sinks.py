"""The forms in which the records of a corpus are published: TFRecord shards, or gzipped JSON lines."""

from __future__ import annotations

import dataclasses
import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson

from lstmlm.corpus.passes.extents import Section
from lstmlm.publish.folder import replacing
from lstmlm.recipe.sections.corpus import CorpusSection
from lstmlm.records.record import Record, deserialize
from lstmlm.records.shards import concatenate_sections, shard_path
from lstmlm.records.tfrecord import write_records

JSON_LEVEL = 4  # of gzip


class Sink(Protocol):
    """The form of the shards. Travels to workers as bytes."""

    def path(self, split: str, shard: int, shards: int) -> Path:
        """Returns the path of a shard."""

    def write(self, path: Path, payloads: Iterable[bytes]) -> int:
        """Writes serialized records as a shard and returns how many."""

    def concatenate(self, path: Path, sections: Sequence[Section]) -> bool:
        """Writes sections of TFRecord files as a shard without reading the records; False where this form cannot."""


@dataclasses.dataclass(frozen=True)
class TFRecordShards:
    """TFRecord files of `tf.train.Example`, a folder for each split below `folder`."""

    folder: Path

    def path(self, split: str, shard: int, shards: int) -> Path:
        """See `Sink`."""
        return shard_path(self.folder, split, shard, shards)

    def write(self, path: Path, payloads: Iterable[bytes]) -> int:
        """See `Sink`."""
        return write_records(path, payloads)

    def concatenate(self, path: Path, sections: Sequence[Section]) -> bool:
        """See `Sink`: records of TFRecord files one after the other are a TFRecord file."""
        concatenate_sections(((section.path, section.at, section.at_end) for section in sections), path)
        return True


@dataclasses.dataclass(frozen=True)
class JsonShards:
    """Gzipped JSON lines below `folder`, with the columns that the recipe reads."""

    folder: Path
    corpus: CorpusSection

    def path(self, split: str, shard: int, shards: int) -> Path:
        """See `Sink`; there is one split."""
        return self.folder / f"documents-{shard:05d}-of-{shards:05d}.jsonl.gz"

    def write(self, path: Path, payloads: Iterable[bytes]) -> int:
        """See `Sink`."""
        written = 0
        with replacing(path) as plain, gzip.GzipFile("", "wb", JSON_LEVEL, plain, mtime=0) as stream:
            for payload in payloads:
                stream.write(orjson.dumps(self._line(deserialize(payload))) + b"\n")
                written += 1
        return written

    def _line(self, record: Record) -> dict[str, Any]:
        line: dict[str, Any] = {self.corpus.id or "id": record.id, self.corpus.source: record.source}
        if record.targets and self.corpus.target is not None:
            line[self.corpus.target] = record.targets[0] if len(record.targets) == 1 else record.targets
        return line

    def concatenate(self, path: Path, sections: Sequence[Section]) -> bool:
        """See `Sink`."""
        return False
