"""Outputs as parquet tables, all shards with the same columns and types.

Parts are written by workers that do not know of each other, and a column that is passed on from the input may hold
anything. So the types are settled when the parts are joined: numbers and text stay what they are where all of a column
are of one kind; a column of several kinds becomes text, with what is not text as JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstmlm.formats.arrow import pa, pq
from lstmlm.inference.output.format import OutputFormat, Row
from lstmlm.inference.output.lines import as_json
from lstmlm.publish.folder import replacing
from lstmlm.task import OutputColumn

Columns = Mapping[str, pa.DataType]
"""Type by name, in the order of the columns."""

ID = "id"


class Tables(OutputFormat):
    """A table per shard."""

    extension = "parquet"

    def write_part(self, path: Path, rows: Sequence[Row]) -> None:
        """See `OutputFormat`."""
        names = dict.fromkeys(name for row in rows for name in row)
        arrays = [_array(name, [row.get(name) for row in rows]) for name in names]
        with replacing(path) as stream:
            pq.write_table(pa.table(arrays, names=list(names)), stream)

    def common(self, parts: Iterable[Path], schema: Mapping[str, OutputColumn]) -> Columns:
        """See `OutputFormat`: the columns that hold what all parts have; without any, those that all outputs have."""
        found: dict[str, pa.DataType] = {}
        for part in parts:
            with part.open("rb") as stream:
                schema_of_part = pq.read_schema(stream)
            for field in schema_of_part:
                found[field.name] = _common(field.name, found.get(field.name, pa.null()), field.type)
        found = found or {name: _of(column) for name, column in schema.items() if column.always}
        found = {name: found[name] for name in dict.fromkeys([*schema, *found]) if name in found}
        # A column in which nothing was ever given has no type of its own.
        return {name: pa.string() if pa.types.is_null(kind) else kind for name, kind in found.items()}

    def join(self, parts: Sequence[Path], path: Path, common: Columns) -> int:
        """See `OutputFormat`: a row group per part."""
        schema = pa.schema(list(common.items()))
        rows = 0
        with replacing(path) as stream, pq.ParquetWriter(stream, schema) as writer:
            for part in parts:
                with part.open("rb") as source:
                    table = pq.read_table(source)
                arrays = [_as(table, name, kind) for name, kind in common.items()]
                writer.write_table(pa.table(arrays, schema=schema))
                rows += table.num_rows
        return rows

    def read(self, path: Path) -> Iterator[dict[str, Any]]:
        """See `OutputFormat`."""
        with path.open("rb") as stream:
            for batch in pq.ParquetFile(stream).iter_batches():
                yield from batch.to_pylist()


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
    return value if value is None or isinstance(value, str) else as_json(value)


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


FORMAT = Tables()
