"""Tab-separated values with a header, without quoting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.delimited import is_header, tsv_columns, tsv_rows
from lstmlm.corpus.reading.lines import RawLine, raw_lines
from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import TextReader
from lstmlm.corpus.reading.rows import Row
from lstmlm.recipe.sections.corpus import CorpusSection


class Tsv(TextReader):
    """See the module."""

    endings = (".tsv", ".tab")

    def recognises(self, text: str, column: str) -> bool:
        """See `TextReader`."""
        return is_header(text, "\t", column)

    def line_rows(
        self, lines: Iterator[RawLine], file_range: FileRange, corpus: CorpusSection, needed: Sequence[str]
    ) -> Iterator[Row]:
        """See `TextReader`: a range behind the first one takes the header from the beginning of the file."""
        file, header = file_range.file, lines
        if file_range.start:
            header = raw_lines(read_bytes(file.path, 0, file.size), corpus.max_line_bytes)
        return tsv_rows(lines, tsv_columns(next(header, None), file.path, needed))


READER = Tsv()
