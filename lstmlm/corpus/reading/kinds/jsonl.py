"""JSON lines, an object per line, and JSON arrays of objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.content import NoRows
from lstmlm.corpus.reading.lines import RawLine
from lstmlm.corpus.reading.nested import nested_rows
from lstmlm.corpus.reading.ranges import FileRange
from lstmlm.corpus.reading.readers import TextReader, text_of
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.text import json_rows
from lstmlm.corpus.reading.transcode import array_lines
from lstmlm.recipe.sections.corpus import CorpusSection

_ARRAY = re.compile(r"\s*\[\s*[{\]]")


class JsonLines(TextReader):
    """See the module."""

    endings = (".jsonl", ".json", ".ndjson")

    def holds_array(self, path: str, text: str) -> bool:
        """See `TextReader`.

        Raises:
            NoRows: It is one JSON object that is spread over lines, which would be as many lines of broken JSON.
        """
        if _ARRAY.match(text):
            return True
        first, _, rest = text.lstrip().partition("\n")
        if first.strip() == "{" and rest.lstrip().startswith(('"', "}")):
            hint = 'Write its records one per line: jq -c ".data[]" (or the name of its list)'
            what = "one JSON document over several lines; one object per line is expected"
            raise NoRows(what, where=path, hint=hint)
        return False

    def recognises(self, text: str, column: str) -> bool:
        """See `TextReader`: of an empty text no column is missing."""
        return text[:1] in ("", "{", "[")

    def rows(
        self, file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
    ) -> Iterator[Row]:
        """See `Reader`."""
        if not file_range.file.content.array:
            return super().rows(file_range, corpus, needed, others=others)
        elements = array_lines(text_of(file_range, corpus), corpus.max_line_bytes)
        return self.line_rows(elements, file_range, corpus, needed)

    def line_rows(
        self, lines: Iterator[RawLine], file_range: FileRange, corpus: CorpusSection, needed: Sequence[str]
    ) -> Iterator[Row]:
        """See `TextReader`."""
        return iter(nested_rows(json_rows(lines, needed), needed))


READER = JsonLines()
