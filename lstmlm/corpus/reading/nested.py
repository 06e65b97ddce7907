"""Reads nested keys of JSON objects: `translation.en` is the value of `en` in that of `translation`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lstmlm.corpus.reading.rows import Row


def nested_rows(rows: Iterable[Row], columns: Sequence[str]) -> Iterable[Row]:
    """Returns the rows with the values of keys that are written with dots, where the object has no such key itself.

    Args:
        rows: Rows of JSON objects.
        columns: The keys that are needed.
    """
    dotted = [column for column in columns if "." in column]
    return _with_nested(rows, dotted) if dotted else rows


def _with_nested(rows: Iterable[Row], dotted: Sequence[str]) -> Iterator[Row]:
    for row in rows:
        if row.fields is None:
            yield row
            continue
        found = {name: value_of(row.fields, name) for name in dotted if _has(row.fields, name)}
        yield row._replace(fields={**row.fields, **found})


def _has(fields: Mapping[str, Any], name: str) -> bool:
    return name not in fields and _parent(fields, name) is not None


def _parent(fields: Mapping[str, Any], name: str) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Returns the innermost object that has the last key, or a list of such objects."""
    *outer, last = name.split(".")
    inner: Any = fields
    for key in outer:
        inner = inner.get(key) if isinstance(inner, dict) else None
    several = isinstance(inner, list) and all(isinstance(part, dict) and last in part for part in inner)
    return inner if several or (isinstance(inner, dict) and last in inner) else None


def value_of(fields: Mapping[str, Any], name: str) -> Any:
    """Returns the value of a key, or of a key inside other keys; None where there is none.

    Inside a list of objects (`answers: [{"text": ...}, ...]`), it is the list of their values.
    """
    if name in fields:
        return fields[name]
    parent, last = _parent(fields, name), name.rpartition(".")[2]
    if isinstance(parent, list):
        return [part[last] for part in parent]
    return None if parent is None else parent[last]
