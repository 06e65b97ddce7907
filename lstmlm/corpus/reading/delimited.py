"""Rows of .tsv files (no quoting) and .csv files (RFC 4180: quotes, and line feeds within them)."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.lines import RawLine
from lstmlm.corpus.reading.rows import BLANK, Row, check_columns, not_utf8
from lstmlm.errors import UserError

_SEPARATORS = ",;\t|"
_NAME = re.compile(r"[\w.-]+")
_HEADER = "starts with a row of column names"


def is_header(text: str, separator: str, column: str) -> bool:
    """Says whether the first line of a text names columns, that one among them, with a separator between them."""
    lines = text.splitlines()
    names = [name.strip('" ') for name in lines[0].split(separator)] if lines else []
    return len(names) > 1 and column in names and all(map(_NAME.fullmatch, names))


def tsv_columns(line: RawLine | None, path: str, needed: Sequence[str], delimiter: str = "\t") -> list[str]:
    """Returns the columns that the first line of a .tsv file names.

    Raises:
        UserError: It is no header with the needed columns.
    """
    hint = f"A .tsv file {_HEADER}, separated by tabs"
    if line is None:  # a part of a table that got no rows
        return []
    if line.problem:
        raise UserError(f"unusable header row: {line.problem}", where=f"{path}:1", hint=hint)
    try:
        text = line.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError("the header row is not UTF-8", where=f"{path}:1", hint=hint) from error
    columns = text.split(delimiter)
    check_columns(columns, needed, f"{path}:1", _advice(text, columns, delimiter))
    return columns


def tsv_rows(lines: Iterator[RawLine], columns: Sequence[str], delimiter: str = "\t") -> Iterator[Row]:
    """Yields the lines after the header; an empty line is dropped, a line of only tabs is a row of empty columns."""
    width = len(columns)
    for number, data, problem in lines:
        if problem:
            yield Row(number, 0, None, problem)
            continue
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Row(number, len(data), None, not_utf8(error))
            continue
        values = text.split(delimiter)
        if not text:
            yield Row(number, 0, None, "", BLANK)
        elif len(values) != width:
            yield Row(number, len(data), None, _width(len(values), width))
        else:
            yield Row(number, len(data), dict(zip(columns, values, strict=True)))


def csv_rows(
    lines: Iterator[RawLine],
    limit: int,
    path: str,
    needed: Sequence[str],
    delimiter: str | None = None,
    names: Sequence[str] = (),
) -> Iterator[Row]:
    """Yields the rows after the header, each with the number of the line it begins on.

    A row longer than `limit` bytes is dead at that length and the next line begins a new one, so a quote that is
    never closed does not swallow the file.

    Args:
        lines: The lines with their carriage returns.
        limit: Bytes a row may have, without its end.
        path: The file, for messages.
        needed: Columns that must be there.
        delimiter: What separates the columns; None: see `_csv_delimiter`.
        names: The columns of a file without a header; empty: its first row names them.

    Raises:
        UserError: The first line is no header with the needed columns.
    """
    found, lines = _csv_delimiter(lines, needed, names)
    delimiter = delimiter or found
    rows = _csv_records(lines, limit, delimiter)
    columns = list(names)
    if names:
        check_columns(columns, needed, path)
    else:
        hint = f"A .csv file {_HEADER}"
        header = next(rows, None)
        if header is None:  # a part of a table that got no rows
            return
        _, _, columns, problem = header
        if problem or not columns:
            raise UserError(f"unusable header row: {problem or 'blank'}", where=f"{path}:1", hint=hint)
        check_columns(columns, needed, f"{path}:1", _advice(delimiter.join(columns), columns, delimiter))
    width = len(columns)
    for number, (line, size, values, problem) in enumerate(rows):
        if names and not number:
            refuse_header(values, names, path)
        if problem:
            yield Row(line, size, None, problem)
        elif not values:
            yield Row(line, size, None, "", BLANK)
        elif len(values) != width:
            yield Row(line, size, None, _width(len(values), width))
        else:
            yield Row(line, size, dict(zip(columns, values, strict=True)))


def _width(found: int, expected: int) -> str:
    return f"wrong number of columns: {found}, and the header has {expected}"


class _Unusable(Exception):
    """A line within a record that cannot be used; the message is the reason."""


class _Feed:
    """Hands the lines of one record after the other to the csv module, and says what it read."""

    def __init__(self, lines: Iterator[RawLine], limit: int) -> None:
        self._lines, self._limit = lines, limit
        self.begin_record()

    def begin_record(self) -> None:
        self.first, self.size, self.problem = 0, 0, ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        number, data, problem = next(self._lines)
        self.first = self.first or number
        self.size += len(data) + 1
        if problem:
            raise _Unusable(problem)
        if self.size - 1 > self._limit + data.endswith(b"\r"):
            raise _Unusable(f"longer than {self._limit} bytes")
        try:
            return data.decode("utf-8") + "\n"
        except UnicodeDecodeError as error:
            # The record continues to its end: a quoted field may be open.
            self.problem = self.problem or not_utf8(error)
            return data.decode("utf-8", "replace") + "\n"


def _advice(text: str, columns: Sequence[str], delimiter: str) -> str:
    """Returns what to do about a first line without the needed columns, as it looks."""
    others = {one: len(text.split(one)) for one in _SEPARATORS if one != delimiter}
    likely = max(others, key=lambda one: others[one])
    if len(columns) == 1 and others[likely] > 1:
        return f"It looks separated by {likely!r}: set corpus.delimiter (of the batch job's input inference.delimiter)"
    if len(columns) > 1 and not all(map(_NAME.fullmatch, columns)):
        return (
            "It looks like a row, not a header: set corpus.columns (of the batch job's input inference.columns) to "
            f"the names of its {len(columns)} columns"
        )
    return ""


def refuse_header(values: Sequence[str], names: Sequence[str], path: str) -> None:
    """Refuses a file whose first row is the names that the recipe gives its columns: it would become a record.

    Raises:
        UserError: It is.
    """
    if list(values) == list(names):
        what = "the first line names the columns, and so does the recipe"
        raise UserError(what, where=f"{path}:1", hint="Leave out `columns`, or remove the line")


def _csv_delimiter(
    lines: Iterator[RawLine], needed: Sequence[str], names: Sequence[str]
) -> tuple[str, Iterator[RawLine]]:
    """Returns what separates the columns, and the lines from the header on.

    Excel writes the list separator of its country, at times with a line `sep=;` before the header. Elsewhere the
    first of the usual separators is taken by which the header has the needed columns; of a file without a header, by
    which its first line has as many as have names.
    """
    first = next(lines, None)
    if first is None:
        return ",", lines
    text = first.data.decode("utf-8", "replace").strip()
    if text.lower().startswith("sep=") and len(text) == 5:
        return text[4], lines
    if names:
        fitting = (one for one in _SEPARATORS if len(_header(text, one)) == len(names))
    else:
        fitting = (one for one in _SEPARATORS if set(needed) <= set(_header(text, one)))
    return next(fitting, ","), itertools.chain([first], lines)


def _header(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []  # the reader of all records says what is wrong


def _csv_records(lines: Iterator[RawLine], limit: int, delimiter: str) -> Iterator[tuple[int, int, list[str], str]]:
    """Yields (first line, bytes, values, problem) of each record."""
    csv.field_size_limit(max(csv.field_size_limit(), limit))  # the length of a row is what bounds a field
    feed = _Feed(lines, limit)
    records = csv.reader(
        feed, strict=True, delimiter=delimiter
    )  # lenient, it would take an unclosed quote for the end of the file
    while True:
        feed.begin_record()
        values: list[str] = []
        try:
            values = next(records)
        except StopIteration:
            return
        except csv.Error as error:
            feed.problem = feed.problem or f"broken CSV: {error}"
        except _Unusable as problem:
            feed.problem = str(problem)
        yield feed.first, max(0, feed.size - 1), values, feed.problem
