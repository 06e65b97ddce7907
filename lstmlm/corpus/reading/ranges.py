"""Ranges of corpus files that can be read independently, each with the exact number of its first line.

Plain line formats are cut near multiples of a size, at the next line that begins there; parquet files by row groups.
A first pass counts line feeds, so that a record's `file:line` does not depend on the cutting. What cannot be cut
(compressed files, other encodings, JSON arrays, csv, paragraphs) is one range.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from lstmlm.corpus.reading.content import PLAIN
from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.corpus.reading.tables import row_groups
from lstmlm.corpus.sources.files import PARQUET, CorpusFile
from lstmlm.recipe.sections.corpus import Corpus

RANGE_BYTES = 64_000_000


@dataclasses.dataclass(frozen=True, slots=True)
class FileRange:
    """Consecutive lines of a file.

    Attributes:
        file: The file.
        start: Where it begins: a byte, or a row group of a parquet file.
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


def segments(file: CorpusFile, corpus: Corpus, range_bytes: int = RANGE_BYTES) -> list[Segment]:
    """Cuts a file blindly: into segments of `range_bytes` where its format allows, else into one."""
    paragraphs = file.format == ".txt" and corpus.unit == "paragraph"
    whole = file.compression or file.content != PLAIN or paragraphs or file.format in (".csv", PARQUET)
    if whole or file.size <= range_bytes:
        return [Segment(file, 0, file.size)]
    return [Segment(file, start, min(start + range_bytes, file.size)) for start in range(0, file.size, range_bytes)]


def beginnings(segment: Segment, range_bytes: int = RANGE_BYTES) -> list[Beginning]:
    """Finds where ranges may begin within a segment: reads it, unless it is a whole file.

    Raises:
        UserError: The file cannot be read, or is no parquet file though its name says so.
    """
    file = segment.file
    if file.format == PARQUET:
        groups = row_groups(file.path, range_bytes)
        limit = sum(count for count, _ in groups)
        starts = (sum(count for count, _ in groups[:place]) for place in range(len(groups)))
        return [Beginning(start, rows, limit) for start, (_, rows) in zip(starts, groups, strict=True)]
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


def split_file(file: CorpusFile, corpus: Corpus, range_bytes: int = RANGE_BYTES) -> list[FileRange]:
    """Cuts a file into ranges, reading it once where it is cut. `lstmlm.corpus.passes.file_ranges` uses many workers.

    Raises:
        UserError: As `beginnings`.
    """
    begun = [one for segment in segments(file, corpus, range_bytes) for one in beginnings(segment, range_bytes)]
    return list(ranges(file, begun))
