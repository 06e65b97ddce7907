"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from lstmlm.corpus.reading.ranges import Beginning, FileRange, Segment
from lstmlm.corpus.reading.readers import Reader
from lstmlm.corpus.reading.rows import Row
from lstmlm.corpus.reading.tables import row_groups, table_rows
from lstmlm.recipe.sections.corpus import CorpusSection


class Parquet(Reader):
    """See the module. A range is some row groups."""

    endings: ClassVar[tuple[str, ...]] = (".parquet", ".parq", ".pq")
    of_datasets = True
    magic = b"PAR1"

    def beginnings(self, segment: Segment, range_bytes: int) -> list[Beginning]:
        """See `Reader`: the row groups that a range begins with."""
        groups = row_groups(segment.file.path, range_bytes)
        limit = sum(count for count, _ in groups)
        starts = (sum(count for count, _ in groups[:place]) for place in range(len(groups)))
        return [Beginning(start, rows, limit) for start, (_, rows) in zip(starts, groups, strict=True)]

    def rows(
        self, file_range: FileRange, corpus: CorpusSection, needed: Sequence[str], *, others: bool = False
    ) -> Iterator[Row]:
        """See `Reader`."""
        groups = (file_range.start, file_range.end, file_range.first_line)
        path, limit = file_range.file.path, corpus.max_line_bytes
        return table_rows(path, *groups, limit, needed, corpus.max_expansion, others=others)


READER = Parquet()
