"""Reads a range of a corpus file, whatever its format, as rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from lstmlm.corpus.reading.compression import decompressed
from lstmlm.corpus.reading.content import PLAIN
from lstmlm.corpus.reading.delimited import csv_rows, tsv_columns, tsv_rows
from lstmlm.corpus.reading.lines import raw_lines
from lstmlm.corpus.reading.nested import nested_rows
from lstmlm.corpus.reading.openers import read_bytes
from lstmlm.corpus.reading.ranges import FileRange, split_file
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.tables import table_rows
from lstmlm.corpus.reading.text import json_rows, paragraph_rows, text_rows
from lstmlm.corpus.reading.transcode import array_lines, as_utf8
from lstmlm.corpus.sources.files import PARQUET, CorpusFile
from lstmlm.recipe.sections.corpus import Corpus


def read_range(file_range: FileRange, corpus: Corpus, needed: Sequence[str], *, others: bool = False) -> Iterator[Row]:
    """Yields a row for every line of a range but the header (for every row of a table, every paragraph).

    Args:
        file_range: What to read.
        corpus: `source` names the single field of a .txt row; `unit` and the limits are used.
        needed: Columns a table must have. Of a parquet file only these are read, unless there are none.
        others: Read the other columns of a parquet file too.

    Raises:
        UserError: The file cannot be read at all: it is gone, not of its kind, or without a needed column.
    """
    file = file_range.file
    limit = corpus.max_line_bytes
    if file.format == PARQUET:
        groups = (file_range.start, file_range.end, file_range.first_line)
        return table_rows(file.path, *groups, limit, needed, corpus.max_expansion, others=others)
    chunks = _chunks(file_range, corpus)
    if file.format == ".csv":
        return csv_rows(raw_lines(chunks, limit, keep_returns=True), limit, file.path, needed)
    if file.content.array:
        return iter(nested_rows(json_rows(array_lines(chunks, limit), needed), needed))
    lines = raw_lines(chunks, limit, file_range.first_line)
    if file.format == ".tsv":
        header = lines if file_range.start == 0 else raw_lines(read_bytes(file.path, 0, file.size), limit)
        return tsv_rows(lines, tsv_columns(next(header, None), file.path, needed))
    if file.format == ".jsonl":
        return iter(nested_rows(json_rows(lines, needed), needed))
    if corpus.unit == "paragraph":
        return paragraph_rows(lines, limit, corpus.source)
    return text_rows(lines, corpus.source)


def _chunks(file_range: FileRange, corpus: Corpus) -> Iterator[bytes]:
    file = file_range.file
    if file.compression:
        chunks = decompressed(file.path, file.size, file.compression, corpus.max_expansion)
    else:
        chunks = read_bytes(file.path, file_range.start, file_range.end)
    return chunks if file.content == PLAIN else as_utf8(chunks, file.content)


def read_file(file: CorpusFile, corpus: Corpus, needed: Sequence[str], *, others: bool = False) -> Iterator[Row]:
    """Yields the rows of a whole file, in order; see `read_range`."""
    whole = split_file(file, corpus, max(file.size, 1))
    ranges = (read_range(file_range, corpus, needed, others=others) for file_range in whole)
    return itertools.chain.from_iterable(ranges)
