"""Parsed rows of a corpus file, in blocks of consecutive lines."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lstmlm.corpus.lines import RawLine, raw_lines
from lstmlm.errors import UserError

BLOCK_LINES = 1000
BLOCK_BYTES = 8 << 20
BLANK = "blank"


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What became of one line.

    Attributes:
        line: Its number, counted from 1 (a .tsv header is line 1 and no row).
        size: Bytes of the line.
        fields: Column or key -> value; None where `dead` or `dropped` says why.
        dead: Why the line is malformed, or empty.
        dropped: Why the line is left out though nothing is wrong with it, or empty.
    """

    line: int
    size: int
    fields: dict[str, Any] | None = None
    dead: str = ""
    dropped: str = ""


class _Malformed(Exception):
    """A line that cannot be parsed; the message is the reason."""


def read_rows(
    path: Path, format: str, *, zipped: bool, max_line_bytes: int, text_column: str, needed: Sequence[str]
) -> Iterator[Row]:
    """Yields a row for every line of a corpus file but the header.

    Args:
        path: The file.
        format: `.txt`, `.tsv` or `.jsonl`.
        zipped: Whether it is compressed with gzip.
        max_line_bytes: A longer line is dead.
        text_column: What the single field of a .txt line is called.
        needed: Columns a .tsv header must name.

    Raises:
        UserError: The file cannot be read at all: not gzip, or a header without a needed column.
    """
    lines = raw_lines(path, max_line_bytes, zipped=zipped)
    columns = _header(next(lines, None), path, needed) if format == ".tsv" else []
    for line in lines:
        if line.problem:
            yield Row(line.number, 0, dead=line.problem)
            continue
        size = len(line.data)
        try:
            fields = _parse(line.data, format, columns, text_column)
        except _Malformed as problem:
            yield Row(line.number, size, dead=str(problem))
        else:
            yield Row(line.number, size, fields, dropped=BLANK if fields is None else "")


def _parse(data: bytes, format: str, columns: list[str], text_column: str) -> dict[str, Any] | None:
    """Returns the fields of a line, or None where it is blank."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Malformed(f"invalid UTF-8: byte {error.start + 1}") from error
    if format == ".tsv":
        return _tsv(text, columns) if text else None  # tabs alone are a row of empty columns
    if not text.strip():
        return None
    return {text_column: text} if format == ".txt" else _json(text)


def _tsv(text: str, columns: list[str]) -> dict[str, Any]:
    values = text.split("\t")
    if len(values) != len(columns):
        raise _Malformed(f"wrong number of columns: {len(values)}, and the header has {len(columns)}")
    return dict(zip(columns, values, strict=True))


def _json(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        if "\\u" in text:  # a lone \ud800 parses, but is no text
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise _Malformed("holds half of a surrogate pair") from error
    except (ValueError, RecursionError) as error:
        raise _Malformed("broken JSON") from error
    if not isinstance(value, dict):
        raise _Malformed("not a JSON object")
    return value


def _header(line: RawLine | None, path: Path, needed: Sequence[str]) -> list[str]:
    cure = "A .tsv file starts with a line of tab-separated column names"
    if line is None:
        raise UserError("empty, and a header row is needed", where=str(path), cure=cure)
    if line.problem:
        raise UserError(f"unusable header row: {line.problem}", where=f"{path}:1", cure=cure)
    try:
        columns = line.data.decode("utf-8").split("\t")
    except UnicodeDecodeError as error:
        raise UserError("the header row is not UTF-8", where=f"{path}:1", cure=cure) from error
    there = ", ".join(map(repr, columns))
    if len(set(columns)) != len(columns):
        raise UserError(f"a column is named twice (there are {there})", where=f"{path}:1", cure="Rename one")
    for name in needed:
        if name not in columns:
            cure = "Set corpus.source, corpus.target and corpus.id to columns that are there"
            raise UserError(f"no column {name!r} (there are {there})", where=f"{path}:1", cure=cure)
    return columns


def blocks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Groups consecutive rows: `BLOCK_LINES` of them, fewer where they are longer than `BLOCK_BYTES` together."""
    block: list[Row] = []
    size = 0
    for row in rows:
        block.append(row)
        size += row.size
        if len(block) == BLOCK_LINES or size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block
