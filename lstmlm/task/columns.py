"""Texts of the columns of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lstmlm.task.values import BadRecord, BlankRecord


def text_of(row: Mapping[str, Any], column: str) -> str:
    """Returns the text of a column.

    Raises:
        BlankRecord: It is null or white space.
        BadRecord: There is no such column, or it is not text.
    """
    if column not in row:
        known = ", ".join(map(repr, row))
        raise BadRecord(f"no column {column!r} (there are {known})")
    value = row[column]
    if is_blank(value):
        raise BlankRecord(f"column {column!r} is empty")
    if not isinstance(value, str):
        raise BadRecord(f"column {column!r} is not text")
    return value


def request_text(row: Mapping[str, Any], key: str, *, may_be_empty: bool = False) -> str:
    """Returns the text of a key of the batch job's input.

    Raises:
        BadRecord: There is no such key, it is not text, or it is empty and must not be.
    """
    if key not in row:
        raise BadRecord(f"no field {key!r} (there are {', '.join(map(repr, row)) or 'none'})")
    value = row[key]
    if not isinstance(value, str):
        raise BadRecord(f"field {key!r} is not text")
    if not may_be_empty and not value.strip():
        raise BadRecord(f"field {key!r} is empty")
    return value


def is_blank(value: Any) -> bool:
    """Says whether a value is no text: null, white space, or the number that tables write for null."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value
