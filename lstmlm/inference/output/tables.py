"""Outputs as parquet tables, all shards with the same columns and types.

Parts are written by workers that do not know of each other, and a column that is passed on from the input may hold
anything. So the types are settled when the parts are joined: numbers and text stay what they are where all of a column
are of one kind; a column of several kinds becomes text, with what is not text as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.formats.arrow import pa, pq
from lstmlm.publish.folder import replacing
from lstmlm.task import OutputColumn

Columns = Mapping[str, pa.DataType]
"""Type by name, in the order of the columns."""

ID = "id"


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes the outputs of a chunk; the file appears when it is whole. A row may lack a column."""
    names = dict.fromkeys(name for row in rows for name in row)
    arrays = [_array(name, [row.get(name) for row in rows]) for name in names]
    with replacing(path) as stream:
        pq.write_table(pa.table(arrays, names=list(names)), stream)


def columns_of(parts: Iterable[Path], schema: Mapping[str, OutputColumn]) -> Columns:
    """Returns the columns that hold what all parts have.

    Args:
        parts: The parts of all shards.
        schema: The columns of the task, in their order; a job without any output has those that all have.
    """
    found: dict[str, pa.DataType] = {}
    for part in parts:
        for field in pq.read_schema(part):
            found[field.name] = _common(field.name, found.get(field.name, pa.null()), field.type)
    found = found or {name: _of(column) for name, column in schema.items() if column.always}
    found = {name: found[name] for name in dict.fromkeys([*schema, *found]) if name in found}
    # A column in which nothing was ever given has no type of its own.
    return {name: pa.string() if pa.types.is_null(kind) else kind for name, kind in found.items()}


def join_tables(parts: Sequence[Path], path: Path, columns: Columns) -> int:
    """Joins parts to a table with the given columns; returns its rows."""
    schema = pa.schema(list(columns.items()))
    rows = 0
    with replacing(path) as stream, pq.ParquetWriter(stream, schema) as writer:
        for part in parts:
            table = pq.read_table(part)
            arrays = [_as(table, name, kind) for name, kind in columns.items()]
            writer.write_table(pa.table(arrays, schema=schema))
            rows += table.num_rows
    return rows


def _of(column: OutputColumn) -> pa.DataType:
    """Returns the type of a column that nothing was ever written to."""
    return {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_()}.get(column.kind, pa.string())


def _array(name: str, values: list[Any]) -> pa.Array:
    """Returns values as a column, as text where they are of several kinds."""
    kinds = {type(value) for value in values if value is not None}
    several = len(kinds) > 1 and (name == ID or kinds != {int, float})
    if several or dict in kinds:  # objects differ in their keys from row to row
        return pa.array(list(map(_text, values)), pa.string())
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array(list(map(_text, values)), pa.string())


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _common(name: str, one: pa.DataType, other: pa.DataType) -> pa.DataType:
    """Returns a type that holds the values of both."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other))
    if numbers and name != ID:  # an id must not be rounded
        return pa.float64()
    return pa.string()


def _as(table: pa.Table, name: str, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, kind)
    column = table.column(name)
    if column.type == kind or pa.types.is_null(column.type):
        return column.cast(kind)
    if pa.types.is_string(kind):
        return pa.array(list(map(_text, column.to_pylist())), kind)
    return column.cast(kind)
