"""Names of classes that Hugging Face's data sets store as numbers (`ClassLabel`).

They are in the schema of a parquet or Arrow file, or next to text files: in the `dataset_info.json` that
`save_to_disk` writes, or in the metadata of the data set's card, `README.md`.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lstmlm.corpus.reading.nested import value_of
from lstmlm.corpus.reading.rows import Row
from lstmlm.formats.yaml_bounds import check_bounds

ClassNames = tuple[tuple[str, tuple[str, ...]], ...]
"""Column, written with dots where it is nested, and the names of its classes in the order of their numbers."""

FACTS, CARD = "dataset_info.json", "README.md"
SCHEMA_KEY = b"huggingface"
_MOST_BYTES = 4_000_000


def in_schema(metadata: Mapping[bytes, bytes] | None) -> dict[str, tuple[str, ...]]:
    """Returns the names that the metadata of an Arrow schema holds; none where there are none, or they are damaged."""
    try:
        content = json.loads((metadata or {}).get(SCHEMA_KEY, b"null"))
        return dict(_of_features(content["info"]["features"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def next_to(path: str, name: str) -> ClassNames:
    """Returns the names that a file next to a local corpus file, or above it up to the root, gives.

    Args:
        path: The corpus file.
        name: Its name below the root, with forward slashes: so many folders are looked at.
    """
    folder = os.path.dirname(path)
    for _ in range(name.count("/") + 1):
        for facts in (FACTS, CARD):
            place = os.path.join(folder, facts)
            try:
                status = os.stat(place)
            except OSError:
                continue
            if status.st_size <= _MOST_BYTES and (found := _in_file(place, status.st_mtime_ns, status.st_size)):
                return found
        folder = os.path.dirname(folder)
    return ()


@functools.lru_cache(maxsize=1000)
def _in_file(path: str, changed: int, size: int) -> ClassNames:
    try:
        text = Path(path).read_text(encoding="utf-8")
        found = _in_facts(text) if path.endswith(FACTS) else _in_card(text)
        return tuple(sorted(found))
    # What is not as the library writes it says nothing about classes.
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, yaml.YAMLError):
        return ()


def _in_facts(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return list(_of_features(json.loads(text)["features"]))


def _in_card(text: str) -> list[tuple[str, tuple[str, ...]]]:
    if not text.startswith("---\n"):
        return []
    front = text[4:].partition("\n---")[0]
    check_bounds(front)
    info = yaml.safe_load(front)["dataset_info"]
    several = info if isinstance(info, list) else [info]
    # Several configurations may name one column; where they differ, none of them is right for all.
    found: dict[str, set[tuple[str, ...]]] = {}
    for one in several:
        for column, names in _of_entries(one["features"]):
            found.setdefault(column, set()).add(names)
    return [(column, next(iter(names))) for column, names in found.items() if len(names) == 1]


def _of_features(features: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields what features say as the library writes them to JSON."""
    for name, kind in features.items():
        inner = kind
        while isinstance(inner, Mapping) and isinstance(inner.get("feature"), Mapping):  # Sequence, List
            inner = inner["feature"]
        if isinstance(inner, list) and len(inner) == 1:
            inner = inner[0]
        if not isinstance(inner, Mapping):
            continue
        if inner.get("_type") == "ClassLabel":
            yield f"{prefix}{name}", tuple(map(str, inner["names"]))
        elif "_type" not in inner:
            yield from _of_features(inner, f"{prefix}{name}.")


def _of_entries(entries: Sequence[Mapping[str, Any]], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yields what features say as a card writes them: a list of names and types."""
    for entry in entries:
        kind = entry.get("dtype") or entry.get("sequence") or entry.get("list") or entry.get("struct")
        if isinstance(kind, Mapping) and "class_label" in kind:
            names = kind["class_label"]["names"]
            ordered = [names[key] for key in sorted(names, key=int)] if isinstance(names, Mapping) else names
            yield f"{prefix}{entry['name']}", tuple(map(str, ordered))
        elif isinstance(kind, list):
            yield from _of_entries(kind, f"{prefix}{entry['name']}.")


def named(value: Any, names: Sequence[str]) -> Any:
    """Returns the names of a class or of a list of them; null for -1, which is no class; other values as they are."""
    if isinstance(value, list):
        return [named(part, names) for part in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    if value == -1:
        return None
    return names[value] if 0 <= value < len(names) else value


def named_rows(rows: Iterable[Row], classes: ClassNames, needed: Sequence[str]) -> Iterable[Row]:
    """Returns rows with the names of classes in the columns that are needed."""
    wanted = [(column, names) for column, names in classes if column in needed]
    return _with_names(rows, wanted) if wanted else rows


def _with_names(rows: Iterable[Row], wanted: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Row]:
    for row in rows:
        if row.fields is None:
            yield row
            continue
        found = {column: named(value_of(row.fields, column), names) for column, names in wanted}
        yield row._replace(fields={**row.fields, **found})
