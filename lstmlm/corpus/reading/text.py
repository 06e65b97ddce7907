"""Rows of .txt and .jsonl files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from lstmlm.corpus.reading.lines import RawLine
from lstmlm.corpus.reading.rows import BLANK, Row, not_utf8

_LARGEST_EXACT = 2.0**63
MOST_DEPTH = 200
_DEEP = f"nested more than {MOST_DEPTH} levels deep"


def text_rows(lines: Iterable[RawLine], column: str) -> Iterator[Row]:
    """Yields each line as a row of one field; lines of white space are dropped as blank."""
    for number, data, problem in lines:
        if problem:
            yield Row(number, 0, None, problem)
            continue
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Row(number, len(data), None, not_utf8(error))
            continue
        if not text or text.isspace():
            yield Row(number, len(data), None, "", BLANK)
        else:
            yield Row(number, len(data), {column: text})


def paragraph_rows(lines: Iterable[RawLine], limit: int, column: str) -> Iterator[Row]:
    """Yields each run of lines that are not blank as a row of one field, its lines separated by line feeds.

    A paragraph with a line that cannot be used is dead as a whole, and so is one longer than `limit` bytes.
    """
    paragraph = _Paragraph(limit, column)
    for row in text_rows(lines, column):
        if row.dropped:
            yield from paragraph.close()
        else:
            paragraph.add(row)
    yield from paragraph.close()


class _Paragraph:
    def __init__(self, limit: int, column: str) -> None:
        self._limit, self._column = limit, column
        self._clear()

    def _clear(self) -> None:
        self._texts: list[str] = []
        self._first, self._size, self._dead = 0, 0, ""

    def add(self, row: Row) -> None:
        self._first = self._first or row.line
        self._size += row.size + 1
        too_long = f"longer than {self._limit} bytes" if self._size - 1 > self._limit else ""
        self._dead = self._dead or row.dead or too_long
        if self._dead:
            self._texts = []
        elif row.fields is not None:
            self._texts.append(row.fields[self._column])

    def close(self) -> Iterator[Row]:
        if self._first:
            fields = None if self._dead else {self._column: "\n".join(self._texts)}
            yield Row(self._first, self._size - 1, fields, self._dead)
        self._clear()


def json_rows(lines: Iterable[RawLine], needed: Sequence[str] = ()) -> Iterator[Row]:
    """Yields each line's JSON object as a row; `needed` are the keys whose whole numbers must be exact."""
    parse = orjson.loads
    for number, data, problem in lines:
        if problem:
            yield Row(number, 0, None, problem)
            continue
        try:
            value = parse(data)
        except orjson.JSONDecodeError:
            yield _unusual(number, data)
            continue
        if type(value) is not dict:
            yield Row(number, len(data), None, "not a JSON object")
        elif data.count(b"[") + data.count(b"{") > MOST_DEPTH and _is_deep(value):
            yield Row(number, len(data), None, _DEEP)
        elif any(_is_rounded(value.get(key)) for key in needed):
            yield _unusual(number, data)
        else:
            yield Row(number, len(data), value)


def _is_deep(value: Any) -> bool:
    """Says whether values are nested deeper than what writes them again could follow."""
    level = [value]
    for _ in range(MOST_DEPTH):
        inner = (part.values() if isinstance(part, dict) else part for part in level if isinstance(part, dict | list))
        level = [part for parts in inner for part in parts]
        if not level:
            return False
    return True


def _is_rounded(value: Any) -> bool:
    # orjson makes a float of a whole number beyond 64 bits, and two ids become one.
    return type(value) is float and abs(value) >= _LARGEST_EXACT


def _unusual(number: int, data: bytes) -> Row:
    """Classifies a line that orjson refuses: blank, no text, more lenient JSON (`NaN`), or broken."""
    size = len(data)
    try:
        text = data.decode("utf-8")
        if not text.strip():
            return Row(number, size, dropped=BLANK)
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # a lone \ud800 parses, but is no text
    except UnicodeDecodeError as error:
        return Row(number, size, dead=not_utf8(error))
    except UnicodeEncodeError:
        return Row(number, size, dead="holds half of a surrogate pair")
    except (ValueError, RecursionError):
        return Row(number, size, dead="broken JSON")
    if not isinstance(value, dict):
        return Row(number, size, dead="not a JSON object")
    if _is_deep(value):
        return Row(number, size, dead=_DEEP)
    return Row(number, size, value)
