"""Comma-separated values with a header (RFC 4180), also with semicolons, tabs or bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.delimited import csv_rows, is_header
from lstmlm.corpus.reading.lines import RawLine, raw_lines
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import TextReader, text_of
from lstmlm.corpus.reading.rows import Row
from lstmlm.recipe.sections.corpus import CorpusSection


class Csv(TextReader):
    """See the module. A quoted value may have several lines, so a file is never cut."""

    endings = (".csv",)
    cut_at_lines = False
    separators = ",;\t|"

    def finds(self, separator: str, *, header: bool) -> bool:
        """See `TextReader`: any of them, by the header."""
        return header

    def recognises(self, text: str, column: str) -> bool:
        """See `TextReader`."""
        return is_header(text, ",", column)

    def rows(
        self, file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
    ) -> Iterator[Row]:
        """See `Reader`: a carriage return may be a part of a value."""
        lines = raw_lines(text_of(file_range, corpus), corpus.max_line_bytes, keep_returns=True)
        return self.line_rows(lines, file_range, corpus, needed)

    def line_rows(
        self, lines: Iterator[RawLine], file_range: FileRange, corpus: CorpusSection, needed: Sequence[str]
    ) -> Iterator[Row]:
        """See `TextReader`."""
        path, form = file_range.file.path, (corpus.delimiter, corpus.columns)
        return csv_rows(lines, corpus.max_line_bytes, path, needed, *form)


READER = Csv()
