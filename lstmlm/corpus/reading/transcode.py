"""Turns the bytes of a file into UTF-8 with line feeds, and a JSON array into lines, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from lstmlm.corpus.reading.compression import Damaged
from lstmlm.corpus.reading.content import Content
from lstmlm.corpus.reading.lines import RawLine

# What ends or opens something in JSON. Within a string only a quote or a backslash matters.
_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'["\\]')
_PADDING = 4096
"""White space that may surround an element without counting."""


def as_utf8(chunks: Iterable[bytes], content: Content) -> Iterator[bytes]:
    r"""Yields chunks as UTF-8 whose lines end in `\n`.

    Raises:
        Damaged: The file ends within a character, or holds what its encoding does not have.
    """
    decoder = None if content.encoding == "utf-8" else codecs.getincrementaldecoder(content.encoding)()
    for chunk in chunks:
        yield _line_ends(chunk if decoder is None else _decoded(decoder, chunk, content.encoding), content)
    if decoder is not None:
        yield _line_ends(_decoded(decoder, b"", content.encoding, final=True), content)


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, encoding: str, *, final: bool = False) -> bytes:
    try:
        return decoder.decode(chunk, final).encode("utf-8")
    except UnicodeError as error:
        raise Damaged(f"broken {encoding}: {getattr(error, 'reason', error)}") from error


def _line_ends(data: bytes, content: Content) -> bytes:
    return data.replace(b"\r", b"\n") if content.returns else data


def array_lines(chunks: Iterable[bytes], limit: int) -> Iterator[RawLine]:
    """Yields each element of a JSON array as a line, numbered from 1.

    Not by lines, for all elements may be on one. An element over the limit is skipped without being held in memory.

    Args:
        chunks: The array, as UTF-8, cut anywhere. Several arrays in a row are taken as one.
        limit: Bytes an element may have.
    """
    scan = _ArrayScan(limit)
    try:
        for chunk in chunks:
            yield from scan.feed(chunk)
    except Damaged as damage:
        yield RawLine(scan.number, b"", str(damage))
        return
    if scan.depth:
        yield RawLine(scan.number, b"", "the JSON array ends early")


class _ArrayScan:
    """Where the scan of an array is: how deep, in which element, and the bytes of it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.depth, self.number = 0, 1
        self._in_string = self._escaped = False
        self._held: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[RawLine]:
        """Yields the elements that end within a chunk."""
        begin = 0
        for place, sign in self._signs(chunk):
            if sign in b"{[":
                self.depth += 1
                if self.depth == 1:
                    begin = place + 1
            elif sign in b"}]":
                self.depth = max(0, self.depth - 1)
            if (sign == b"," and self.depth == 1) or (sign in b"}]" and not self.depth):
                self._hold(chunk[begin:place])
                yield from self._end_element()
                begin = place + 1
        if self.depth:
            self._hold(chunk[begin:])

    def _signs(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Yields the places of brackets and commas outside of strings."""
        place = 0
        while place < len(chunk):
            if self._escaped:
                self._escaped, place = False, place + 1
                continue
            found = (_INSIDE if self._in_string else _OUTSIDE).search(chunk, place)
            if found is None:
                return
            place, sign = found.end(), found[0]
            if self._in_string:
                self._in_string, self._escaped = sign != b'"', sign == b"\\"
            elif sign == b'"':
                self._in_string = True
            else:
                yield place - 1, sign

    def _hold(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._limit + _PADDING:
            self._held.append(data)

    def _end_element(self) -> Iterator[RawLine]:
        data = b"".join(self._held).strip()
        if self._size > self._limit + _PADDING or len(data) > self._limit:
            yield RawLine(self.number, b"", f"longer than {self._limit} bytes")
        elif data:
            yield RawLine(self.number, data)
        self.number += bool(data) or self._size > self._limit
        self._held, self._size = [], 0
