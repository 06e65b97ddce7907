"""Plain text: each line is a record, or each paragraph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.lines import RawLine
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import TextReader
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.text import paragraph_rows, text_rows
from lstmlm.recipe.sections.corpus import CorpusSection


class Text(TextReader):
    """See the module."""

    endings = (".txt", ".text")
    has_columns = False
    separators = "\t"  # text has many commas that separate no columns

    def can_cut(self, corpus: CorpusSection) -> bool:
        """See `TextReader`: a paragraph has several lines."""
        return corpus.unit != "paragraph"

    def line_rows(
        self, lines: Iterator[RawLine], file_range: FileRange, corpus: CorpusSection, needed: Sequence[str]
    ) -> Iterator[Row]:
        """See `TextReader`."""
        if corpus.unit == "paragraph":
            return paragraph_rows(lines, corpus.max_line_bytes, corpus.source)
        return text_rows(lines, corpus.source)


READER = Text()
