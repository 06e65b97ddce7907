"""Which columns of a corpus could be an input, an output or a label."""

from __future__ import annotations

from collections.abc import Sequence

from lstmlm.cli.init.look import Column, Look

IDS = ("id", "uuid", "guid", "key", "index")
LABELS = ("label", "labels", "class", "category", "sentiment", "target", "spans", "intent")
_MOST_LABELS = 200


def texts(seen: Look) -> list[Column]:
    """Returns the columns of text, in their order."""
    return [one for one in seen.columns.values() if one.kind == "text" and one.name not in IDS]


def outputs(seen: Look) -> list[Column]:
    """Returns the columns of text or of several texts, in their order."""
    return [one for one in seen.columns.values() if one.kind in ("text", "texts") and one.name not in IDS]


def input_column(seen: Look, source: str | None) -> Column | None:
    """Returns the column of the input: the one that is named, else that of the longest texts."""
    return seen.columns[source] if source else max(texts(seen), key=lambda one: one.words, default=None)


def likely_first(columns: Sequence[Column], names: Sequence[str] = LABELS) -> list[Column]:
    """Returns columns, those with a usual name first."""
    return sorted(columns, key=lambda one: names.index(one.name.lower()) if one.name.lower() in names else len(names))


def is_label(column: Column, *, given: bool) -> bool:
    """Says whether a column holds labels: few values that come again and again, or spans."""
    if column.kind == "spans":
        return True
    if column.kind == "other" or column.name in IDS or not column.values:
        return False
    different = len({str(one) for value in column.values for one in (value if isinstance(value, list) else [value])})
    few = different <= _MOST_LABELS and different * 10 <= max(20, len(column.values))
    return few and column.words < 4 and (column.kind != "number" or given or column.name.lower() in LABELS)
