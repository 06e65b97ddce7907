"""Ranges of corpus files that can be read independently, each with the exact number of its first line.

The reader of a file says how it is cut (`lstmlm.corpus.reading.readers`). Plain lines are cut near multiples of a size,
at the next line that begins there: a first pass counts line feeds, so that a record's `file:line` does not depend on
the cutting.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.corpus.sources.found import CorpusFile

RANGE_BYTES = 64_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class FileRange:
    """Consecutive lines of a file.

    Attributes:
        file: The file.
        start: Where it begins: a byte, or another unit of its reader, such as a row group.
        end: Where it ends, likewise, exclusive.
        first_line: Number of its first line (row of a parquet file), counted from 1 in the whole file.
    """

    file: CorpusFile
    start: int
    end: int
    first_line: int


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """Bytes `start` up to `end` of a file, cut anywhere."""

    file: CorpusFile
    start: int
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class Beginning:
    """Where a range may begin, and how many lines begin between there and the next one.

    Attributes:
        start: See `FileRange.start`.
        lines: Lines that begin there or after it, before the next beginning.
        limit: Where the file ends.
    """

    start: int
    lines: int
    limit: int


def cut_blindly(file: CorpusFile, range_bytes: int) -> list[Segment]:
    """Cuts a file into segments of a size."""
    if file.size <= range_bytes:
        return [Segment(file, 0, file.size)]
    return [Segment(file, start, min(start + range_bytes, file.size)) for start in range(0, file.size, range_bytes)]


def line_beginnings(segment: Segment) -> list[Beginning]:
    """Finds where ranges of lines may begin within a segment: reads it, unless it is a whole file.

    Raises:
        UserError: The file cannot be read.
    """
    file = segment.file
    if segment.start == 0 and segment.end == file.size:
        return [Beginning(0, 1, file.size)]
    feeds, first = _line_feeds(segment)
    if segment.start == 0:
        return [Beginning(0, 1 + feeds, file.size)]
    return [Beginning(first + 1, feeds, file.size)] if feeds else []


def _line_feeds(segment: Segment) -> tuple[int, int]:
    """Returns how many line feeds are in a segment, and where in the file the first of them is."""
    feeds, first, place = 0, -1, segment.start
    for chunk in read_bytes(segment.file.path, segment.start, segment.end):
        if first < 0 and (found := chunk.find(b"\n")) >= 0:
            first = place + found
        feeds += chunk.count(b"\n")
        place += len(chunk)
    return feeds, first


def ranges(file: CorpusFile, begun: Iterable[Beginning]) -> Iterator[FileRange]:
    """Yields the ranges of a file from the beginnings found in all its segments, given in any order."""
    ordered = sorted(begun, key=lambda beginning: beginning.start)
    first_line = 1
    for place, beginning in enumerate(ordered):
        end = ordered[place + 1].start if place + 1 < len(ordered) else beginning.limit
        # A last segment whose only line feed ends the file begins no line.
        if beginning.start < end or not place:
            yield FileRange(file, beginning.start, end, first_line)
        first_line += beginning.lines
