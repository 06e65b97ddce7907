"""Texts of a record next to its source and targets, such as a question; the task says which columns have some."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from lstmlm.records.record import Record

FurtherTexts = Callable[[Record], Sequence[str]]
"""Returns the further texts of a record; see `Task.further_texts`."""


def no_further_texts(record: Record) -> Sequence[str]:
    """Is for records of source and targets only."""
    return ()


def with_owners(records: Sequence[Record], further: FurtherTexts) -> tuple[list[str], list[int]]:
    """Returns the further texts of records, and for each text the place of its record."""
    found = [(text, place) for place, record in enumerate(records) for text in further(record)]
    return [text for text, _ in found], [place for _, place in found]


def replaced(record: Record, changes: Mapping[str, str]) -> Record | None:
    """Returns a record some of whose texts are others now, its spans found again; None where one cannot be.

    Args:
        record: The record.
        changes: Old text -> new text.
    """
    if not record.columns:
        return dataclasses.replace(record, source=changes.get(record.source, record.source))
    return record.with_texts(lambda text: changes.get(text, text))
