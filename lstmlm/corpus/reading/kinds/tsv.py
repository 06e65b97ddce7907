"""Tab-separated values with a header, without quoting."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.delimited import is_header, refuse_header, tsv_columns, tsv_rows
from lstmlm.corpus.reading.lines import RawLine, raw_lines
from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import TextReader
from lstmlm.corpus.reading.rows import Row, check_columns
from lstmlm.recipe.sections.corpus import CorpusSection


class Tsv(TextReader):
    """See the module."""

    endings = (".tsv", ".tab")
    separators = "\t;,|"

    def finds(self, separator: str, *, header: bool) -> bool:
        """See `TextReader`: tabs only."""
        return separator == self.separators[0]

    def recognises(self, text: str, column: str) -> bool:
        """See `TextReader`."""
        return is_header(text, "\t", column)

    def line_rows(
        self, lines: Iterator[RawLine], file_range: FileRange, corpus: CorpusSection, needed: Sequence[str]
    ) -> Iterator[Row]:
        """See `TextReader`: a range behind the first one takes the header from the beginning of the file."""
        file, header, delimiter = file_range.file, lines, corpus.delimiter or "\t"
        if corpus.columns:
            check_columns(corpus.columns, needed, file.path)
            if not file_range.start:
                lines = self._without_header(lines, corpus.columns, delimiter, file.path)
            return tsv_rows(lines, corpus.columns, delimiter)
        if file_range.start:
            header = raw_lines(read_bytes(file.path, 0, file.size), corpus.max_line_bytes)
        columns = tsv_columns(next(header, None), file.path, needed, delimiter)
        return tsv_rows(lines, columns, delimiter)

    @staticmethod
    def _without_header(lines: Iterator[RawLine], names: Sequence[str], delimiter: str, path: str) -> Iterator[RawLine]:
        first = next(lines, None)
        if first is None:
            return iter(())
        refuse_header(first.data.decode("utf-8", "replace").split(delimiter), names, path)
        return itertools.chain([first], lines)


READER = Tsv()
