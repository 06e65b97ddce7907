"""Columns of a record next to its source and targets: their values, how they are stored, and spans of texts."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """A part of a text of the same record.

    Attributes:
        start: Index of its first character.
        end: Index behind its last.
        of: The text: `source`, or the name of a column.
    """

    start: int
    end: int
    of: str = "source"


Value = str | bytes | int | float | Span | tuple[str, ...] | tuple[int, ...] | tuple[float, ...]
"""What a column holds. Numbers come back as they were written: float64 and int64."""


def moved_span(span: Span, old: str, new: str, clean: Callable[[str], str]) -> Span | None:
    """Returns where a span of a text is in the cleaned text: of equal parts the one nearest to where it should be.

    Args:
        span: The span of the old text.
        old: The text before.
        new: The text after.
        clean: What was done to it.

    Returns:
        None where the cleaned text does not hold the cleaned span, or nothing is left of that.
    """
    if new == old:
        return span
    part = clean(old[span.start : span.end])
    if not part:
        return None
    expected = max(0, len(clean(old[: span.end])) - len(part))
    before, after = new.rfind(part, 0, expected + len(part)), new.find(part, expected)
    places = [place for place in (before, after) if place >= 0]
    if not places:
        return None
    start = min(places, key=lambda place: abs(place - expected))
    return Span(start, start + len(part), span.of)


def stored(value: Value) -> tuple[str, list[bytes]]:
    """Returns the kind of a value, and what is stored of it: text, bytes, or packed little-endian numbers.

    Raises:
        TypeError: It is of no kind that a column can hold.
    """
    if isinstance(value, str):
        return "text", [value.encode("utf-8")]
    if isinstance(value, bytes):
        return "bytes", [value]
    if isinstance(value, Span):
        return "span", [struct.pack("<2q", value.start, value.end), value.of.encode("utf-8")]
    if isinstance(value, bool) or not isinstance(value, int | float | tuple):
        raise TypeError(f"a column cannot hold {type(value).__name__}")
    if isinstance(value, int):
        return "int", [struct.pack("<q", value)]
    if isinstance(value, float):
        return "float", [struct.pack("<d", value)]
    if all(isinstance(part, str) for part in value):
        return "texts", [str(part).encode("utf-8") for part in value]
    if any(isinstance(part, bool) or not isinstance(part, int | float) for part in value):
        raise TypeError("a column cannot hold values of several kinds")
    if all(isinstance(part, int) for part in value):
        return "ints", [struct.pack(f"<{len(value)}q", *value)]
    return "floats", [struct.pack(f"<{len(value)}d", *value)]


def restored(kind: str, values: Sequence[bytes]) -> Value:
    """Returns the value that `stored` wrote.

    Raises:
        ValueError: There is no such kind, or the bytes are of another.
    """
    try:
        if kind == "text":
            return values[0].decode("utf-8")
        if kind == "texts":
            return tuple(value.decode("utf-8") for value in values)
        if kind == "bytes":
            return values[0]
        if kind == "span":
            start, end = struct.unpack("<2q", values[0])
            return Span(start, end, values[1].decode("utf-8"))
        numbers = struct.unpack(f"<{len(values[0]) // 8}{'q' if kind.startswith('int') else 'd'}", values[0])
        if kind in ("int", "float"):
            return numbers[0]
        if kind in ("ints", "floats"):
            return numbers
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a column of kind {kind}") from error
    raise ValueError(f"no column is of kind {kind!r}")
