"""Rows of corpus files, and blocks of consecutive ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from lstmlm.errors import UserError

BLOCK_LINES = 1000
BLOCK_BYTES = 8 << 20
BLANK = "blank"


class Row(NamedTuple):
    """What became of one line, row or paragraph.

    Attributes:
        line: The number of its first line, counted from 1 (a header is line 1 and no row); of a parquet file, the
            number of the row.
        size: Its bytes.
        fields: Column or key -> value; None where `dead` or `dropped` says why.
        dead: Why it is malformed, or empty.
        dropped: Why it is left out though nothing is wrong with it, or empty.
    """

    line: int
    size: int
    fields: dict[str, Any] | None = None
    dead: str = ""
    dropped: str = ""


def not_utf8(error: UnicodeDecodeError) -> str:
    """Returns the reason of bytes that are no text."""
    return f"invalid UTF-8: byte {error.start + 1}"


def check_columns(columns: Sequence[str], needed: Sequence[str], where: str, advice: str = "") -> None:
    """Checks the columns of a table.

    Args:
        columns: The columns.
        needed: Those that must be there.
        where: The file, and the line that names them.
        advice: What to do where one is not, if more is known.

    Raises:
        UserError: A column is named twice, or a needed one is not there.
    """
    there = ", ".join(map(repr, columns))
    if len(set(columns)) != len(columns):
        raise UserError(f"duplicate column name (there are {there})", where=where, hint="Rename one")
    for name in needed:
        if name not in columns:
            hint = advice or "Name existing columns: in corpus.source, .target and .id, or inference.field and .id"
            raise UserError(f"no column {name!r} (there are {there})", where=where, hint=hint)


def blocks(rows: Iterable[Row], most: int = BLOCK_LINES) -> Iterator[list[Row]]:
    """Groups consecutive rows: `most` of them, fewer where they are longer than `BLOCK_BYTES` together."""
    block: list[Row] = []
    size = 0
    for row in rows:
        block.append(row)
        size += row.size
        if len(block) == most or size >= BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block
