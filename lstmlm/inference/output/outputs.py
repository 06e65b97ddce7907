"""The files that outputs are written to: JSON lines, parquet or TFRecords of `tf.train.Example`.

Each chunk of a job is written to a part, and the parts of a shard are joined, one at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lstmlm.inference.input.example_rows import TFRECORD, example_rows
from lstmlm.publish.folder import replacing
from lstmlm.records.protobuf import bytes_example
from lstmlm.records.shards import concatenate
from lstmlm.records.tfrecord import count_records, write_records

if TYPE_CHECKING:
    from lstmlm.inference.output.tables import Columns

Format = Literal["jsonl", "parquet", "tfrecord"]

Row = Mapping[str, Any]
"""An output: our columns, and those that are passed on from the input."""


def shard_name(shard: int, shards: int, format: Format) -> str:
    """Returns the file name of a shard."""
    return f"predictions-{shard:05d}-of-{shards:05d}.{format}"


def json_line(value: Any) -> str:
    r"""Returns JSON without any character that some reader takes for the end of a line.

    JSON leaves U+0085, U+2028 and U+2029 as they are, and Python's `splitlines`, among others, splits at them.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def write_part(path: Path, rows: Sequence[Row], format: Format) -> None:
    """Writes the outputs of a chunk; the file appears when it is whole.

    Args:
        path: The file.
        rows: The outputs; at least one.
        format: Its kind. In an Example all values are bytes: text as it is, others as JSON.
    """
    if format == "tfrecord":
        write_records(path, map(_example, rows))
    elif format == "parquet":
        from lstmlm.inference.output.tables import write_table

        write_table(path, rows)
    else:
        with replacing(path) as stream:
            stream.writelines(f"{json_line(row)}\n".encode() for row in rows)


def join_parts(parts: Sequence[Path], path: Path, format: Format, columns: Columns | None = None) -> int:
    """Joins the parts of a shard; returns its rows, counted in the file.

    Args:
        parts: The parts, in order; there may be none.
        path: The shard.
        format: Their kind.
        columns: Of a table: the columns of all parts of the job (see `lstmlm.inference.output.tables`).
    """
    if format == "parquet":
        from lstmlm.inference.output.tables import join_tables

        return join_tables(parts, path, columns or {})
    concatenate(parts, path)
    return count_records(path) if format == "tfrecord" else _lines(path)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the outputs of a shard; of an Example, the text of every feature."""
    if path.suffix == ".parquet":
        from lstmlm.formats.arrow import pq

        for batch in pq.ParquetFile(path).iter_batches():
            yield from batch.to_pylist()
    elif path.suffix == TFRECORD:
        yield from (row.fields or {} for row in example_rows(str(path)))
    else:
        with path.open(encoding="utf-8", newline="\n") as stream:
            yield from map(json.loads, stream)


def _example(row: Row) -> bytes:
    values = {name: value if isinstance(value, str) else json_line(value) for name, value in row.items()}
    return bytes_example({name: [value.encode("utf-8")] for name, value in values.items()})


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
