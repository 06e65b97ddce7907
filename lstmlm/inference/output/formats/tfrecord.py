"""Outputs as TFRecord files of `tf.train.Example`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlm.inference.output.format import OutputFormat, Row
from lstmlm.inference.output.lines import json_line
from lstmlm.records.protobuf import bytes_example, bytes_features
from lstmlm.records.shards import concatenate
from lstmlm.records.tfrecord import count_records, read_records, write_records


class Examples(OutputFormat):
    """An Example per output. All values are bytes: text and bytes as they are, others as JSON."""

    extension = "tfrecord"

    def write_part(self, path: Path, rows: Sequence[Row]) -> None:
        """See `OutputFormat`."""
        write_records(path, map(_example, rows))

    def join(self, parts: Sequence[Path], path: Path, common: Any) -> int:
        """See `OutputFormat`."""
        concatenate(parts, path)
        return count_records(path)

    def read(self, path: Path) -> Iterator[dict[str, Any]]:
        """See `OutputFormat`: the text of every feature; what is no text stays bytes."""
        for payload in read_records(path):
            yield {name: _text_or_bytes(value) for name, (value,) in bytes_features(payload).items()}


def _example(row: Row) -> bytes:
    return bytes_example({name: [_bytes(value)] for name, value in row.items()})


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return (value if isinstance(value, str) else json_line(value)).encode("utf-8")


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value


FORMAT = Examples()
