"""Finds text and number columns in Arrow tables and converts them to plain columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lstmlm.corpus.reading.datasets.class_names import named
from lstmlm.formats.arrow import pa, pc

SIZES = "bytes of text"
"""Name of the column that the reader adds."""
BYTES, PATH = "bytes", "path"
"""Fields of a column of recordings."""
_CODE = "arrow.py_extension_type"


def is_value(kind: Any) -> bool:
    """Says whether a column's values are text, numbers, truth values or lists of these, bytes, or audio."""
    kind = _stored(kind)
    if _is_list(kind):
        inner = _stored(kind.value_type)
        return is_text(inner) or _is_number(inner)
    return _is_number(kind) or is_text(kind) or pa.types.is_null(kind) or is_bytes(kind) or is_audio(kind)


def _is_number(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def is_bytes(kind: Any) -> bool:
    """Says whether values are bytes that are no text."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def is_audio(kind: Any) -> bool:
    """Says whether values are what `datasets` keeps of a recording: its bytes, or the path of its file."""
    if not pa.types.is_struct(kind) or {field.name for field in kind} != {BYTES, PATH}:
        return False
    return is_bytes(kind.field(BYTES).type) and is_text(kind.field(PATH).type)


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
    """Returns the type of a column, or of a field inside a column of structs (`translation.en`); None without one.

    Inside a column of lists of structs (`answers.text`) a field has lists of values.
    """
    if name in schema.names:
        return schema.field(schema.names.index(name)).type
    fields: Any = schema
    found, within_list = None, False
    for part in name.split("."):
        names = [field.name for field in fields]
        if part not in names:
            return None
        found = fields[names.index(part)].type
        inner = found
        if _is_list(found) and pa.types.is_struct(found.value_type) and not within_list:
            inner, within_list = found.value_type, True
        fields = inner if pa.types.is_struct(inner) else ()
    return pa.large_list(found) if within_list and not _is_list(found) else found


def read_as(schema: Any, name: str) -> str:
    """Returns what is read of a file for a column that `find_column` finds: within a list, the whole outer column."""
    if name in schema.names:
        return name
    parts = name.split(".")
    outer = (".".join(parts[:end]) for end in range(1, len(parts)))
    return next((part for part in outer if _is_list(find_column(schema, part))), name)


def column_of(batch: Any, name: str) -> Any:
    """Returns a column, or a field inside a column of structs, that `find_column` finds."""
    if name in batch.schema.names:
        return batch.column(batch.schema.names.index(name))
    first, *rest = name.split(".")
    column = batch.column(batch.schema.names.index(first))
    for part in rest:
        column = _field(column, part)
    return column


def _field(column: Any, name: str) -> Any:
    if not _is_list(column.type):
        return pc.struct_field(column, [column.type.get_field_index(name)])
    # The values of a slice begin where the slice does, and so do the offsets then.
    values, counts = column.flatten(), pc.list_value_length(column)
    ends = np.cumsum(np.asarray(counts.fill_null(0), np.int64))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int64(), mask=np.append(np.asarray(counts.is_null()), False))
    return pa.LargeListArray.from_arrays(offsets, _field(values, name))


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
    elif is_bytes(array.type):
        array.validate(full=True)
    elif is_audio(array.type):
        # One value is one thing: its bytes, or where there are none the path, as bytes of text.
        found = [pc.struct_field(array, [array.type.get_field_index(name)]) for name in (BYTES, PATH)]
        found[1].view(pa.binary() if pa.types.is_string(found[1].type) else pa.large_binary()).validate(full=True)
        array.validate(full=False)
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


def with_names(array: Any, names: Sequence[str]) -> Any:
    """Returns an array of numbers of classes, or of lists of them, as text: their names; null for what is no class."""
    several = _is_list(array.type)
    if not pa.types.is_integer(array.type.value_type if several else array.type):
        return array
    kind = pa.large_list(pa.large_string()) if several else pa.large_string()
    found = (named(value, names) for value in array.to_pylist())
    return pa.array([_all_text(value) for value in found], kind)


def _all_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_all_text(part) for part in value]
    return None if value is None else str(value)


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
    if is_text(array.type) or is_bytes(array.type):
        return _lengths(array)
    if is_audio(array.type):
        return sum((_lengths(pc.struct_field(array, [place])) for place in (0, 1)), np.zeros(len(array), np.int64))
    if _is_list(array.type) and is_text(array.type.value_type):
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
