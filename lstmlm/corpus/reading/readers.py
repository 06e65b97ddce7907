"""Readers of corpus files, and how one is found by its name.

A reader says what the names of its files end in, how a file is cut into ranges that many workers read, and which rows a
range holds. One of a text format starts from `TextReader`.
"""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator, Sequence
from typing import ClassVar

from lstmlm.corpus.reading.compression import decompressed
from lstmlm.corpus.reading.content import PLAIN
from lstmlm.corpus.reading.datasets.class_names import named_rows
from lstmlm.corpus.reading.lines import RawLine, raw_lines
from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.corpus.reading.ranges import (
    RANGE_BYTES,
    Beginning,
    FileRange,
    Segment,
    cut_blindly,
    line_beginnings,
    ranges,
)
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.transcode import as_utf8
from lstmlm.corpus.sources.found import CorpusFile
from lstmlm.plugins import Registry
from lstmlm.recipe.sections.corpus import CorpusSection


class Reader(abc.ABC):
    """Reads files of one kind. Without state: it is made once per process.

    Attributes:
        endings: What names of its files end in, in lower case; the first is the usual one.
        magic: What its files begin with, where they are not text; empty: nothing in particular.
        has_columns: Whether a row has columns; a row without has one text, which gets the name `corpus.source`.
        of_corpora: Whether it reads corpora, and not the input of the batch job only.
        of_datasets: Whether data sets of the Hugging Face hub are stored so: next to such files, others are no data.
        of_stores: Whether it reads files of a store, and not local ones only.
        version: Part of the fingerprint of what was read, for readers of other packages.
    """

    endings: ClassVar[tuple[str, ...]]
    magic: ClassVar[bytes] = b""
    has_columns: ClassVar[bool] = True
    of_corpora: ClassVar[bool] = True
    of_datasets: ClassVar[bool] = False
    of_stores: ClassVar[bool] = True
    version: ClassVar[str] = "1"

    def segments(self, file: CorpusFile, corpus: CorpusSection, range_bytes: int) -> list[Segment]:
        """Cuts a file without reading it into segments, whose beginnings are found by as many workers; here into one.

        Args:
            file: The file.
            corpus: The recipe's section.
            range_bytes: About how large a range will be.
        """
        return [Segment(file, 0, file.size)]

    def beginnings(self, segment: Segment, range_bytes: int) -> list[Beginning]:
        """Finds where ranges may begin within a segment; here at its start.

        Raises:
            UserError: The file cannot be read, or is not of this kind.
        """
        return [Beginning(0, 1, segment.file.size)]

    @abc.abstractmethod
    def rows(
        self, file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
    ) -> Iterator[Row]:
        """Yields a row for every record of a range, those that are malformed or blank too.

        Args:
            file_range: What to read.
            corpus: The recipe's section: the name of a single column, `unit` and the limits.
            needed: Columns that the file must have. A reader to which other columns cost time reads only these, unless
                there are none.
            others: Read the other columns too.

        Raises:
            UserError: The file cannot be read at all: it is gone, not of this kind, or without a needed column.
        """


class TextReader(Reader):
    """Reads files of text: UTF-8, or what is recognised and turned into it, also compressed.

    Attributes:
        cut_at_lines: Whether a file may be cut wherever a line begins.
        separators: What may separate columns, the usual first; empty: there are none.
    """

    cut_at_lines: ClassVar[bool] = True
    separators: ClassVar[str] = ""

    def finds(self, separator: str, *, header: bool) -> bool:
        """Says whether columns with a separator are read without `delimiter`; `header`: the first line names them."""
        return False

    def can_cut(self, corpus: CorpusSection) -> bool:
        """Says whether a recipe lets files be cut wherever a line begins."""
        return self.cut_at_lines

    def holds_array(self, path: str, text: str) -> bool:
        """Looks at the beginning of a file; says whether it is one JSON array.

        Raises:
            UserError: The file is of another kind than its name says.
        """
        return False

    def recognises(self, text: str, column: str) -> bool:
        """Says whether a text without a name is of this kind, by its beginning; `column`: that of its texts."""
        return False

    def segments(self, file: CorpusFile, corpus: CorpusSection, range_bytes: int) -> list[Segment]:
        """See `Reader`: what is compressed, or not stored as UTF-8, is one segment."""
        if file.compression or file.content != PLAIN or not self.can_cut(corpus):
            return super().segments(file, corpus, range_bytes)
        return cut_blindly(file, range_bytes)

    def beginnings(self, segment: Segment, range_bytes: int) -> list[Beginning]:
        """See `Reader`."""
        return line_beginnings(segment)

    def rows(
        self, file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
    ) -> Iterator[Row]:
        """See `Reader`: those of its lines."""
        lines = raw_lines(text_of(file_range, corpus), corpus.max_line_bytes, file_range.first_line)
        return self.line_rows(lines, file_range, corpus, needed)

    @abc.abstractmethod
    def line_rows(
        self, lines: Iterator[RawLine], file_range: FileRange, corpus: CorpusSection, needed: Sequence[str]
    ) -> Iterator[Row]:
        """Yields the rows of lines; see `rows`. A line with a problem is a row that is dead for it."""


def text_of(file_range: FileRange, corpus: CorpusSection) -> Iterator[bytes]:
    """Yields a range of a text file as UTF-8, cut anywhere.

    Raises:
        UserError: The file cannot be read.
        Damaged: It cannot be read any further.
    """
    file = file_range.file
    if file.compression:
        chunks = decompressed(file.path, file.size, file.compression, corpus.max_expansion)
    else:
        chunks = read_bytes(file.path, file_range.start, file_range.end)
    return chunks if file.content == PLAIN else as_utf8(chunks, file.content)


READERS = Registry(
    "lstmlm.readers",
    Reader,  # type: ignore[type-abstract]
    "READER",
    "lstmlm.corpus.reading.kinds",
)


def segments(file: CorpusFile, corpus: CorpusSection, range_bytes: int = RANGE_BYTES) -> list[Segment]:
    """See `Reader.segments`."""
    return READERS.load(file.reader).segments(file, corpus, range_bytes)


def beginnings(segment: Segment, range_bytes: int = RANGE_BYTES) -> list[Beginning]:
    """See `Reader.beginnings`."""
    return READERS.load(segment.file.reader).beginnings(segment, range_bytes)


def split_file(file: CorpusFile, corpus: CorpusSection, range_bytes: int = RANGE_BYTES) -> list[FileRange]:
    """Cuts a file into ranges, reading it once where it is cut; `lstmlm.corpus.passes.file_ranges`: by many workers."""
    begun = [one for segment in segments(file, corpus, range_bytes) for one in beginnings(segment, range_bytes)]
    return list(ranges(file, begun))


def read_range(
    file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
) -> Iterator[Row]:
    """See `Reader.rows`; with the names of classes where a file next to it gives them."""
    rows = READERS.load(file_range.file.reader).rows(file_range, corpus, needed, others=others)
    return iter(named_rows(rows, file_range.file.classes, needed))


def read_file(file: CorpusFile, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False) -> Iterator[Row]:
    """Yields the rows of a whole file, in order; see `Reader.rows`."""
    whole = split_file(file, corpus, max(file.size, 1))
    found = (read_range(file_range, corpus, needed, others=others) for file_range in whole)
    return itertools.chain.from_iterable(found)
