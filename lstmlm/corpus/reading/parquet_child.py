"""Reads parquet and Arrow files for `lstmlm.corpus.reading.tables`, in a process of its own.

A request is JSON. Answers are JSON too, and after one with `batch` follow its rows as an Arrow IPC stream.
"""

from __future__ import annotations

import io
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from lstmlm.corpus.reading.columns import (
    SIZES,
    as_text,
    column_of,
    find_column,
    is_audio,
    is_bytes,
    is_value,
    plain,
    read_as,
    runs_code,
    text_sizes,
    with_names,
)
from lstmlm.corpus.reading.datasets.arrow_stream import ArrowTable
from lstmlm.corpus.reading.datasets.class_names import in_schema
from lstmlm.corpus.reading.rows import BLOCK_BYTES, BLOCK_LINES
from lstmlm.corpus.reading.tables import RUNS_CODE
from lstmlm.formats.arrow import pa, pq
from lstmlm.processes.child import MEMORY_BYTES, Parent, serving

_BUFFER_BYTES = 1 << 20  # a column is read in pieces of this size, not as a whole row group


class _ParentsFile(io.RawIOBase):
    """A file that the parent has open: it knows the stores and their credentials."""

    def __init__(self, parent: Parent, size: int) -> None:
        super().__init__()
        self._parent, self._size, self._at = parent, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        _say(self._parent, read=[self._at, wanted])
        data = self._parent.receive()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _say(parent: Parent, **answer: Any) -> None:
    parent.send(json.dumps(answer).encode())


Table: TypeAlias = pq.ParquetFile | ArrowTable


def _opened(parent: Parent, request: Mapping[str, Any]) -> Table:
    stream: BinaryIO | _ParentsFile
    if request["path"] is None:
        stream = _ParentsFile(parent, request["size"])
    else:
        stream = open(request["path"], "rb", buffering=0)  # noqa: SIM115 - closed with the table
    table = ArrowTable(stream) if request["arrow"] else pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES)
    if runs_code(table.schema_arrow):
        raise ValueError(RUNS_CODE)
    if min([0, *(size for group in _groups(table, 0, None) for size in group)]) < 0:
        raise ValueError("it counts rows or bytes below zero")
    return table


def _groups(table: Table, start: int, end: int | None) -> list[tuple[int, int]]:
    """Returns rows and expanded bytes of row groups."""
    if isinstance(table, ArrowTable):
        return table.groups()[start:end]
    metadata = table.metadata
    found = (metadata.row_group(place) for place in range(start, metadata.num_row_groups if end is None else end))
    return [(group.num_rows, group.total_byte_size) for group in found]


def _send_rows(parent: Parent, table: Table, request: Mapping[str, Any]) -> None:
    schema, needed = table.schema_arrow, request["needed"]
    kinds = {name: find_column(schema, name) for name in needed}
    if not needed and not request["others"]:
        kinds = {field.name: field.type for field in schema if is_value(field.type)}
    others = [name for name in schema.names if name not in kinds] if request["others"] else []
    foreign = next((name for name, kind in kinds.items() if kind is not None and not is_value(kind)), None)
    ends = foreign is not None or None in kinds.values() or len(set(schema.names)) < len(schema.names)
    _say(
        parent,
        ends=ends,
        names=schema.names,
        missing=[name for name, kind in kinds.items() if kind is None],
        foreign=None if foreign is None else [foreign, str(kinds[foreign])],
        columns=[*kinds, *others],
        rows=[rows for rows, _ in _groups(table, request["start"], request["end"])],
    )
    if ends:
        return
    skip = request["skip"]
    for group in range(request["start"], request["end"]):
        reason = ""
        try:
            for batch in _batches(table, group, [*kinds, *others], skip, request["limit"]):
                _send_batch(parent, batch)
        except Exception as error:  # of a library that reads what anybody wrote
            reason = _reason(error)
        _say(parent, group=group, error=reason)
        skip = 0


def _batches(table: Table, group: int, columns: Sequence[str], skip: int, limit: int) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a row group, of about `BLOCK_BYTES` at most, with the bytes of their text as a last column.

    The values of a row over the limit are null.
    """
    classes = in_schema(table.schema_arrow.metadata)
    most = _rows_at_once(table, group, columns)
    outer = list(dict.fromkeys(read_as(table.schema_arrow, name) for name in columns))
    for read in table.iter_batches(most, row_groups=[group], columns=outer, use_threads=False):
        batch, skip = read.slice(min(skip, read.num_rows)), max(0, skip - read.num_rows)
        found = [column_of(batch, name) for name in columns]
        arrays = [plain(array) if is_value(array.type) else as_text(array) for array in found]
        named = zip(columns, arrays, strict=True)
        arrays = [with_names(array, classes[name]) if name in classes else array for name, array in named]
        sizes = sum((text_sizes(array) for array in arrays), np.zeros(batch.num_rows, np.int64))
        if (sizes > limit).any():
            kept = pa.array(np.arange(batch.num_rows), mask=sizes > limit)
            arrays = [array.take(kept) for array in arrays]
        made = pa.RecordBatch.from_arrays([*arrays, pa.array(sizes)], [*columns, SIZES])
        # Where the rows of each message begin: a row whose text passes a multiple of the size begins a new one.
        blocks = np.cumsum(np.where(sizes > limit, 0, sizes)) // BLOCK_BYTES
        cuts = [0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), batch.num_rows]
        for start, end in itertools.pairwise(cuts):
            if start < end:
                yield made.slice(start, end - start)


def _rows_at_once(table: Table, group: int, columns: Sequence[str]) -> int:
    """Returns how many rows are read together: fewer where recordings make them large."""
    schema = table.schema_arrow
    kinds = [find_column(schema, name) for name in columns]
    if not any(is_bytes(kind) or is_audio(kind) for kind in kinds):
        return BLOCK_LINES
    ((rows, expanded),) = _groups(table, group, group + 1)
    return max(1, min(BLOCK_LINES, BLOCK_BYTES * max(1, rows) // max(1, expanded)))


def _send_batch(parent: Parent, batch: pa.RecordBatch) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    _say(parent, batch=batch.num_rows)
    parent.send(memoryview(sink.getvalue()))


def _answer(parent: Parent, request: Mapping[str, Any]) -> None:
    try:
        table = _opened(parent, request)
        if "needed" not in request:
            _say(parent, groups=_groups(table, 0, None))
            return
        _send_rows(parent, table, request)
    except Exception as error:  # of a library that reads what anybody wrote
        _say(parent, error=_reason(error))


def _reason(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return f"it takes more than {MEMORY_BYTES >> 30} GB of memory to read"
    if "arrow.py_extension_type" in str(error):  # the hotfix's own error is a page
        return RUNS_CODE
    return " ".join(str(error).split())[:300] or type(error).__name__


def main() -> None:
    """Answers until the parent hangs up."""
    parent = serving(sys.argv[1])
    while True:
        _answer(parent, json.loads(parent.receive()))


if __name__ == "__main__":
    main()
