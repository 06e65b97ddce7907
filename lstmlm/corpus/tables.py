"""Rows of parquet files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lstmlm.corpus.openers import open_bytes
from lstmlm.corpus.rows import BLOCK_LINES, Row, check_columns, not_utf8
from lstmlm.errors import UserError


@contextlib.contextmanager
def _opened(path: str) -> Iterator[pq.ParquetFile]:
    """Opens a parquet file; damage met while it is open is the user's to mend."""
    with open_bytes(path) as stream:
        try:
            yield pq.ParquetFile(stream)
        except (pa.ArrowException, OSError) as error:
            reason = " ".join(str(error).split())
            what = f"a damaged parquet file, or none: {reason}"
            raise UserError(what, where=path, cure="Write it anew, or leave it out") from error


def row_groups(path: str, range_bytes: int) -> list[tuple[int, int]]:
    """Returns runs of row groups of about `range_bytes` expanded bytes (one group at least): (groups, rows) of each.

    Raises:
        UserError: The file cannot be read, or is no parquet file.
    """
    with _opened(path) as table:
        found = [table.metadata.row_group(place) for place in range(table.metadata.num_row_groups)]
    runs: list[tuple[int, int]] = []
    size = range_bytes
    for group in found:
        if size + group.total_byte_size > range_bytes:
            runs.append((0, 0))
            size = 0
        runs[-1] = (runs[-1][0] + 1, runs[-1][1] + group.num_rows)
        size += group.total_byte_size
    return runs


def table_rows(path: str, start: int, end: int, first_row: int, limit: int, needed: Sequence[str]) -> Iterator[Row]:
    """Yields the rows of some row groups. Text, numbers and lists of text are values; others make a row dead.

    Args:
        path: The file, local or a URL.
        start: First row group.
        end: Row group after the last.
        first_row: Number of the first row, counted from 1.
        limit: Bytes of text a row may have.
        needed: Columns to read; none: all that hold values.

    Raises:
        UserError: The file cannot be read, is damaged, or lacks a needed column.
    """
    with _opened(path) as table:
        schema = table.schema_arrow
        check_columns(schema.names, needed, path)
        names = list(dict.fromkeys(needed)) or [field.name for field in schema if _is_value(field.type)]
        foreign = next((name for name in names if not _is_value(schema.field(name).type)), None)
        row = first_row
        if foreign is not None:
            reason = f"column {foreign!r} holds neither text nor numbers: {schema.field(foreign).type}"
            rows = sum(table.metadata.row_group(place).num_rows for place in range(start, end))
            yield from (Row(number, 0, dead=reason) for number in range(row, row + rows))
            return
        groups = list(range(start, end))
        for batch in table.iter_batches(BLOCK_LINES, row_groups=groups, columns=names, use_threads=False):
            columns = {name: _values(batch.column(name)) for name in names}
            for values in zip(*columns.values(), strict=True):
                yield _row(row, dict(zip(columns, values, strict=True)), limit)
                row += 1


def _is_value(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        return _is_value(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _is_text(kind.value_type)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return number or _is_text(kind) or pa.types.is_null(kind)


def _is_text(kind: Any) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _values(column: pa.Array) -> list[Any]:
    """Returns the values of a column; text that is not UTF-8 stays bytes."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        # Through NumPy: twice as fast as `to_pylist`, which makes an Arrow scalar of each value.
        return column.to_numpy(zero_copy_only=False).tolist() if _is_text(column.type) else column.to_pylist()
    except (UnicodeDecodeError, pa.ArrowException):
        return [_text_or_bytes(value) for value in column.cast(_as_bytes(column.type)).to_pylist()]


def _as_bytes(kind: Any) -> Any:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(pa.large_binary())
    return pa.large_binary()


def _text_or_bytes(value: Any) -> Any:
    if isinstance(value, list):
        return [_text_or_bytes(part) for part in value]
    try:
        return value.decode("utf-8") if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _row(number: int, fields: dict[str, Any], limit: int) -> Row:
    size = 0
    for value in fields.values():
        for text in value if isinstance(value, list) else (value,):
            if isinstance(text, bytes):
                return Row(number, len(text), dead=_why(text))
            if isinstance(text, str):
                size += len(text) if text.isascii() else len(text.encode("utf-8"))
    if size > limit:
        return Row(number, size, dead=f"longer than {limit} bytes")
    return Row(number, size, fields)


def _why(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return not_utf8(error)
    return "bytes, and no text"
