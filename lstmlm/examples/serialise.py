"""Rows of features as serialized `tf.train.Example`, many at once: token ids the fast way, other numbers by NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lstmlm.records.protobuf import FIELD_1, FIELD_2, FIELD_3, field, packed_varints, varint
from lstmlm.tokenizer.rows import TokenRows

if TYPE_CHECKING:
    from lstmlm.task.values import Values


def int64_examples(features: Mapping[str, TokenRows]) -> list[bytes]:
    """Returns an example for each row, with int64 features: what TensorFlow would write, byte for byte.

    Args:
        features: Name -> rows, as many for every feature.
    """
    columns = [_entries(name, rows) for name, rows in sorted(features.items())]
    entries = columns[0] if len(columns) == 1 else [b"".join(row) for row in zip(*columns, strict=True)]
    heads = {length: FIELD_1 + varint(length) for length in set(map(len, entries))}
    return [heads[len(entry)] + entry for entry in entries]


def serialized_examples(features: Mapping[str, Values]) -> list[bytes]:
    """Returns an example for each row, with int64 and float features; see `lstmlm.task.Values`.

    Args:
        features: Name -> rows, as many for every feature. Of an array with more dimensions the values are stored one
            after the other; `Task.features` says its shape.
    """
    rows = {name: values for name, values in features.items() if isinstance(values, TokenRows)}
    if len(rows) == len(features):
        return int64_examples(rows)
    columns = [
        _entries(name, values) if isinstance(values, TokenRows) else [_entry(name, np.asarray(row)) for row in values]
        for name, values in sorted(features.items())
    ]
    return [field(FIELD_1, b"".join(row)) for row in zip(*columns, strict=True)]


def _entry(name: str, values: npt.NDArray[Any]) -> bytes:
    """Returns the map entry of a feature of one row.

    Raises:
        TypeError: The values are no numbers.
    """
    if np.issubdtype(values.dtype, np.floating):
        content, tag = values.astype("<f4").tobytes(), FIELD_2  # float_list
    elif np.issubdtype(values.dtype, np.integer) or values.dtype == np.bool_:
        content, tag = b"".join(varint(int(value) % 2**64) for value in values.ravel()), FIELD_3  # int64_list
    else:
        raise TypeError(f"feature {name!r} holds {values.dtype}, and an example holds whole numbers and floats")
    feature = field(tag, field(FIELD_1, content) if content else b"")
    return field(FIELD_1, field(FIELD_1, name.encode("utf-8")) + field(FIELD_2, feature))


def _entries(name: str, rows: TokenRows) -> list[bytes]:
    """Returns the map entry of a feature for each row."""
    packed, offsets = packed_varints(rows.ids)
    starts, ends = offsets[rows.starts], offsets[rows.ends]
    heads = {length: _head(name, length) for length in set((ends - starts).tolist())}
    return [heads[end - start] + packed[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _head(name: str, length: int) -> bytes:
    """Returns the head of a map entry before `length` bytes of packed numbers."""
    numbers = FIELD_1 + varint(length) if length else b""
    feature = FIELD_3 + varint(len(numbers) + length) + numbers
    value = FIELD_2 + varint(len(feature) + length) + feature
    key = field(FIELD_1, name.encode("utf-8"))
    return FIELD_1 + varint(len(key) + len(value) + length) + key + value
