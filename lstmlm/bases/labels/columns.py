"""Reads the labels of a row: one, several, or spans of a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstmlm.bases.labels.options import options_of
from lstmlm.bases.labels.words import LabelledSpan, joined_words, tagged_spans
from lstmlm.recipe.recipe import Recipe
from lstmlm.records.columns import Span, Value
from lstmlm.records.record import Record
from lstmlm.task import BadRecord, BlankRecord, text_of

LABELS, SPANS = "labels", "span_labels"
"""The column of a record with the labels of its text, and that with the labels of its spans."""
_SPAN = "span_"


def labelled_record(row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
    """Makes a record of a row: its text, and its labels in the column `labels`.

    Raises:
        BlankRecord: The text is empty.
        BadRecord: A column is missing, or what is in it is no label.
    """
    options = options_of(recipe)
    column = options.label
    if options.kind == "tokens":
        return _with_spans(row, record_id, recipe)
    text, value = text_of(row, recipe.corpus.source), _value(row, column)
    if options.kind == "one":
        return Record(record_id, text, columns={LABELS: (_label(value, column),)})
    several = value.split(options.separator) if options.separator and isinstance(value, str) else value
    if not isinstance(several, list):
        hint = "" if options.separator else " (task_options.separator separates a text)"
        raise BadRecord(f"column {column!r} is not a list of labels{hint}")
    if not several:
        raise BadRecord(f"column {column!r} has no label")
    return Record(record_id, text, columns={LABELS: tuple(dict.fromkeys(_label(one, column) for one in several))})


def labels_of(record: Record, column: str = LABELS) -> tuple[str, ...]:
    """Returns the labels of a record's text, or of its spans."""
    found = record.columns[column]
    assert isinstance(found, tuple)
    return tuple(map(str, found))


def spans_of(record: Record) -> list[LabelledSpan]:
    """Returns the labelled spans of a record's text, in their order."""
    places = [value for name, value in sorted(record.columns.items()) if name.startswith(_SPAN) and name != SPANS]
    pairs = zip(places, labels_of(record, SPANS), strict=True)
    return sorted(LabelledSpan(place.start, place.end, label) for place, label in pairs if isinstance(place, Span))


def _with_spans(row: Mapping[str, Any], record_id: str, recipe: Recipe) -> Record:
    source, column = recipe.corpus.source, options_of(recipe).label
    text = row.get(source)
    if isinstance(text, list):
        if not text:
            raise BlankRecord(f"column {source!r} is empty")
        words = [_word(word, source) for word in text]
        tags = _value(row, column)
        if not isinstance(tags, list) or len(tags) != len(words):
            raise BadRecord(f"column {column!r} is not a list of {len(words)} labels, one for each word of {source!r}")
        text, places = joined_words(words)
        spans = tagged_spans(places, [_label(tag, column) for tag in tags])
    else:
        text = text_of(row, source)
        given = _value(row, column)
        if not isinstance(given, list):
            raise BadRecord(f"column {column!r} is not a list of spans")
        spans = sorted(_spans(given, column, len(text)))
    columns: dict[str, Value] = {SPANS: tuple(span.label for span in spans)}
    columns |= {f"{_SPAN}{n:06}": Span(span.start, span.end) for n, span in enumerate(spans)}
    return Record(record_id, text, columns=columns)


def _spans(given: Sequence[Any], column: str, length: int) -> Iterator[LabelledSpan]:
    for one in given:
        parts = [one.get(name) for name in LabelledSpan._fields] if isinstance(one, dict) else one
        if not isinstance(parts, list | tuple) or len(parts) != 3 or not all(type(part) is int for part in parts[:2]):
            raise BadRecord(f"column {column!r} has a span that is not [start, end, label]")
        start, end, label = parts
        if not 0 <= start < end <= length:
            raise BadRecord(f"column {column!r} has the span {start} to {end}, and the text {length} characters")
        yield LabelledSpan(start, end, _label(label, column))


def _value(row: Mapping[str, Any], column: str) -> Any:
    if column not in row:
        raise BadRecord(f"no column {column!r} (there are {', '.join(map(repr, row))})")
    return row[column]


def _label(value: Any, column: str) -> str:
    """Returns a label as text: 1 and "1" are the same."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # as tables read a column of whole numbers in which one is missing
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        raise BadRecord(f"column {column!r} has no label")
    if not isinstance(value, str | int):
        raise BadRecord(f"column {column!r} is neither text nor a whole number")
    return str(value).strip()


def _word(value: Any, column: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRecord(f"column {column!r} has a word that is not text")
    return " ".join(value.split())
