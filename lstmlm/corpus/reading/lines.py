"""Lines of a stream of bytes, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lstmlm.corpus.reading.compression import Damaged

_BOM = b"\xef\xbb\xbf"


class RawLine(NamedTuple):
    """One line of a file.

    Attributes:
        number: Counted from 1.
        data: Its bytes without the line end; empty where there is a problem.
        problem: Why it cannot be used, or empty.
    """

    number: int
    data: bytes
    problem: str = ""


def raw_lines(
    chunks: Iterable[bytes], limit: int, first_line: int = 1, *, keep_returns: bool = False
) -> Iterator[RawLine]:
    r"""Yields the lines of a stream, without a byte order mark that begins one: files that were joined have several.

    A line over the limit is skipped without being held in memory. Where the stream is `Damaged`, the lines before
    the damage are yielded, then one line with the problem.

    Args:
        chunks: The bytes, cut anywhere.
        limit: Bytes a line may have, without its end.
        first_line: Number of the line that the stream begins with.
        keep_returns: Leave a `\r` before the `\n` in the data: it may be a part of a quoted field.
    """
    number = first_line
    end = b"" if keep_returns else b"\r"
    try:
        for line in _cut(chunks, limit + len(_BOM) + 2):
            text = line.removeprefix(_BOM)
            if len(text.removesuffix(b"\r")) > limit:
                yield RawLine(number, b"", f"longer than {limit} bytes")
            else:
                yield RawLine(number, text.removesuffix(end))
            number += 1
    except Damaged as damage:
        yield RawLine(number, b"", str(damage))


def _cut(chunks: Iterable[bytes], enough: int) -> Iterator[bytes]:
    """Yields the parts between line feeds. Of a line longer than `enough` bytes at least so many are yielded."""
    begun: list[bytes] = []  # pieces of the line whose end has not come
    held = 0
    for chunk in chunks:
        lines = chunk.split(b"\n")
        if len(lines) > 1:
            lines[0] = b"".join((*begun, lines[0]))
            begun, held = [], 0
        rest = lines.pop()
        yield from lines
        if rest and held < enough:
            begun.append(rest)
            held += len(rest)
    if begun:
        yield b"".join(begun)
