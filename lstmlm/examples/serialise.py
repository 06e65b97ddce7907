"""Rows of token ids as serialized `tf.train.Example`, many at once."""

from __future__ import annotations

from collections.abc import Mapping

from lstmlm.records.protobuf import FIELD_1, FIELD_2, FIELD_3, field, packed_varints, varint
from lstmlm.tokenizer.rows import TokenRows


def int64_examples(features: Mapping[str, TokenRows]) -> list[bytes]:
    """Returns an example for each row, with int64 features: what TensorFlow would write, byte for byte.

    Args:
        features: Name -> rows, as many for every feature.
    """
    columns = [_entries(name, rows) for name, rows in sorted(features.items())]
    entries = columns[0] if len(columns) == 1 else [b"".join(row) for row in zip(*columns, strict=True)]
    heads = {length: FIELD_1 + varint(length) for length in set(map(len, entries))}
    return [heads[len(entry)] + entry for entry in entries]


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
