"""Finds text and number columns in Arrow tables and converts them to plain columns."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.formats.arrow import pa, pc

SIZES = "bytes of text"
"""Name of the column that the reader adds."""
_CODE = "arrow.py_extension_type"


def is_value(kind: Any) -> bool:
    """Says whether a column's values are text, numbers, truth values or lists of text."""
    kind = _stored(kind)
    if _is_list(kind):
        return is_text(_stored(kind.value_type))
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return number or is_text(kind) or pa.types.is_null(kind)


def is_text(kind: Any) -> bool:
    """Says whether values are text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind)


def _is_view(kind: Any) -> bool:
    return hasattr(pa.types, "is_string_view") and pa.types.is_string_view(kind)


def _is_list(kind: Any) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _stored(kind: Any) -> Any:
    """Returns what values are, without the dictionary or the name of a type they are kept under."""
    while True:
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        elif isinstance(kind, pa.BaseExtensionType):
            kind = kind.storage_type
        else:
            return kind


def find_column(schema: Any, name: str) -> Any:
    """Returns the type of a column, or of a field inside a column of structs (`translation.en`); None without one."""
    if name in schema.names:
        return schema.field(schema.names.index(name)).type
    fields: Any = schema
    found = None
    for part in name.split("."):
        names = [field.name for field in fields]
        if part not in names:
            return None
        found = fields[names.index(part)].type
        fields = found if pa.types.is_struct(found) else ()
    return found


def column_of(batch: Any, name: str) -> Any:
    """Returns a column, or a field inside a column of structs, that `find_column` finds."""
    if name in batch.schema.names:
        return batch.column(batch.schema.names.index(name))
    first, *rest = name.split(".")
    column = batch.column(batch.schema.names.index(first))
    for part in rest:
        column = pc.struct_field(column, [column.type.get_field_index(part)])
    return column


def plain(array: Any) -> Any:
    """Returns an array of values as text, numbers or lists of text, whose offsets are within their data.

    Raises:
        pa.ArrowException: They are not.
    """
    while _stored(array.type) != array.type:
        array = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array.storage
    if _is_list(array.type):
        inner = _stored(array.type.value_type)
        array = array.cast(pa.large_list(pa.large_string() if is_text(inner) else inner))
    elif _is_view(array.type):
        array = array.cast(pa.large_string())
    elif pa.types.is_float16(array.type):
        array = array.cast(pa.float32())
    # As bytes: that text is not UTF-8 is found later, row by row.
    if is_text(array.type):
        array.view(pa.binary() if pa.types.is_string(array.type) else pa.large_binary()).validate(full=True)
    elif _is_list(array.type) and is_text(array.type.value_type):
        array.cast(pa.large_list(pa.large_binary())).validate(full=True)
    return array


def as_text(array: Any) -> Any:
    """Returns an array of other values (times, decimals, bytes, objects) as text: objects and lists as JSON."""
    return pa.array([_text(value) for value in array.to_pylist()], pa.large_string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=_text)
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def text_sizes(array: Any) -> npt.NDArray[np.int64]:
    """Returns the bytes of text of each value of a plain array, int64 [rows]."""
    if is_text(array.type):
        return _lengths(array)
    if _is_list(array.type):
        ends = np.concatenate([[0], np.cumsum(_lengths(array.values))])
        offsets = np.asarray(array.offsets)
        return ends[offsets[1:]] - ends[offsets[:-1]]
    return np.zeros(len(array), np.int64)


def _lengths(array: Any) -> npt.NDArray[np.int64]:
    return np.asarray(pc.binary_length(array).fill_null(0), np.int64)


def runs_code(fields: Iterable[Any]) -> bool:
    """Says whether a column is of a type that pyarrow made of pickled Python objects."""
    for field in fields:
        kind = field.type
        name = (field.metadata or {}).get(b"ARROW:extension:name", b"").decode("utf-8", "replace")
        if _CODE in (name, getattr(kind, "extension_name", "")):
            return True
        if runs_code(_children(kind)):
            return True
    return False


def _children(kind: Any) -> list[Any]:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if _is_list(kind):
        return [kind.value_field]
    if pa.types.is_map(kind):
        return [kind.key_field, kind.item_field]
    return [kind[place] for place in range(kind.num_fields)] if pa.types.is_struct(kind) else []
